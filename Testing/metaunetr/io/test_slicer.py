"""3D Slicer's own storage node opens our .seg.nrrd. Needs slicer-core from PyPI."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from metaunetr import organs
from metaunetr.io import read_labels, write_labels
from metaunetr.io.seg_nrrd import terminology_entry
from metaunetr_training.adapt.cases import read_corrections

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
vtk = pytest.importorskip("vtk")
numpy_support = pytest.importorskip("vtk.util.numpy_support")


@pytest.fixture
def opened(tmp_path, result):
    """(scene, node) after Slicer read what we wrote."""
    write_labels(tmp_path / "out.seg.nrrd", result)
    scene = slicer.vtkMRMLScene()
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    storage = scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(tmp_path / "out.seg.nrrd"))
    assert storage.ReadData(node)
    return scene, node


def tag(segment, name):
    value = vtk.reference("")
    return str(value) if segment.GetTag(name, value) else None


def test_names_colours_terminology_and_tags_arrive(opened):
    segmentation = opened[1].GetSegmentation()
    assert segmentation.GetNumberOfSegments() == 4
    for number in (1, 2, 3, 6):
        organ = organs.BY_NUMBER[number]
        segment = segmentation.GetSegment(organ.key)
        assert segment.GetName() == organ.name
        assert_allclose(np.array(segment.GetColor()) * 255, organ.colour, atol=1e-3)
        assert segment.GetLabelValue() == number
        assert tag(segment, "TerminologyEntry") == terminology_entry(organ)
        assert tag(segment, "MetaUNETR.Confidence") == "0.938"
    liver = segmentation.GetSegment("liver")
    assert tag(liver, "MetaUNETR.Flags") == "touches the border / of the image"


def test_voxels_arrive_at_their_place(opened, result):
    segment = opened[1].GetSegmentation().GetSegment("liver")
    image = segment.GetRepresentation("Binary labelmap")
    voxels = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
    assert_array_equal(voxels.reshape(result.labels.grid.shape), result.labels.array)
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    ras = [[matrix.GetElement(row, column) for column in range(4)] for row in range(4)]
    assert_allclose(ras, np.diag([-1, -1, 1, 1]) @ result.labels.grid.affine, atol=1e-9)


def test_what_slicer_saves_again_is_read_back_whole(opened, result, tmp_path):
    scene, node = opened
    storage = scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(tmp_path / "again.seg.nrrd"))
    assert storage.WriteData(node)
    again = read_labels(tmp_path / "again.seg.nrrd")
    assert_array_equal(again.array, result.labels.array)
    assert again.grid.same_as(result.labels.grid)
    corrections = read_corrections(tmp_path, tmp_path / "again.seg.nrrd", lambda text: None)
    assert not corrections.organs  # saving is no correction
