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
    """Whether a model made the segment and it was changed since, also in a file of a batch."""
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    if tagOf(segment, CONTENT):
        return not isUntouched(segmentationNode, segmentId)
    if made := tagOf(segment, VOXELS):
        mask, matrix = _maskOf(segment)
        digest, *place = made.split()
        if matrix is None or digest != content_digest(mask.voxels):
            return True
        first = matrix @ [*mask.offset[::-1], 1]
        return not np.allclose(np.array(place, float), first[:3] * [-1, -1, 1], rtol=0,
                               atol=SAME_PLACE_MM)
    return False


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
    digest = segment_digest(
        voxels, segment.GetName(), [round(channel * 255) for channel in segment.GetColor()],
        segment.GetTerminology(), tagOf(segment, STATUS))
    return " ".join([digest, *(f"{value:.3f}" for value in places.ravel())])


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
