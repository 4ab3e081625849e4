"""Where a new region of interest begins, so that there is something to drag."""

MARGIN_MM = 10.0


def inVolume(roi, volume) -> None:
    """The middle half of a volume."""
    bounds = [0.0] * 6
    volume.GetRASBounds(bounds)
    _set(roi, bounds, scale=0.5)


def aroundSegments(roi, segmentation, names: list) -> bool:
    """Around the segments with these names, with a margin; False when there are none."""
    import vtk

    box = vtk.vtkBoundingBox()
    content = segmentation.GetSegmentation()
    for index in range(content.GetNumberOfSegments()):
        segment = content.GetNthSegment(index)
        if segment.GetName().lower() in names:
            bounds = [0.0] * 6
            segment.GetBounds(bounds)
            box.AddBounds(bounds)
    if not box.IsValid():
        return False
    box.Inflate(MARGIN_MM)
    bounds = [0.0] * 6
    box.GetBounds(bounds)
    _set(roi, bounds)
    roi.SetAndObserveTransformNodeID(segmentation.GetTransformNodeID())
    return True


def _set(roi, bounds, scale: float = 1.0) -> None:
    roi.SetCenter(*((low + high) / 2 for low, high in zip(bounds[::2], bounds[1::2], strict=True)))
    roi.SetSize(*(scale * (high - low)
                  for low, high in zip(bounds[::2], bounds[1::2], strict=True)))
