"""Replaces the labels of chosen organs, everywhere or inside a region of interest."""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import slicer

from metaunetr.io.seg_nrrd import MODEL, MODEL_SHA256, tags
from metaunetr.organs import Organ
from MetaUNETRSegmentLib import ownership
from MetaUNETRSegmentLib.exchange import Snapshot
from MetaUNETRSegmentLib.i18n import tr as _
from MetaUNETRSegmentLib.masks import Mask, ijkToNode, labelmapOf, maskOf, trimmed
from MetaUNETRSegmentLib.segmentation import (
    changing,
    freeName,
    organResult,
    segmentIdOf,
    segmentOf,
)

RECORD = "MetaUNETR.CorrectionRecord"
CORRECTED = "MetaUNETR.Corrected"  # a tag
WHOLE_ORGAN = ("MetaUNETR.Confidence", "MetaUNETR.Flags")  # not known of a part of an organ


@dataclass
class Correction:
    """What a correction has changed, so that it can be undone once.

    Attributes:
        millilitres: before and after, by the organ's name.
    """

    node: Any
    millilitres: dict[str, tuple[float, float]] = field(default_factory=dict)
    _old: dict[str, tuple] = field(default_factory=dict)  # segment ID: (segment or None, index)
    _new: dict[str, str] = field(default_factory=dict)  # segment ID: its content
    _record: str | None = None

    def undo(self) -> None:
        """Brings the segments back as they were before.

        Raises:
            ValueError: one of them was changed or removed since; then nothing is undone.
        """
        segmentation = self.node.GetSegmentation()
        for segmentId, content in self._new.items():
            segment = segmentation.GetSegment(segmentId)
            if segment is None or ownership.contentOf(segment) != content:
                name = segment.GetName() if segment else segmentId
                raise ValueError(_("Nothing was undone: the {name} was changed since.").format(
                    name=name))
        with changing(self.node) as (remove, add):
            for segmentId, (segment, index) in self._old.items():
                remove(segmentId)
                if segment is not None:
                    add(segment, segmentId, index)
            self.node.SetAttribute(RECORD, self._record)


def mergeInside(
    segmentationNode, snapshot: Snapshot, labels: np.ndarray, offset: tuple[int, int, int],
    inside: np.ndarray | None, organs: list[Organ], resultOrgans: list[dict[str, Any]],
    record: dict[str, Any],
) -> Correction:
    """Replaces chosen organs by `labels` inside the region; outside they are unchanged.

    New voxels are not taken from other segments. A segment that somebody has edited keeps counting
    as edited, unless all of it is replaced. An organ that has no segment yet gets one. After an
    exception, the segmentation is as it was before.

    Args:
        labels: organ numbers (K, J, I), the box of the volume's grid at `offset`.
        inside: bool (K, J, I), the voxels of that box that are in the region; None without one,
            when the box is the whole grid.
        organs: those to be replaced.
        resultOrgans, record: of the result event.

    Returns:
        What was changed; organs without voxels before and after are left out.

    Raises:
        ValueError: a chosen segment does not lie on the volume's grid, a non-linear transform lies
            between the two, or the segments are surfaces.
    """
    matrix = ijkToNode(snapshot, segmentationNode)
    segmentation, whole = segmentationNode.GetSegmentation(), inside is None
    inside = np.ones(labels.shape, bool) if whole else inside
    chosen = {organ.number: segmentIdOf(segmentationNode, organ) for organ in organs}
    old = {number: maskOf(segmentationNode, segmentId, snapshot, exact=True)
           for number, segmentId in chosen.items() if segmentId}
    free = freeVoxels(segmentationNode, snapshot, chosen.values(), offset, inside)
    results = {entry["number"]: entry for entry in resultOrgans}
    text = json.dumps(record, default=str)
    done = Correction(segmentationNode, _record=segmentationNode.GetAttribute(RECORD))
    voxelMl = abs(np.linalg.det(matrix[:3, :3])) / 1000
    with changing(segmentationNode) as (remove, add):
        for organ in organs:
            new = (labels == organ.number) & free
            segmentId, source, index = chosen[organ.number], None, None
            if segmentId is None:
                if not new.any():
                    continue
                mask = trimmed(new, offset)
                segmentId, name = freeName(segmentation, organ)
                labelmap = labelmapOf(mask.voxels, matrix, mask.offset)
                segment = segmentOf(
                    labelmap, 1, organ, name, results.get(organ.number, {}), record)
            else:
                mask = _merged(old[organ.number], new, inside, offset)
                # a copy, since others may paint into the labelmap that segments share
                source = _copyOf(
                    segmentation.GetSegment(segmentId), old[organ.number], matrix)
                index = segmentation.GetSegmentIndex(segmentId)
                known = (tags(organResult(organ, results.get(organ.number, {})), record)
                         if whole else {})
                segment = _corrected(segmentationNode, segmentId, mask, matrix, whole, known)
                remove(segmentId)
            segment.SetTag(CORRECTED, "1")
            add(segment, segmentId, index)
            before = old[organ.number].voxels.sum() if source else 0
            done.millilitres[organ.name] = (before * voxelMl, mask.voxels.sum() * voxelMl)
            done._old[segmentId] = (source, index)
            done._new[segmentId] = ownership.contentOf(segment)
        segmentationNode.SetAttribute(RECORD, text)
    return done


