"""A click in Segment Editor segments the selected organ around that point, with undo."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import slicer
import vtk

from MetaUNETRSegmentLib import exchange, organhere, segmentation
from slicer_qt.open_panel import HOLD, result, windows

SIZE = 20  # mm, the smallest
CENTRE_IJK = (8, 9, 6)


LOGIC = slicer.vtkSlicerSegmentEditorLogic


class Editor:
    """What Segment Editor offers to an effect, with Slicer's own logic."""

    NotConfirmed, ConfirmedWithoutDialog = 0, 1

    def __init__(self, scene, node, volume, segmentId) -> None:
        self.steps, self.parameters = [], {}
        self.set = scene.AddNewNodeByClass("vtkMRMLSegmentEditorNode")
        self.logic = LOGIC()
        self.logic.SetMRMLScene(scene)
        self.logic.SetSegmentEditorNode(self.set)
        self.set.SetAndObserveSegmentationNode(node)
        self.set.SetAndObserveSourceVolumeNode(volume)
        self.set.SetSelectedSegmentID(segmentId)

    def parameterSetNode(self):
        return self.set

    def setParameterDefault(self, name, value):
        self.parameters.setdefault(name, value)

    def setParameter(self, name, value):
        self.parameters[name] = value

    def integerParameter(self, name):
        return int(self.parameters[name])

    def addOptionsWidget(self, widget):
        pass

    def addLabeledOptionsWidget(self, label, widget):
        pass

    def confirmCurrentSegmentVisible(self):
        return self.ConfirmedWithoutDialog

    def saveStateForUndo(self):
        self.steps.append("undo")

    def modifySegmentByLabelmap(self, node, segmentId, image, mode):
        self.steps.append({LOGIC.ModificationModeRemove: "remove",
                           LOGIC.ModificationModeAdd: "add"}[mode])
        self.logic.ModifySegmentByLabelmap(node, segmentId, image, mode, True, False)


@pytest.fixture
def effect_class(monkeypatch, panel):
    base = ModuleType("SegmentEditorEffects")

    class Abstract:
        def __init__(self, scriptedEffect):
            self.scriptedEffect = scriptedEffect

        def xyToRas(self, xy, viewWidget):
            return viewWidget.ras

    base.AbstractScriptedSegmentEditorEffect = Abstract
    monkeypatch.setitem(sys.modules, "SegmentEditorEffects", base)
    monkeypatch.setattr(slicer, "qSlicerSegmentEditorAbstractEffect", LOGIC, raising=False)
    spec = importlib.util.spec_from_file_location("SegmentEditorMetaUNETRLib", organhere.EFFECT)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module.SegmentEditorEffect


@pytest.fixture
def start(effect_class, scene, add_volume, labels, entries, record, engines):
    """An effect on the segment with this name, in a segmentation of some organs."""
    volume = add_volume()
    node = segmentation.writeSegmentation(
        exchange.snapshot(volume), labels, entries(labels), record)

    def make(segment_id, factor=1):
        grid = finer(node, volume, add_volume) if factor == 2 else volume
        if node.GetSegmentation().GetSegment(segment_id) is None:
            node.GetSegmentation().AddEmptySegment(segment_id, segment_id)
        effect = effect_class(Editor(scene, node, volume, segment_id))
        effect.setupOptionsFrame()
        effect.setMRMLDefaults()
        effect.updateGUIFromMRML()
        effect.size.value = SIZE
        return effect, node, volume, grid

    return make


def finer(node, volume, add_volume):
    """Converts the segments as "Specify geometry" does, with details that the CT's grid lacks."""
    half = np.diag([0.5, 0.5, 0.5, 1])
    half[:3, 3] = -0.25
    grid = add_volume(np.zeros(np.multiply(2, exchange.snapshot(volume).shape), np.int16),
                      exchange.snapshot(volume).ijkToRas @ half, "finer")
    masks = {key: mask(node, key, grid) for key in node.GetSegmentation().GetSegmentIDs()}
    node.SetReferenceImageGeometryParameterFromVolumeNode(grid)
    for key, voxels in masks.items():
        slicer.util.updateSegmentBinaryLabelmapFromArray(
            np.roll(voxels, 1, axis=2).astype(np.uint8), node, key, grid)
    return grid


