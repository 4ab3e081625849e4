"""The steps of Testing/application/tutorial.py that need no windows, with scripted engines."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from metaunetr.image import Grid, Image
from slicer_qt.open_panel import OpenPanel

SCRIPT = Path(__file__).parents[1] / "application" / "tutorial.py"


@pytest.fixture
def tutorial(scene, engines):
    for axes in (("Axial"), ("Sagittal"), ("Coronal")):
        scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
        scene.AddNewNodeByClass("vtkMRMLSliceNode").SetOrientation(axes)
    panel = OpenPanel()
    spec = importlib.util.spec_from_file_location("tutorial", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module.Tutorial(panel.widget, lambda: panel.settle(0.02), seconds=20)
    panel.close()


def ct(shift: float) -> Image:
    voxels = np.random.default_rng(0).normal(50, 20, (20, 30, 40)).astype(np.int16)
    return Image(voxels, Grid(voxels.shape, (5, 5, 5), (shift, 0, 0)))


def scores(folder):
    (folder / "scores.json").write_text(json.dumps([
        {"organ": "liver", "dice": 0.9, "nsd_2mm": 0.9, "hd95_mm": 4.1, "prediction_ml": 15.0,
         "reference_ml": 14.0, "note": ""}]), encoding="utf-8")
    return []


def test_two_patients_from_loading_to_export(tutorial, engines, tmp_path):
    engines.scripts["evaluate"] = [[], scores]
    first = tutorial.load(ct(0), "patient A")
    old = tutorial.segment()
    tutorial.jump("liver")
    second = tutorial.load(ct(30), "patient B")
    result = tutorial.segment()
    tutorial.choose(first, old)
    tutorial.erase_half("spleen")
    tutorial.widget.enter()
    assert "✎" in tutorial.table()["spleen"][5]
    tutorial.correct("spleen", True)
    tutorial.correct("spleen", False)
    again = tutorial.segment()
    tutorial.compare(again, old)
    tutorial.choose(second, result)
    tutorial.export(tmp_path)
