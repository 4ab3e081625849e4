"""A Markups region of interest on a volume's grid."""

import numpy as np
import slicer.util

from MetaUNETRSegmentLib.exchange import Box, Snapshot
from MetaUNETRSegmentLib.i18n import tr as _
from MetaUNETRSegmentLib.masks import ijkToNode


def boundingBox(snapshot: Snapshot, roiNode) -> Box:
    """The smallest box of voxels that holds those inside the region.

    Raises:
        ValueError: the region has no size, does not meet the volume, or a non-linear transform
            lies between the two.
    """
    half = _half(roiNode)
    toIjk = np.linalg.inv(_ijkToRoi(snapshot, roiNode))
    corners = np.array([[x, y, z, 1] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    ijk = (toIjk @ (corners * [*half, 1]).T)[:3]
    sizes = np.array(snapshot.shape[::-1])
    first = np.ceil(ijk.min(axis=1) - 1e-6).clip(0)
    last = np.minimum(np.floor(ijk.max(axis=1) + 1e-6), sizes - 1)
    if (ijk.max(axis=1) < 0).any() or (ijk.min(axis=1) > sizes - 1).any() or (first > last).any():
        raise ValueError(
            _("The region of interest must lie on the volume; {region} lies beside {volume}."
              ).format(region=roiNode.GetName(), volume=snapshot.name))
    ranges = zip(first[::-1], last[::-1], strict=True)
    return tuple((int(low), int(high) + 1) for low, high in ranges)


def insideMask(snapshot: Snapshot, roiNode, box: Box) -> np.ndarray:
    """Which voxels (K, J, I) of the box have their centre inside the region.

    Raises:
        ValueError: as `boundingBox`.
    """
    half = _half(roiNode)
    toRoi = _ijkToRoi(snapshot, roiNode)
    k, j, i = (np.arange(*ends) for ends in box)
    inside = np.ones((len(k), len(j), len(i)), bool)
    for row, limit in zip(toRoi[:3], half, strict=True):
        along = (row[2] * k)[:, None, None] + (row[1] * j)[:, None] + (row[0] * i + row[3])
        inside &= np.abs(along) <= limit + 1e-6
    return inside


def _half(roiNode) -> np.ndarray:
    """Half the region's size (mm) along its own axes."""
    half = np.array(roiNode.GetSize()) / 2
    if not (half > 0).all():
        raise ValueError(
            _("The region of interest must have a size; {region} has none yet: place it in a "
              "slice view.").format(region=roiNode.GetName()))
    return half


def _ijkToRoi(snapshot: Snapshot, roiNode) -> np.ndarray:
    """4×4 from the volume's indices to mm from the region's centre along its own axes."""
    roiToNode = slicer.util.arrayFromVTKMatrix(roiNode.GetObjectToNodeMatrix())
    return np.linalg.inv(roiToNode) @ ijkToNode(snapshot, roiNode)
