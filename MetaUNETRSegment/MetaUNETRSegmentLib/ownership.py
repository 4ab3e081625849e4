"""Which segments this module made and nobody has edited: only these may be replaced.

A tag holds what the segment was when it was made: a hash of its voxels, name, colour, terminology
and status, and the places of four voxels. Places are compared with a tolerance, because files
round them; the hash does not depend on the layer, label value or extent, which Slicer changes
when it saves.
"""

import numpy as np
import vtk

from metaunetr.io.seg_nrrd import CONTENT, segment_digest
from MetaUNETRSegmentLib.masks import arrayOf, matrixOf, trimmed

SAME_PLACE_MM = 0.02
BINARY = "Binary labelmap"
STATUS = "Segmentation.Status"
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


def claim(segment) -> None:
    """Records the content of the segment; any other content is an edit."""
    segment.SetTag(CONTENT, contentOf(segment))


def contentOf(segment) -> str:
    """The hash, and the places (mm) of the box's first voxel and of its ends along i, j and k."""
    image = segment.GetRepresentation(BINARY)
    if image is None or image.IsEmpty():
        voxels, places = np.zeros((0, 0, 0), bool), np.zeros((0, 3))
    else:
        mask = trimmed(arrayOf(image) == segment.GetLabelValue(), image.GetExtent()[::2][::-1])
        voxels = mask.voxels
        first, size = np.array(mask.offset[::-1]), np.array(voxels.shape[::-1])
        ends = first + np.vstack([np.zeros(3), np.diag(size)])
        places = ends @ matrixOf(image)[:3, :3].T + matrixOf(image)[:3, 3]
    digest = segment_digest(
        voxels, segment.GetName(), [round(channel * 255) for channel in segment.GetColor()],
        segment.GetTerminology(), tagOf(segment, STATUS))
    return " ".join([digest, *(f"{value:.3f}" for value in places.ravel())])


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
