"""A region of interest says which voxels are inside, however it and the volume are turned."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import vtk
from numpy.testing import assert_array_equal

from MetaUNETRSegmentLib import exchange, roi


@pytest.fixture
def add_roi(scene):
    def add(centre, size, degrees=0.0, transform=None):
        node = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "R")
        turn = vtk.vtkTransform()
        turn.Translate(*centre)
        turn.RotateWXYZ(degrees, 1, 2, 3)
        node.SetAndObserveObjectToNodeMatrix(turn.GetMatrix())
        node.SetSize(*size)
        if transform:
            node.SetAndObserveTransformNodeID(transform.GetID())
        return node

    return add


def expected(volume, node) -> np.ndarray:
    """Voxel by voxel, in world coordinates, with Slicer's own transforms."""
    known, inside = exchange.snapshot(volume), np.zeros(exchange.snapshot(volume).shape, bool)
    toObject = np.linalg.inv(slicer.util.arrayFromVTKMatrix(node.GetObjectToWorldMatrix()))
    for k, j, i in np.ndindex(known.shape):
        world = np.zeros(3)
        volume.TransformPointToWorld((known.ijkToRas @ [i, j, k, 1])[:3], world)
        local = (toObject @ [*world, 1])[:3]
        inside[k, j, i] = (np.abs(local) <= np.array(node.GetSize()) / 2 + 1e-6).all()
    return inside


def centre_of(volume) -> list[float]:
    bounds = np.zeros(6)
    volume.GetRASBounds(bounds)
    return [(low + high) / 2 for low, high in bounds.reshape(3, 2)]


@pytest.mark.parametrize("degrees", [0, 35])
@pytest.mark.parametrize("moved", ["nothing", "volume", "region", "both"])
def test_inside_is_inside_in_the_world(add_volume, add_roi, add_transform, degrees, moved):
    one, two = add_transform(20, (3, 4, 5)), add_transform(-15, (1, 1, -2))
    volume = add_volume(transform=one if moved in ("volume", "both") else None)
    node = add_roi(centre_of(volume), (9, 7, 12), degrees,
                   two if moved in ("region", "both") else None)
    if moved in ("region", "both"):
        node.SetCenterWorld(centre_of(volume))
    known = exchange.snapshot(volume)
    box = roi.boundingBox(known, node)
    inside = np.zeros(known.shape, bool)
    inside[tuple(slice(*ends) for ends in box)] = roi.insideMask(known, node, box)
    want = expected(volume, node)
    assert 20 < want.sum() < want.size
    assert_array_equal(inside, want)


def test_the_box_ends_at_the_volume(add_volume, add_roi):
    volume = add_volume(np.zeros((30, 40, 50), np.int16), np.diag([1, 2, 3, 1.0]))
    node = add_roi((20, 30, 45), (4, 4, 6))
    known = exchange.snapshot(volume)
    assert roi.boundingBox(known, node) == ((14, 17), (14, 17), (18, 23))
    large = add_roi((20, 30, 45), (500, 500, 6))
    assert roi.boundingBox(known, large) == ((14, 17), (0, 40), (0, 50))


@pytest.mark.parametrize(("centre", "size", "message"), [
    ((500, 0, 0), (10, 10, 10), "must lie on the volume; R lies beside CT"),
    ((20, 30, 45), (0, 0, 0), "must have a size; R has none"),
])
def test_a_useless_region_is_refused_in_a_sentence(add_volume, add_roi, centre, size, message):
    volume = add_volume(np.zeros((30, 40, 50), np.int16), np.diag([1, 2, 3, 1.0]))
    with pytest.raises(ValueError, match=message):
        roi.boundingBox(exchange.snapshot(volume), add_roi(centre, size))


def test_a_bent_transform_between_the_two_is_refused(add_volume, add_roi, bend):
    volume = add_volume(transform=bend)
    with pytest.raises(ValueError, match="must be the same or linear"):
        roi.boundingBox(exchange.snapshot(volume), add_roi(centre_of(volume), (9, 9, 9)))
    both = add_roi(centre_of(add_volume()), (9, 9, 9), transform=bend)
    assert roi.boundingBox(exchange.snapshot(volume), both)