def freeVoxels(segmentationNode, snapshot: Snapshot, chosen, offset, inside: np.ndarray):
    """The voxels of `inside` (K, J, I, a box at `offset`) that no other segment than `chosen` has.

    Raises:
        ValueError: a non-linear transform lies between the segmentation and the grid.
    """
    free = inside.copy()
    for segmentId in segmentationNode.GetSegmentation().GetSegmentIDs():
        if segmentId not in chosen:
            free &= ~maskOf(segmentationNode, segmentId, snapshot).within(offset, inside.shape)
    return free


def _merged(old: Mask, new: np.ndarray, inside: np.ndarray, offset) -> Mask:
    """Old voxels outside the region, new ones inside, in the smallest box that holds both."""
    boxes = [(offset, new.shape)] + [(old.offset, old.voxels.shape)] * bool(old.voxels.size)
    start = tuple(np.min([first for first, _ in boxes], axis=0))
    stop = np.max([np.add(first, size) for first, size in boxes], axis=0)
    voxels = old.within(start, tuple(stop - start))
    region = voxels[tuple(slice(a - b, a - b + n)
                          for a, b, n in zip(offset, start, new.shape, strict=True))]
    region[inside] = new[inside]
    return trimmed(voxels, start)


def _corrected(segmentationNode, segmentId: str, mask: Mask, matrix, whole: bool, known: dict):
    """A copy of a segment with other voxels; owned if it was owned and unedited, or is all new.

    Args:
        whole: whether all of it is new; then `known` has tags of the organ.
    """
    segment = _copyOf(segmentationNode.GetSegmentation().GetSegment(segmentId), mask, matrix)
    if whole or ownership.isUntouched(segmentationNode, segmentId):
        millilitres = mask.voxels.sum() * abs(np.linalg.det(matrix[:3, :3])) / 1000
        segment.SetTag("MetaUNETR.VolumeML", f"{millilitres:.3f}")
        for tag in WHOLE_ORGAN:
            segment.RemoveTag(tag)
        for tag in {*WHOLE_ORGAN, MODEL, MODEL_SHA256} & known.keys():
            segment.SetTag(tag, known[tag])
        ownership.claim(segment)
    return segment


def _copyOf(source, mask: Mask, matrix):
    """A copy of a segment with a labelmap of its own."""
    segment = slicer.vtkSegment()
    segment.DeepCopyMetadata(source)
    segment.SetNameAutoGenerated(source.GetNameAutoGenerated())
    segment.SetColorAutoGenerated(source.GetColorAutoGenerated())
    segment.SetLabelValue(1)
    segment.AddRepresentation(ownership.BINARY, labelmapOf(mask.voxels, matrix, mask.offset))
    return segment
