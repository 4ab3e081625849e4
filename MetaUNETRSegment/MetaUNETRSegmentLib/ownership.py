"""Which segments this module made and nobody has edited: only these may be replaced.

A tag holds what the segment was when it was made: a hash of its voxels, name, colour, terminology
and status, and the places of four voxels. Places are compared with a tolerance, because files
round them; the hash does not depend on the layer, label value or extent, which Slicer changes
when it saves.
"""

import numpy as np
import vtk

from metaunetr.io.seg_nrrd import CONTENT, STATUS, VOXELS, content_digest, segment_digest
from MetaUNETRSegmentLib.masks import Mask, arrayOf, matrixOf, trimmed

SAME_PLACE_MM = 0.02
BINARY = "Binary labelmap"
KIND = "MetaUNETR.Kind"  # attribute of nodes
STATUSES = ("notstarted", "inprogress", "completed", "flagged")  # values of the tag STATUS


def isUntouched(segmentationNode, segmentId: str) -> bool:
    """Whether this module made the segment and it is unchanged."""
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    made = segment and tagOf(segment, CONTENT)
    if not made:
        return False
    (digest, *places), (digestNow, *placesNow) = made.split(), contentOf(segment).split()
    return digest == digestNow and len(places) == len(placesNow) and bool(np.allclose(
        np.array(places, float), np.array(placesNow, float), rtol=0, atol=SAME_PLACE_MM))


def isEdited(segmentationNode, segmentId: str) -> bool:
    """Whether a model made the segment and it was changed since, also in a file of a batch.

    A status is no change, and neither is another place: a transform that is hardened on CT and
    segmentation moves all segments.
    """
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    voxels = _maskOf(segment)[0].voxels
    if made := tagOf(segment, CONTENT):
        return not any(made.split()[0] == _digestOf(segment, voxels, status)
                       for status in STATUSES)
    made = tagOf(segment, VOXELS)
    return bool(made) and made.split()[0] != content_digest(voxels)


def isEmpty(segment) -> bool:
    """Whether the segment is made of voxels, and has none."""
    return segment.GetRepresentation(BINARY) is not None and not _maskOf(segment)[0].voxels.size


def claim(segment) -> None:
    """Records the content of the segment; any other content is an edit."""
    segment.SetTag(CONTENT, contentOf(segment))


def contentOf(segment) -> str:
    """The hash, and the places (mm) of the box's first voxel and of its ends along i, j and k."""
    mask, matrix = _maskOf(segment)
    voxels, places = mask.voxels, np.zeros((0, 3))
    if matrix is not None:
        first, size = np.array(mask.offset[::-1]), np.array(voxels.shape[::-1])
        ends = first + np.vstack([np.zeros(3), np.diag(size)])
        places = ends @ matrix[:3, :3].T + matrix[:3, 3]
    digest = _digestOf(segment, voxels, tagOf(segment, STATUS))
    return " ".join([digest, *(f"{value:.3f}" for value in places.ravel())])


def _digestOf(segment, voxels: np.ndarray, status: str) -> str:
    return segment_digest(
        voxels, segment.GetName(), [round(channel * 255) for channel in segment.GetColor()],
        segment.GetTerminology(), status)


def _maskOf(segment):
    """The smallest box of its voxels, and the 4×4 from the indices to the node's coordinates.

    The latter is None without a labelmap.
    """
    image = segment.GetRepresentation(BINARY)
    if image is None or image.IsEmpty():
        return Mask(np.zeros((0, 0, 0), bool), (0, 0, 0)), None
    mask = trimmed(arrayOf(image) == segment.GetLabelValue(), image.GetExtent()[::2][::-1])
    return mask, matrixOf(image)


def tagOf(segment, name: str) -> str:
    """The value of a tag, "" if the segment has none of that name."""
    value = vtk.reference("")
    return str(value) if segment.GetTag(name, value) else ""


def markNode(segmentationNode, kind: str = "result") -> None:
    """Records that this module made or loaded the node: "result" or "difference"."""
    segmentationNode.SetAttribute(KIND, kind)


def ofModule(segmentationNode) -> bool:
    """Whether this module made or loaded the node, also in a file of an earlier session."""
    if segmentationNode.GetAttribute(KIND):
        return True
    segmentation = segmentationNode.GetSegmentation()
    return any(tagOf(segmentation.GetSegment(segmentId), CONTENT)
               for segmentId in segmentation.GetSegmentIDs())


def isDifference(segmentationNode) -> bool:
    return segmentationNode.GetAttribute(KIND) == "difference"
