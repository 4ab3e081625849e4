"""Comparison of two segmentations: scores, and a segmentation of the differences."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from metaunetr.organs import BY_NUMBER
from MetaUNETRSegmentLib import ownership
from MetaUNETRSegmentLib.exchange import Snapshot, snapshot, writeArray
from MetaUNETRSegmentLib.i18n import tr as _
from MetaUNETRSegmentLib.job import Job
from MetaUNETRSegmentLib.masks import geometryOf, ijkToNode, labelmapOf, maskOf, trimmed
from MetaUNETRSegmentLib.segmentation import besideVolume, organOf

FILES = ("compared.nrrd", "reference.nrrd")
SCORES = "scores.json"
COLOURS = ((0.95, 0.55, 0.10), (0.15, 0.45, 0.90))  # orange and blue, for the colour-blind too


def comparisonJob(segmentationNode, referenceNode, progress=None) -> Job:
    """A job that returns the rows of `rows`, for the organs of the reference."""
    def prepare(folder: Path) -> None:
        exportPair(segmentationNode, referenceNode, folder)

    return Job(["evaluate", *FILES, "--json", SCORES], prepare,
               lambda job, folder: rows(folder / SCORES),
               (segmentationNode, referenceNode), progress,
               names=dict(zip(FILES, (segmentationNode.GetName(), referenceNode.GetName()),
                              strict=True)))


def exportPair(nodeA, nodeB, folder: Path) -> tuple[Path, Path]:
    """Both segmentations as organ numbers on the grid of B, for `metaunetr evaluate`.

    Segments are matched by terminology, or else by ID or name; where two segments of a node mean
    one organ, the first counts, and where two overlap, the later one.

    Raises:
        ValueError: B has no organs, the two have none in common, or a non-linear transform lies
            between them.
    """
    grid = geometryOf(nodeB)
    paths = tuple(folder / name for name in FILES)
    pair = _organMaps(nodeA, nodeB, grid)
    for path, (array, _organs) in zip(paths, pair, strict=True):
        writeArray(array, grid.ijkToRas, path)
    return paths


def rows(scores: Path) -> list[dict[str, Any]]:
    """Scores by organ: "organ", "dice", "nsd" (at 2 mm), "hd95" (mm; None where only one has the
    organ), "volumeA" and "volumeB" (mL), and a "note" where there is no score."""
    return [{"organ": row["organ"], "dice": row["dice"], "nsd": row["nsd_2mm"],
             "hd95": row["hd95_mm"], "volumeA": row["prediction_ml"],
             "volumeB": row["reference_ml"], "note": row["note"]}
            for row in json.loads(Path(scores).read_text(encoding="utf-8"))]


def differenceNode(nodeA, nodeB, volumeNode=None):
    """A segmentation of the voxels that only A, and only B, gives to an organ that B has.

    Args:
        volumeNode: whose grid it has; None for the grid of B.

    Raises:
        ValueError: as `exportPair`.
    """
    grid = snapshot(volumeNode) if volumeNode else geometryOf(nodeB)
    (a, _organs), (b, scored) = _organMaps(nodeA, nodeB, grid)
    a *= np.isin(np.arange(256), list(scored))[a]
    differs = a != b
    with besideVolume(grid, f"{nodeA.GetName()} against {nodeB.GetName()}") as node:
        for name, key, colour, array in (
            (f"only in {nodeA.GetName()}", "only_in_A", COLOURS[0], a),
            (f"only in {nodeB.GetName()}", "only_in_B", COLOURS[1], b),
        ):
            mask = trimmed(differs & (array > 0))
            segment = slicer.vtkSegment()
            segment.SetName(name)
            segment.SetColor(*colour)
            labelmap = labelmapOf(mask.voxels, ijkToNode(grid, node), mask.offset)
            segment.AddRepresentation("Binary labelmap", labelmap)
            node.GetSegmentation().AddSegment(segment, key)
    ownership.markNode(node, "difference")
    return node


def _organMaps(nodeA, nodeB, grid: Snapshot) -> list[tuple[np.ndarray, set[int]]]:
    pair = [_organMap(node, grid) for node in (nodeA, nodeB)]
    if not pair[0][1] & pair[1][1]:
        raise ValueError(
            _("{first} and {second} must have an organ in common, by terminology or name; known "
              "names are {names}.").format(
                first=nodeA.GetName(), second=nodeB.GetName(),
                names=", ".join(organ.name for organ in BY_NUMBER.values())))
    return pair


def _organMap(node, grid: Snapshot) -> tuple[np.ndarray, set[int]]:
    """Organ numbers uint8 (K, J, I) on the grid, and which there are."""
    array = np.zeros(grid.shape, np.uint8)
    segmentation = node.GetSegmentation()
    seen, present = set(), set()
    for segmentId in segmentation.GetSegmentIDs():
        organ = organOf(segmentation, segmentId)
        if organ and organ.number not in seen:
            seen.add(organ.number)
            mask = maskOf(node, segmentId, grid)
            array[mask.box][mask.voxels] = organ.number
            if mask.voxels.any():
                present.add(organ.number)
    return array, present
