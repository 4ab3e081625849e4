"""Volume nodes become files with exact geometry."""

from __future__ import annotations

import time

import numpy as np
import pytest
import slicer
from numpy.testing import assert_allclose, assert_array_equal

from metaunetr.io import read_image
from MetaUNETRSegmentLib import exchange

LPS = np.diag([-1, -1, 1, 1])
FLIPPED = np.array([[-0.7, 0, 0, 120.1], [0, -0.7, 0, 80.3], [0, 0, 1.5, -300], [0, 0, 0, 1]])
ROUND = np.diag([0.5, 2, 1.25, 1])
FAR = np.array([[0.9765625, 0, 0, -1e4 / 3], [0, 0, 0.7, 2e4 / 7], [0, -0.3, 0, 1e-3],
                [0, 0, 0, 1]])


@pytest.mark.parametrize("matrix", [None, FLIPPED, ROUND, FAR],
                         ids=["oblique left-handed", "flipped", "anisotropic", "permuted, far"])
@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.uint16, np.int32, np.float32, np.float64])
def test_voxels_and_geometry_come_back(add_volume, tmp_path, matrix, dtype):
    array = np.random.default_rng(1).uniform(0, 250, (3, 4, 5)).astype(dtype)
    volume = add_volume(array, matrix)
    known = exchange.snapshot(volume)
    exchange.writeVolume(volume, tmp_path / "ct.nrrd")
    image = read_image(tmp_path / "ct.nrrd")
    assert_allclose(image.array, array, rtol=1e-6)
    assert_allclose(LPS @ image.grid.affine, known.ijkToRas, atol=1e-9)
    assert known.shape == array.shape


def test_coarse_is_small_and_in_place(add_volume, tmp_path):
    volume = add_volume(np.arange(3 * 200 * 70, dtype=np.int16).reshape(3, 200, 70))
    exchange.writeCoarse(volume, tmp_path / "coarse.nrrd")
    image = read_image(tmp_path / "coarse.nrrd")
    assert image.array.shape == (3, 50, 35)
    assert_array_equal(image.array, slicer.util.arrayFromVolume(volume)[:, ::4, ::2])
    assert_allclose(LPS @ image.grid.affine @ [7, 9, 2, 1],
                    exchange.snapshot(volume).ijkToRas @ [14, 36, 2, 1], atol=1e-9)


def test_a_clinical_volume_is_written_in_less_than_half_a_second_of_cpu_time(add_volume, tmp_path):
    volume = add_volume(np.zeros((150, 512, 512), np.int16))
    started = time.process_time()
    exchange.writeVolume(volume, tmp_path / "ct.nrrd")
    assert time.process_time() - started < 0.5


def test_the_parent_transform_is_known_and_not_applied(add_volume, add_transform):
    transform = add_transform(30, (1, 2, 3))
    volume = add_volume(transform=transform)
    known = exchange.snapshot(volume)
    assert known.transformId == transform.GetID()
    assert known.volumeId == volume.GetID()
    assert_allclose(known.ijkToRas, exchange.snapshot(add_volume()).ijkToRas)


@pytest.mark.parametrize(("node_class", "message"), [
    ("vtkMRMLScalarVolumeNode", "must have voxels; this one has not: odd"),
    ("vtkMRMLLabelMapVolumeNode", "must be a CT; odd is a label map"),
    ("vtkMRMLVectorVolumeNode", "must have one value; odd has 3"),
])
def test_what_cannot_be_segmented_is_refused_in_a_sentence(scene, node_class, message):
    if node_class == "vtkMRMLScalarVolumeNode":
        node = scene.AddNewNodeByClass(node_class, "odd")
    else:
        shape = (2, 3, 4, 3) if "Vector" in node_class else (2, 3, 4)
        node = slicer.util.addVolumeFromArray(np.zeros(shape, np.uint8), np.eye(4), "odd",
                                              node_class)
    with pytest.raises(ValueError, match=message):
        exchange.snapshot(node)
