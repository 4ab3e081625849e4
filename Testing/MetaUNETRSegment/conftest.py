"""A fresh scene of real MRML for each test, and volumes to put into it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed (extra: test)")

import slicer_headless

sys.path.insert(0, str(Path(__file__).parents[2] / "MetaUNETRSegment"))

SHAPE = (12, 20, 24)  # (K, J, I)


def oblique() -> np.ndarray:
    """IJK to RAS: rotated about all axes, left-handed, anisotropic."""
    axes = np.linalg.qr([[-0.9, 0.2, 0.3], [0.1, 0.9, -0.3], [-0.2, 0.3, 0.9]])[0]
    matrix = np.eye(4)
    matrix[:3, :3] = axes * np.sign(np.linalg.det(axes)) * [-0.8, 0.9, 2.5]
    matrix[:3, 3] = 31.25, -70.5, 912.125
    return matrix


@pytest.fixture
def scene():
    with slicer_headless.fresh_scene() as scene:
        yield scene


@pytest.fixture
def add_volume(scene):
    """Adds an array (K, J, I) as a volume node; by default an oblique one of soft tissue."""
    import slicer

    def add(array=None, ijk_to_ras=None, name="CT", transform=None):
        if array is None:
            array = np.random.default_rng(3).normal(50, 20, SHAPE).astype(np.int16)
        matrix = oblique() if ijk_to_ras is None else np.array(ijk_to_ras, float)
        node = slicer.util.addVolumeFromArray(array, matrix, name)
        if transform is not None:
            node.SetAndObserveTransformNodeID(transform.GetID())
        return node

    return add


@pytest.fixture
def add_transform(scene):
    """Adds a linear transform: a rotation by `degrees` about S, then a shift (mm)."""
    import slicer

    def add(degrees=0.0, shift=(0, 0, 0)):
        matrix, angle = np.eye(4), np.radians(degrees)
        matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        matrix[:3, 3] = shift
        node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
        slicer.util.updateTransformMatrixFromArray(node, matrix)
        return node

    return add


@pytest.fixture
def bend(scene):
    """A transform that is not linear."""
    import vtk

    points = vtk.vtkPoints(), vtk.vtkPoints()
    for x, y, z in ((0, 0, 0), (90, 0, 0), (0, 90, 0), (0, 0, 90), (50, 50, 50)):
        points[0].InsertNextPoint(x, y, z)
        points[1].InsertNextPoint(x + (8 if x == 50 else 0), y, z)
    spline = vtk.vtkThinPlateSplineTransform()
    spline.SetSourceLandmarks(points[0])
    spline.SetTargetLandmarks(points[1])
    spline.SetBasisToR()
    node = scene.AddNewNodeByClass("vtkMRMLTransformNode", "bend")
    node.SetAndObserveTransformToParent(spline)
    return node


@pytest.fixture
def labels() -> np.ndarray:
    """Organ numbers on the volume's grid: spleen, both kidneys, liver and portal vein as boxes."""
    array = np.zeros(SHAPE, np.uint8)
    array[2:6, 10:14, 16:20] = 1
    array[1:4, 14:18, 3:6] = 2
    array[1:4, 14:18, 16:20] = 3
    array[4:11, 3:13, 2:14] = 6
    array[6:8, 8:10, 7:16] = 10
    return array


@pytest.fixture
def entries():
    """What the engine's result event says of each organ of a label map."""
    from metaunetr.organs import BY_NUMBER

    def make(array, numbers=None, **changes):
        numbers = numbers or sorted(set(np.unique(array).tolist()) - {0})
        return [{
            "organ": BY_NUMBER[number].name, "number": number,
            "voxels": int((array == number).sum()), "volume_ml": 12.34, "hu_mean": 50.1,
            "hu_sd": 12.0, "confidence": 0.938, "flags": ["touches the border | of the image: top"],
        } | changes for number in numbers]

    return make


@pytest.fixture
def record() -> dict:
    return {"model": "abdomen13-2mm", "model_sha256": "ab" * 32, "note": 'Größe | "quoted"'}


@pytest.fixture
def engines(monkeypatch):
    """Engines that follow scripts, in place of the real process."""
    from slicer_qt.open_panel import GOOD_RUN, Engines

    engines = Engines(segment=GOOD_RUN)
    monkeypatch.setattr("MetaUNETRSegmentLib.engine.startEngine", engines)
    return engines


@pytest.fixture
def open_panel(scene, engines):
    """Opens panels, as many as a test wants."""
    from slicer_qt.open_panel import OpenPanel

    panels = []

    def open_it():
        panels.append(OpenPanel())
        return panels[-1]

    yield open_it
    for panel in panels:
        panel.close()


@pytest.fixture
def panel(add_volume, open_panel):
    """The module's panel, a CT volume being loaded."""
    add_volume(name="CT")
    return open_panel()


@pytest.fixture
def segmented(panel):
    """The panel after a run."""
    panel.ui.segmentButton.click()
    panel.finish()
    return panel


@pytest.fixture
def own_folder(monkeypatch, tmp_path):
    """The folder of the user's own models and corrections; nothing is unfinished."""
    monkeypatch.setenv("METAUNETR_MODELS", str(tmp_path / "own" / "Models"))
    (tmp_path / "own" / "Models").mkdir(parents=True)
    return tmp_path / "own"