def click(effect, volume, **keys):
    pressed = {"GetShiftKey": 0, "GetControlKey": 0, "GetAltKey": 0} | keys
    interactor = SimpleNamespace(GetEventPosition=lambda: (1, 2), **{
        name: lambda value=value: value for name, value in pressed.items()})
    matrix = exchange.snapshot(volume).ijkToRas
    view = SimpleNamespace(className=lambda: "qMRMLSliceWidget",
                           ras=list((matrix @ [*CENTRE_IJK, 1])[:3]))
    return effect.processInteractionEvents(
        interactor, vtk.vtkCommand.LeftButtonPressEvent, view)


def finish(effect):
    while effect.job is not None:
        slicer.app.processEvents()


def mask(node, segment_id, volume):
    return slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, volume) > 0


def cube(volume) -> np.ndarray:
    """The voxels whose centre lies in it."""
    matrix = exchange.snapshot(volume).ijkToRas
    ijk = np.indices(exchange.snapshot(volume).shape)[::-1].reshape(3, -1)
    away = matrix[:3, :3] @ (ijk - np.array(CENTRE_IJK)[:, None])
    return (np.abs(away) <= SIZE / 2 + 1e-6).all(axis=0).reshape(
        exchange.snapshot(volume).shape)


@pytest.mark.parametrize("factor", [1, 2])
def test_a_click_replaces_the_organ_in_the_cube_and_nothing_else(start, engines, factor):
    effect, node, volume, grid = start("liver", factor)
    before = {key: mask(node, key, grid) for key in node.GetSegmentation().GetSegmentIDs()}
    engines.scripts["segment"] = [windows(3), result]
    assert click(effect, volume)
    assert not effect.cancelButton.isHidden(), effect.status.text
    finish(effect)
    assert effect.scriptedEffect.steps == ["undo", "remove", "add"]
    assert "--organs liver" in " ".join(engines.last("segment").arguments)
    after, inside = mask(node, "liver", grid), np.kron(cube(volume), np.ones([factor] * 3)) > 0
    others = np.any([found for key, found in before.items() if key != "liver"], axis=0)
    np.testing.assert_array_equal(after[~inside], before["liver"][~inside])
    assert (after != before["liver"]).any()
    assert not (after & inside & others).any()
    for key in set(before) - {"liver"}:
        np.testing.assert_array_equal(mask(node, key, grid), before[key], key)
    assert effect.status.text.startswith("Done.")


def test_it_runs_with_the_model_and_device_of_the_panel(start, engines, panel):
    effect, _, volume, _ = start("liver")
    panel.parameters.model, panel.parameters.device = "adapted", "cpu"
    engines.scripts["segment"] = HOLD
    click(effect, volume)
    arguments = " ".join(engines.last("segment").arguments)
    assert "--model adapted" in arguments and "--device cpu" in arguments
    effect.cancel()


@pytest.mark.parametrize(("segment_id", "words"), [
    ("tumour", "Name the segment “tumour” after its organ"),
    ("", "Select a segment first."),
])
def test_a_segment_that_means_no_organ_is_explained(start, segment_id, words):
    effect, _, volume, _ = start(segment_id or "liver")
    if not segment_id:
        effect.scriptedEffect.set.SetSelectedSegmentID("")
    click(effect, volume)
    assert words in effect.status.text
    assert effect.scriptedEffect.steps == []


def test_a_run_can_be_cancelled_and_leaves_the_segment(start, engines):
    effect, _, volume, _ = start("liver")
    engines.scripts["segment"] = [windows(1), *HOLD]
    assert not click(effect, volume, GetShiftKey=1)  # of the slice view
    assert effect.job is None
    click(effect, volume)
    effect.cancelButton.click()
    assert engines.last("segment").stopped
    assert effect.status.text == "Cancelled. The segment is as it was before."
    assert effect.scriptedEffect.steps == []


def test_the_effect_is_registered(scene, monkeypatch):
    registered = []

    class Scripted:
        def __init__(self, parent):
            pass

        def setPythonSource(self, path):
            registered.append(path)

        def self(self):
            return SimpleNamespace(register=lambda: registered.append("registered"))

    module = ModuleType("qSlicerSegmentationsEditorEffectsPythonQt")
    module.qSlicerSegmentEditorScriptedEffect = Scripted
    monkeypatch.setitem(sys.modules, module.__name__, module)
    organhere.register()
    assert registered == [organhere.EFFECT.as_posix(), "registered"]
    assert organhere.EFFECT.is_file()
