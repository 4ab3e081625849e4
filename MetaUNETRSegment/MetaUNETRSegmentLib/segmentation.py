"""Labels → segmentation node."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import slicer
import slicer.util

from metaunetr.io.seg_nrrd import organ_of, tags
from metaunetr.organs import BY_NUMBER, Organ
from metaunetr.result import OrganResult
from MetaUNETRSegmentLib import ownership
from MetaUNETRSegmentLib.colours import colourOf
from MetaUNETRSegmentLib.exchange import Snapshot
from MetaUNETRSegmentLib.i18n import tr as _
from MetaUNETRSegmentLib.masks import ijkToNode, labelmapOf, trimmed

RECORD = "MetaUNETR.Record"
VOXELS = "MetaUNETR.Voxels"  # what the volume was: another frame of a sequence may be shown later


def writeSegmentation(
    snapshot: Snapshot,
    labels: np.ndarray,
    organs: list[dict[str, Any]],
    record: dict[str, Any],
    segmentationNode=None,
    offset: tuple[int, int, int] = (0, 0, 0),
):
    """The segmentation node of a result; after an exception, the scene is as it was before.

    A new node lies beside the volume, under the same transform. In a node that has segments, only
    those that this module made and nobody touched since are replaced, or removed where the organ
    was looked for again and not found; all others stay as they are, and a new segment beside one
    of them gets a suffix. The node keeps its reference geometry, the new segments that of the
    volume.

    Args:
        snapshot: the volume as it was when the run began.
        labels: uint8 organ numbers (K, J, I), the box of the volume's grid at `offset`.
        organs: what the engine's result event says of each organ that it looked for.
        record: how the result came about; kept in the node's attribute `RECORD`.
        segmentationNode: where to write; None for a new node, "<volume> organs".
        offset: voxels (k, j, i).

    Returns:
        The vtkMRMLSegmentationNode.

    Raises:
        ValueError: the labels do not fit on the volume, a non-linear transform lies between the
            volume and the node, or the node's segments are surfaces.
    """
    if any(start < 0 or start + size > room for start, size, room
           in zip(offset, labels.shape, snapshot.shape, strict=True)):
        raise ValueError(
            _("The labels must lie on the volume: its size is {size}, theirs {labels} from "
              "{offset}.").format(
                size=snapshot.shape, labels=labels.shape, offset=tuple(offset)))
    if segmentationNode is not None and segmentationNode.GetSegmentation().GetNumberOfSegments():
        _replace(segmentationNode, snapshot, labels, organs, record, offset)
        return segmentationNode
    with besideVolume(snapshot, f"{snapshot.name} organs", segmentationNode) as node:
        _replace(node, snapshot, labels, organs, record, offset)
    return node


@contextmanager
def besideVolume(snapshot: Snapshot, name: str, node=None) -> Iterator:
    """A segmentation node with the volume's place, transform and reference geometry.

    Args:
        node: an empty one to be used; None for a new one called `name`, which leaves the scene
            again after an exception.
    """
    scene = slicer.mrmlScene
    isNew = node is None
    if isNew:
        node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", scene.GenerateUniqueName(name))
    before = node.GetTransformNodeID()
    try:
        with slicer.util.NodeModify(node):
            if before is None and snapshot.transformId and scene.GetNodeByID(snapshot.transformId):
                node.SetAndObserveTransformNodeID(snapshot.transformId)
            yield node
            _refer(node, snapshot)
            _placeBeside(node, snapshot)
            if not node.GetDisplayNode():
                # 2-D outline and fill are on. 3-D is, too, but shows nothing until the closed
                # surface is asked for: the Show 3D button only makes that.
                node.CreateDefaultDisplayNodes()
            ownership.markNode(node)
    except BaseException:
        node.SetAndObserveTransformNodeID(before)
        for each in (node.GetDisplayNode(), node) if isNew else ():
            if each:
                scene.RemoveNode(each)
        raise


def organOf(segmentation, segmentId: str) -> Organ | None:
    """The organ that a segment means, by its terminology, or else by its ID or name."""
    segment = segmentation.GetSegment(segmentId)
    return organ_of({"id": segmentId, "name": segment.GetName() or "",
                     "tags": {"TerminologyEntry": segment.GetTerminology()}})


def segmentIdOf(segmentationNode, organ: Organ) -> str | None:
    """The segment that means an organ; if several do, the one with its ID, else the first."""
    segmentation = segmentationNode.GetSegmentation()
    found = [segmentId for segmentId in segmentation.GetSegmentIDs()
             if organOf(segmentation, segmentId) == organ]
    return organ.key if organ.key in found else next(iter(found), None)


def segmentOf(labelmap, value: int, organ: Organ, name: str, result: dict, record: dict):
    """A new vtkSegment with the voxels of `value`, not yet in a segmentation."""
    segment = slicer.vtkSegment()
    segment.SetName(name)
    segment.SetNameAutoGenerated(False)
    segment.SetColor(*(channel / 255 for channel in colourOf(organ)))
    segment.SetColorAutoGenerated(False)
    segment.SetLabelValue(value)
    segment.AddRepresentation(ownership.BINARY, labelmap)
    for tag, text in tags(organResult(organ, result), record).items():
        segment.SetTag(tag, text)
    ownership.claim(segment)
    return segment


def freeName(segmentation, organ: Organ) -> tuple[str, str]:
    """An unused segment ID and name: liver, then liver_2 with the name liver (2)."""
    names = {segmentation.GetNthSegment(n).GetName()
             for n in range(segmentation.GetNumberOfSegments())}
    key, name, number = organ.key, organ.name, 1
    while segmentation.GetSegment(key) or name in names:
        number += 1
        key, name = f"{organ.key}_{number}", f"{organ.name} ({number})"
    return key, name


@contextmanager
def changing(node) -> Iterator[tuple]:
    """Yields functions to remove a segment by ID and to add one; undone after an exception.

    Raises:
        ValueError: the segments are surfaces, as from RTSTRUCT.
    """
    segmentation, undo = node.GetSegmentation(), []
    if segmentation.GetSourceRepresentationName() != ownership.BINARY:
        raise ValueError(
            _("The segments must be made of voxels; those of {name} are surfaces. Choose a new "
              "segmentation, or make the binary labelmap the source of this one.").format(
                name=node.GetName()))

    def remove(segmentId: str) -> None:
        segment, index = (segmentation.GetSegment(segmentId),
                          segmentation.GetSegmentIndex(segmentId))
        segmentation.RemoveSegment(segmentId)
        undo.append(lambda: _insert(segmentation, segment, segmentId, index))

    def add(segment, segmentId: str, index: int | None = None) -> None:
        _insert(segmentation, segment, segmentId, index)
        undo.append(lambda: segmentation.RemoveSegment(segmentId))

    try:
        yield remove, add
    except BaseException:
        for step in reversed(undo):
            step()
        raise


def _insert(segmentation, segment, segmentId: str, index: int | None) -> None:
    last = index is None or index >= segmentation.GetNumberOfSegments()
    before = "" if last else segmentation.GetNthSegmentID(index)
    if not segmentation.AddSegment(segment, segmentId, before):
        raise RuntimeError(_("The segment {name} could not be added to the segmentation.").format(
            name=segmentId))


def _replace(node, snapshot: Snapshot, labels: np.ndarray, organs, record, offset) -> None:
    mask = trimmed(labels > 0, offset)
    inner = tuple(slice(start - first, start - first + size) for start, first, size
                  in zip(mask.offset, offset, mask.voxels.shape, strict=True))
    labelmap = labelmapOf(labels[inner], ijkToNode(snapshot, node), mask.offset)
    present = set(np.flatnonzero(np.bincount(labels[inner].ravel(), minlength=1)).tolist()) - {0}
    results = {entry["number"]: entry for entry in organs}
    segmentation, text = node.GetSegmentation(), json.dumps(record, default=str)
    asked = [BY_NUMBER[number] for number in sorted(results.keys() | present)]
    with changing(node) as (remove, add):
        for organ in asked:
            segmentId, name, index = *freeName(segmentation, organ), None
            for old in reversed(_untouched(node, organ)):
                segmentId, name = old, segmentation.GetSegment(old).GetName()
                index = segmentation.GetSegmentIndex(old)
                remove(old)
            if organ.number in present:
                result = results.get(organ.number, {})
                add(segmentOf(labelmap, organ.number, organ, name, result, record),
                    segmentId, index)
        node.SetAttribute(RECORD, text)


def _untouched(node, organ: Organ) -> list[str]:
    """The segments of this organ that this module made and nobody has edited."""
    pattern = re.compile(rf"{re.escape(organ.key)}(_\d+)?")
    return [segmentId for segmentId in node.GetSegmentation().GetSegmentIDs()
            if pattern.fullmatch(segmentId) and ownership.isUntouched(node, segmentId)]


def _refer(node, snapshot: Snapshot) -> None:
    """Reference geometry as the volume had it then, and the volume itself if it is still there."""
    extent = [end for size in reversed(snapshot.shape) for end in (0, size - 1)]
    converter = slicer.vtkSegmentationConverter
    matrix = slicer.util.vtkMatrixFromArray(ijkToNode(snapshot, node))
    node.GetSegmentation().SetConversionParameter(
        converter.GetReferenceImageGeometryParameterName(),
        converter.SerializeImageGeometry(matrix, extent))
    if slicer.mrmlScene.GetNodeByID(snapshot.volumeId):
        node.SetAttribute(VOXELS, snapshot.voxels or None)
        node.SetNodeReferenceID(node.GetReferenceImageGeometryReferenceRole(), snapshot.volumeId)


def _placeBeside(node, snapshot: Snapshot) -> None:
    """The node's item in the subject hierarchy becomes a sibling of the volume's."""
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    volume = slicer.mrmlScene.GetNodeByID(snapshot.volumeId)
    sibling = hierarchy.GetItemByDataNode(volume) if volume else 0
    parent = hierarchy.GetItemParent(sibling) if sibling else hierarchy.GetSceneItemID()
    item = hierarchy.GetItemByDataNode(node)
    if item:
        hierarchy.SetItemParent(item, parent)
    else:
        hierarchy.CreateItem(parent, node)


def organResult(organ: Organ, entry: dict[str, Any]) -> OrganResult:
    """An organ of the engine's result event; empty for an organ that it lacks."""
    return OrganResult.from_json(entry) if entry else OrganResult.unknown(organ)
