"""The initial position and size of a new region of interest."""

MARGIN_MM = 10.0


def inVolume(roi, volume) -> None:
    """The middle half of a volume."""
    bounds = [0.0] * 6
    volume.GetRASBounds(bounds)
    _set(roi, bounds, scale=0.5)


def aroundSegments(roi, segmentation, names: list) -> bool:
    """Around the segments of these organs, with a margin; False when there are none."""
    import vtk

    from metaunetr.organs import BY_NAME
    from MetaUNETRSegmentLib.segmentation import segmentIdOf

    box = vtk.vtkBoundingBox()
    for name in names:
        if segmentId := segmentIdOf(segmentation, BY_NAME[name]):
            box.AddBounds(_bounds(segmentation, segmentId))
    if not box.IsValid():
        return False
    box.Inflate(MARGIN_MM)
    bounds = [0.0] * 6
    box.GetBounds(bounds)
    _set(roi, bounds)
    roi.SetAndObserveTransformNodeID(segmentation.GetTransformNodeID())
    return True


def _bounds(segmentation, segmentId: str) -> list:
    """The segment's own voxels; Slicer's bounds are those of all that share its labelmap."""
    import numpy as np
    import vtk

    from MetaUNETRSegmentLib.masks import geometryOf, ijkToNode, maskOf

    grid = geometryOf(segmentation)
    mask = maskOf(segmentation, segmentId, grid)
    box = vtk.vtkBoundingBox()
    if mask.voxels.size:
        low = np.array(mask.offset[::-1]) - 0.5
        high = low + mask.voxels.shape[::-1]
        for corner in np.ndindex(2, 2, 2):
            ijk = np.where(corner, high, low)
            box.AddPoint((ijkToNode(grid, segmentation) @ [*ijk, 1])[:3])
    bounds = [0.0] * 6
    box.GetBounds(bounds)
    return bounds


def _set(roi, bounds, scale: float = 1.0) -> None:
    roi.SetCenter(*((low + high) / 2 for low, high in zip(bounds[::2], bounds[1::2], strict=True)))
    roi.SetSize(*(scale * (high - low)
                  for low, high in zip(bounds[::2], bounds[1::2], strict=True)))
    roi.CreateDefaultDisplayNodes()
    display = roi.GetDisplayNode()
    display.SetFillVisibility(False)  # it would hide the image, as would the label
    display.SetPropertiesLabelVisibility(False)
