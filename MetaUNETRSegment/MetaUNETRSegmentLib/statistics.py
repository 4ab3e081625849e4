"""Volume, HU and flags of each segment, for the panel, the table node and the CSV file."""

import csv
import math
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import slicer
import slicer.util
import vtk

from MetaUNETRSegmentLib import ownership
from MetaUNETRSegmentLib.correction import CORRECTED
from MetaUNETRSegmentLib.exchange import Snapshot, fingerprint, snapshot
from MetaUNETRSegmentLib.masks import geometryOf, maskOf
from MetaUNETRSegmentLib.segmentation import VOXELS

COLUMNS = ("Segment", "Volume (mL)", "Mean HU", "SD HU", "Confidence", "Flags", "Edited",
           "CT")
DIGITS = {"Volume (mL)": 2, "Mean HU": 1, "SD HU": 1, "Confidence": 2}


@dataclass(frozen=True)
class Row:
    """One segment.

    Attributes:
        colour: RGB, 0 to 1.
        volumeMl: mL of the current mask on the volume's grid.
        meanHu, sdHu: NaN for an empty segment, or without a volume.
        confidence: 0 to 1 as the engine gave it, None where it is unknown.
        flags: sentences of the engine about the segment as it made it.
        edited: whether a model made it and it was edited since; False for other segments.
        corrected: whether a part of it was segmented again in a region.
    """

    segmentId: str
    name: str
    colour: tuple[float, float, float]
    volumeMl: float
    meanHu: float
    sdHu: float
    confidence: float | None
    flags: tuple[str, ...]
    edited: bool
    corrected: bool = False


def rows(segmentationNode, volumeNode=None) -> list[Row]:
    """A row for each segment; HU are those of `volumeNode`.

    Where that volume cannot be laid over the segments (it has no voxels, or a non-linear transform
    lies between the two), or another frame of a sequence was segmented, HU are unknown.
    """
    with suppress(ValueError):
        if volumeNode is not None and not showsOtherFrame(segmentationNode, volumeNode):
            return _rows(segmentationNode, snapshot(volumeNode),
                         slicer.util.arrayFromVolume(volumeNode))
    try:
        return _rows(segmentationNode, geometryOf(segmentationNode), None)
    except ValueError:  # all are empty
        nowhere = Snapshot("", "", (0, 0, 0), np.eye(4), segmentationNode.GetTransformNodeID())
        return _rows(segmentationNode, nowhere, None)


def showsOtherFrame(segmentationNode, volumeNode) -> bool:
    """Whether the volume has other voxels than when it was segmented, as far as that is known."""
    segmented = segmentationNode.GetAttribute(VOXELS)
    return bool(segmented and volumeNode.GetImageData()
                and fingerprint(volumeNode) != segmented)


def toTable(rows: list[Row], ct: str = ""):
    """A new vtkMRMLTableNode with a line for each row; `ct` is the name of the volume."""
    name = " ".join(filter(None, ("MetaUNETR statistics", ct)))
    node = slicer.mrmlScene.AddNewNodeByClass(
        "vtkMRMLTableNode", slicer.mrmlScene.GenerateUniqueName(name))
    cells = list(zip(*(_cells(row, ct) for row in rows), strict=True)) or [()] * len(COLUMNS)
    with slicer.util.NodeModify(node):
        for title, values in zip(COLUMNS, cells, strict=True):
            kind = "Double" if title in DIGITS else "Int" if title == "Edited" else "String"
            column = getattr(vtk, f"vtk{kind}Array")()
            column.SetName(title)
            for value in values:
                column.InsertNextValue(value)
            node.AddColumn(column)
    return node


def writeCsv(rows: list[Row], path, ct: str = "") -> None:
    """Writes the rows as CSV; unknown values are empty, `ct` is the name of the volume.

    Raises:
        OSError: the file cannot be written.
    """
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in rows:
            cells = zip(COLUMNS, _cells(row, ct), strict=True)
            writer.writerow("" if isinstance(cell, float) and math.isnan(cell) else
                            f"{cell:.{DIGITS[title]}f}" if title in DIGITS else cell
                            for title, cell in cells)


def _cells(row: Row, ct: str) -> tuple:
    """The values of the columns, without digits that mean nothing."""
    confidence = math.nan if row.confidence is None else row.confidence
    values = (row.name, row.volumeMl, row.meanHu, row.sdHu, confidence, "; ".join(row.flags),
              int(row.edited), ct)
    return tuple(round(value, DIGITS[title]) if title in DIGITS else value
                 for title, value in zip(COLUMNS, values, strict=True))


def _rows(node, grid: Snapshot, voxels: np.ndarray | None) -> list[Row]:
    voxelMl = abs(float(np.linalg.det(grid.ijkToRas[:3, :3]))) / 1000
    return [_row(node, segmentId, grid, voxels, voxelMl)
            for segmentId in node.GetSegmentation().GetSegmentIDs()]


def _row(node, segmentId: str, grid, voxels: np.ndarray | None, voxelMl: float) -> Row:
    segment = node.GetSegmentation().GetSegment(segmentId)
    mask = maskOf(node, segmentId, grid)
    count = int(mask.voxels.sum())
    mean = deviation = math.nan
    if voxels is not None and count:
        values = voxels[mask.box][mask.voxels]
        mean, deviation = float(values.mean(dtype=float)), float(values.std(dtype=float))
    confidence = ownership.tagOf(segment, "MetaUNETR.Confidence")
    flags = ownership.tagOf(segment, "MetaUNETR.Flags")
    return Row(
        segmentId, segment.GetName(), tuple(segment.GetColor()), count * voxelMl, mean, deviation,
        float(confidence) if confidence not in ("", "nan") else None,
        tuple(flags.split("; ")) if flags else (),
        ownership.isEdited(node, segmentId),
        bool(ownership.tagOf(segment, CORRECTED)),
    )
