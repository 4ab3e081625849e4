"""The phantom is offered as sample data, and is made without a network."""

from __future__ import annotations

import struct
import sys
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace
from urllib.parse import urlparse

import numpy as np
import pytest
import slicer

from metaunetr.io import read_image
from MetaUNETRSegmentLib import sampledata


@pytest.fixture
def offered(monkeypatch, tmp_path):
    """Sources of the module Sample Data by category, as Slicer's own class keeps them."""
    sources = {}

    class SampleDataSource:
        def __init__(self, **given):
            for name, value in given.items():
                setattr(self, name, value)

    module = ModuleType("SampleData")
    module.SampleDataSource = SampleDataSource
    module.SampleDataLogic = SimpleNamespace(sampleDataSourcesByCategory=lambda: sources)
    monkeypatch.setitem(sys.modules, "SampleData", module)
    monkeypatch.setattr(slicer, "app", SimpleNamespace(temporaryPath=str(tmp_path)), raising=False)
    monkeypatch.setattr(slicer.util, "WaitCursor", nullcontext)
    monkeypatch.setattr(sampledata, "SPACING", (8.0, 8.0, 8.0))
    return sources


def test_registered_once_in_its_own_category_with_a_picture(offered, tmp_path):
    sampledata.register()
    sampledata.register()
    (source,) = offered["MetaUNETR"]
    assert source.sampleName == "MetaUNETR phantom"
    assert list(tmp_path.iterdir()) == []  # nothing is made before somebody asks for it
    with open(source.thumbnailFileName, "rb") as file:
        head = file.read(24)
    assert head.startswith(b"\x89PNG")
    assert struct.unpack(">II", head[16:24]) == (280, 260)


def test_slicer_loads_it_from_a_file_that_is_made_once(offered, monkeypatch):
    """As a click does, and SampleData.downloadSample(): it shows what it has loaded."""
    sampledata.register()
    (source,) = offered["MetaUNETR"]
    (uri,), (name,) = source.uris, source.nodeNames
    assert name == "MetaUNETR phantom" and uri.startswith("file:///")
    path = Path(urlparse(uri).path)
    assert path.suffix == Path(source.fileNames[0]).suffix == ".nrrd"
    made = read_image(path)
    assert made.grid.spacing == pytest.approx((8, 8, 8))
    changed = path.stat().st_mtime_ns
    assert source.uris == [uri] and path.stat().st_mtime_ns == changed


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
