"""The phantom is offered as sample data, and is made without a network."""

from __future__ import annotations

import struct
import sys
from contextlib import nullcontext
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import slicer

from MetaUNETRSegmentLib import sampledata


@pytest.fixture
def offered(monkeypatch):
    """What is registered with the module Sample Data."""
    sources = []
    module = ModuleType("SampleData")
    module.SampleDataLogic = SimpleNamespace(
        registerCustomSampleDataSource=lambda **source: sources.append(source))
    monkeypatch.setitem(sys.modules, "SampleData", module)
    return sources


def test_registered_in_its_own_category_with_a_picture(offered):
    sampledata.register()
    (source,) = offered
    assert source["category"] == "MetaUNETR" and source["sampleName"] == "MetaUNETR phantom"
    lengths = {len(source[key]) for key in ("uris", "fileNames", "nodeNames")}
    assert lengths == {1}  # Sample Data wants lists of one length
    with open(source["thumbnailFileName"], "rb") as file:
        head = file.read(24)
    assert head.startswith(b"\x89PNG")
    assert struct.unpack(">II", head[16:24]) == (280, 260)


def test_a_click_adds_the_ct(scene, offered, monkeypatch):
    monkeypatch.setattr(slicer.util, "WaitCursor", nullcontext)
    monkeypatch.setattr(sampledata, "SPACING", (8.0, 8.0, 8.0))
    sampledata.register()
    node = offered[0]["customDownloader"](None)
    assert scene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode") is node
    assert node.GetName() == "MetaUNETR phantom"
    assert node.GetDisplayNode().GetWindow() == 400


def test_the_truth_lies_on_the_volume(scene):
    node, truth = sampledata.makePhantom(spacing=(6.0, 6.0, 6.0))
    voxels = slicer.util.arrayFromVolume(node)
    assert voxels.shape == truth["liver"].shape
    assert 30 < voxels[truth["liver"]].mean() < 150
    places = {}
    for key in ("liver", "spleen", "right_kidney", "left_kidney", "aorta"):
        places[key] = np.argwhere(truth[key]).mean(axis=0)[::-1]
    matrix = slicer.util.arrayFromVTKMatrix(_ijk_to_ras(node))
    ras = {key: (matrix @ [*ijk, 1])[:3] for key, ijk in places.items()}
    assert ras["liver"][0] > ras["spleen"][0]  # right of the spleen
    assert ras["right_kidney"][0] > ras["aorta"][0] > ras["left_kidney"][0]


def _ijk_to_ras(node):
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return matrix
