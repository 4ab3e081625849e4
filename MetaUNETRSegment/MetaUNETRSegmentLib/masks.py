"""Segments as arrays on a volume's grid, and arrays as labelmaps of segments."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import slicer
import slicer.util
import vtk
from vtk.util import numpy_support

from metaunetr.boxes import bounding_box
from MetaUNETRSegmentLib.exchange import Snapshot
from MetaUNETRSegmentLib.i18n import tr as _

SAME_PLACE = 1e-3  # voxels: what headers lose


@dataclass(frozen=True)
class Mask:
    """Voxels of one segment: `voxels` bool (K, J, I) is the box at `offset` (k, j, i) of a grid."""

    voxels: np.ndarray
    offset: tuple[int, int, int]

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """Its slices in an array of the whole grid."""
        return tuple(slice(start, start + size)
                     for start, size in zip(self.offset, self.voxels.shape, strict=True))

    def within(self, offset, shape) -> np.ndarray:
        """The same voxels as a bool array of another box of the grid."""
        out = np.zeros(shape, bool)
        ranges = [(max(a, b), min(a + m, b + n)) for a, m, b, n in
                  zip(self.offset, self.voxels.shape, offset, shape, strict=True)]
        if all(low < high for low, high in ranges):
            target, source = ([slice(low - start, high - start) for (low, high), start
                             in zip(ranges, starts, strict=True)]
                            for starts in (offset, self.offset))
            out[tuple(target)] = self.voxels[tuple(source)]
        return out


def geometryOf(segmentationNode) -> Snapshot:
    """The grid on which Slicer would save the segmentation: its reference geometry, as a rule.

    Raises:
        ValueError: there is none, as in a segmentation without segments.
    """
    segmentation = segmentationNode.GetSegmentation()
    text = segmentation.DetermineCommonLabelmapGeometry(
        segmentation.EXTENT_UNION_OF_EFFECTIVE_SEGMENTS_AND_REFERENCE_GEOMETRY, None)
    grid = _deserialized(segmentationNode, text) or referenceGeometryOf(segmentationNode)
    if grid is None:
        raise ValueError(_("{name} has no voxels and no reference volume.").format(
            name=segmentationNode.GetName()))
    return grid


def referenceGeometryOf(segmentationNode) -> Snapshot | None:
    """The grid of the volume that was segmented, which files keep; None where it is not known."""
    name = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    return _deserialized(
        segmentationNode, segmentationNode.GetSegmentation().GetConversionParameter(name))


def _deserialized(segmentationNode, text: str) -> Snapshot | None:
    """A grid that Slicer has written as text; None if there is none."""
    image, converter = slicer.vtkOrientedImageData(), slicer.vtkSegmentationConverter
    if not text or not converter.DeserializeImageGeometry(text, image, False):
        return None
    extent = np.reshape(image.GetExtent(), (3, 2))
    shift = np.eye(4)
    shift[:3, 3] = extent[:, 0]
    volume = segmentationNode.GetNodeReferenceID(
        segmentationNode.GetReferenceImageGeometryReferenceRole())
    return Snapshot(volume or "", segmentationNode.GetName(),
                    tuple(int(n) for n in np.ptp(extent, axis=1)[::-1] + 1),
                    matrixOf(image) @ shift, segmentationNode.GetTransformNodeID())


def ijkToNode(snapshot: Snapshot, node) -> np.ndarray:
    """4×4 from the grid's indices to the coordinates of a segmentation or region node.

    Raises:
        ValueError: a non-linear transform lies between the two.
    """
    if snapshot.transformId == node.GetTransformNodeID():
        return snapshot.ijkToRas
    source = slicer.mrmlScene.GetNodeByID(snapshot.transformId) if snapshot.transformId else None
    matrix = vtk.vtkMatrix4x4()
    if not slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(
            source, node.GetParentTransformNode(), matrix):
        raise ValueError(
            _("The transforms of {first} and {second} must be the same or linear; put both under "
              "one transform, or harden it.").format(first=snapshot.name, second=node.GetName()))
    return slicer.util.arrayFromVTKMatrix(matrix) @ snapshot.ijkToRas


def isSameGrid(grid: Snapshot, snapshot: Snapshot, segmentationNode) -> bool:
    """Whether a grid of the segmentation is that of a volume, at the same place.

    Raises:
        ValueError: a non-linear transform lies between the two.
    """
    shift = _shift(grid.ijkToRas, ijkToNode(snapshot, segmentationNode), _extentOf(grid.shape))
    return grid.shape == snapshot.shape and shift is not None and not shift.any()


def gridToEdit(segmentationNode, snapshot: Snapshot) -> Snapshot:
    """The grid on which Slicer edits the segments; that of the volume if the voxels are the same.

    Slicer converts all segments to the grid of what is painted into one of them.

    Raises:
        ValueError: a non-linear transform lies between the two.
    """
    matrix = ijkToNode(snapshot, segmentationNode)
    try:
        grid = geometryOf(segmentationNode)
    except ValueError:  # there are no voxels yet
        return snapshot
    same = _shift(grid.ijkToRas, matrix, _extentOf(grid.shape)) is not None
    return snapshot if same else grid


def maskOf(segmentationNode, segmentId: str, snapshot: Snapshot, exact: bool = False) -> Mask:
    """The voxels of a segment on the grid, resampled (nearest neighbour) from another grid.

    Raises:
        ValueError: a non-linear transform lies between the two; or, if `exact`, the segment has
            another grid.
    """
    labelmap, value = _labelmap(segmentationNode, segmentId)
    matrix = ijkToNode(snapshot, segmentationNode)
    if exact and not labelmap.IsEmpty() and _shift(
            matrixOf(labelmap), matrix, labelmap.GetExtent()) is None:
        name = segmentationNode.GetSegmentation().GetSegment(segmentId).GetName()
        raise ValueError(
            _("The segment {segment} of {segmentation} must lie on the grid of {volume}; it lies "
              "on another.").format(
                segment=name, segmentation=segmentationNode.GetName(), volume=snapshot.name))
    return maskIn(labelmap, value, matrix, snapshot.shape)


def maskIn(labelmap, value: int, matrix: np.ndarray, shape) -> Mask:
    """The voxels of a value on a grid, resampled (nearest neighbour) from another grid.

    Args:
        matrix, shape: of the grid; its indices to the coordinates of the labelmap, and (K, J, I).
    """
    if not labelmap.IsEmpty():
        shift = _shift(matrixOf(labelmap), matrix, labelmap.GetExtent())
        if shift is None:
            labelmap, shift = _resampled(labelmap, matrix, shape), 0
    if labelmap.IsEmpty():
        return Mask(np.zeros((0, 0, 0), bool), (0, 0, 0))
    start = np.array(labelmap.GetExtent()[::2]) + shift
    mask = trimmed(arrayOf(labelmap) == value, tuple(int(n) for n in start[::-1]))
    inside = [(max(0, -a), max(0, min(n, size - a))) for a, n, size in
              zip(mask.offset, mask.voxels.shape, shape, strict=True)]
    return Mask(mask.voxels[tuple(slice(*ends) for ends in inside)],
                tuple(a + low for a, (low, _) in zip(mask.offset, inside, strict=True)))


def trimmed(voxels: np.ndarray, offset=(0, 0, 0)) -> Mask:
    """The smallest box that holds all true voxels (K, J, I) of a box at `offset`."""
    box = bounding_box(voxels) or (slice(0, 0),) * 3
    return Mask(voxels[box], tuple(n + part.start for n, part in zip(offset, box, strict=True)))


def labelmapOf(array: np.ndarray, matrix: np.ndarray, offset=(0, 0, 0)):
    """A vtkOrientedImageData of uint8 labels (K, J, I) at `offset` (k, j, i) of a grid.

    Args:
        matrix: 4×4 from the indices of the grid to the coordinates of the node.
    """
    image = slicer.vtkOrientedImageData()
    image.SetExtent(*[end for start, size in zip(offset[::-1], array.shape[::-1], strict=True)
                      for end in (start, start + size - 1)])
    image.SetImageToWorldMatrix(slicer.util.vtkMatrixFromArray(matrix))
    scalars = numpy_support.numpy_to_vtk(array.astype(np.uint8).ravel(), deep=True)
    scalars.SetName("ImageScalars")
    image.GetPointData().SetScalars(scalars)
    return image


def matrixOf(image) -> np.ndarray:
    """4×4 from the indices of a vtkOrientedImageData to the coordinates of its node."""
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def arrayOf(image) -> np.ndarray:
    """The voxels (K, J, I), not copied."""
    scalars = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
    return scalars.reshape(tuple(reversed(image.GetDimensions())))


def _labelmap(segmentationNode, segmentId: str):
    """The labelmap, possibly shared with other segments, and this segment's value in it."""
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    image = segmentationNode.GetBinaryLabelmapInternalRepresentation(segmentId)
    if image is not None:
        return image, segment.GetLabelValue()
    image = slicer.vtkOrientedImageData()  # of surfaces, as from RTSTRUCT
    slicer.vtkSlicerSegmentationsModuleLogic.GetSegmentBinaryLabelmapRepresentation(
        segmentationNode, segmentId, image, False)
    return image, 1


def _extentOf(shape) -> list[int]:
    """The VTK extent (i, j, k) of a grid (K, J, I)."""
    return [end for size in reversed(shape) for end in (0, size - 1)]


def _shift(source: np.ndarray, target: np.ndarray, extent) -> np.ndarray | None:
    """Whole voxels (i, j, k) between the indices of two grids; None if their voxels differ.

    Args:
        source, target: 4×4 from their indices to the same coordinates.
        extent: the voxels of `source` that are compared.
    """
    between = np.linalg.inv(target) @ source
    corners = np.array([[*ijk, 1] for ijk in product(*np.reshape(extent, (3, 2)))]).T
    shift = np.round(between[:3, 3]).astype(int)
    away = np.abs((between @ corners)[:3] - corners[:3] - shift[:, None]).max()
    return shift if away <= SAME_PLACE else None


def _resampled(labelmap, matrix: np.ndarray, shape):
    """The labelmap on the grid of `matrix`, as Slicer itself does it when it exports."""
    reference = slicer.vtkOrientedImageData()
    reference.SetExtent(*_extentOf(shape))
    reference.SetImageToWorldMatrix(slicer.util.vtkMatrixFromArray(matrix))
    result = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
        labelmap, reference, result)
    return result
