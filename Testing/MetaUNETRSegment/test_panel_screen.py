"""One patient on the screen: what the views show is what the panel segments, both ways."""

from __future__ import annotations

import numpy as np
import pytest
import slicer


@pytest.fixture(autouse=True)
def composites(scene):
    """Two slice views."""
    return [scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode") for _ in range(2)]


def load(volume):
    """Shows a volume in all views, as Slicer does with one that it has loaded."""
    logic = slicer.app.applicationLogic()
    logic.GetSelectionNode().SetActiveVolumeID(volume.GetID())
    logic.PropagateVolumeSelection(0)


def backgrounds(composites) -> set[str]:
    return {slicer.mrmlScene.GetNodeByID(composite.GetBackgroundVolumeID()).GetName()
            for composite in composites}


def visible() -> set[str]:
    return {node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
            if node.GetDisplayNode().GetVisibility()}


def segment(panel, volume):
    panel.parameters.inputVolume = volume
    panel.ui.segmentButton.click()
    panel.finish()
    return panel.parameters.result


@pytest.mark.parametrize(("displayed", "chosen"), [(None, "first"), ("second", "second")])
def test_the_displayed_volume_is_preselected_or_else_the_first(
        add_volume, open_panel, displayed, chosen):
    for volume in (add_volume(name="first"), add_volume(name="second")):
        if volume.GetName() == displayed:
            load(volume)
    assert open_panel().parameters.inputVolume.GetName() == chosen


def test_a_volume_that_is_loaded_while_the_panel_is_open_is_chosen(add_volume, open_panel):
    panel = open_panel()
    assert not panel.ui.segmentButton.enabled
    for name in ("first", "second"):
        load(add_volume(name=name))
        assert panel.ui.inputSelector.currentNode().GetName() == name
        assert panel.ui.segmentButton.enabled
        panel.wait(lambda name=name: panel.ui.segmentHint.text == f"{name}: about 9 s, 0.8 GB")


def test_a_volume_that_is_chosen_in_the_panel_is_shown(add_volume, open_panel, composites):
    first, second = add_volume(name="first"), add_volume(name="second")
    load(first)
    panel = open_panel()
    panel.ui.inputSelector.setCurrentNode(second)
    assert backgrounds(composites) == {"second"}


def test_two_volumes_side_by_side_stay(add_volume, open_panel, composites):
    first, second = add_volume(name="first"), add_volume(name="second")
    load(first)
    panel = open_panel()
    composites[1].SetBackgroundVolumeID(second.GetID())
    assert panel.parameters.inputVolume is second
    composites[0].SetLabelOpacity(0.5)  # no other volume
    panel.widget.enter()
    assert panel.parameters.inputVolume is second
    assert backgrounds(composites) == {"first", "second"}


def test_in_other_modules_the_views_are_not_followed(add_volume, open_panel, composites):
    first, second = add_volume(name="first"), add_volume(name="second")
    panel = open_panel()
    panel.widget.exit()
    load(second)
    assert panel.parameters.inputVolume is first
    panel.widget.enter()
    assert panel.parameters.inputVolume is second


def test_results_of_other_patients_and_older_ones_are_hidden(scene, add_volume, open_panel):
    first, second = add_volume(name="first"), add_volume(name="second")
    mine = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "by hand")
    mine.CreateDefaultDisplayNodes()
    panel = open_panel()
    old = segment(panel, first)
    segment(panel, first)
    assert visible() == {"by hand", "first organs_1"}
    segment(panel, second)
    assert visible() == {"by hand", "second organs"}
    panel.ui.resultSelector.setCurrentNode(old)
    assert visible() == {"by hand", "first organs"}
    assert panel.parameters.inputVolume is first


def test_the_camera_moves_to_the_surfaces_of_the_volume_that_is_chosen(add_volume, open_panel):
    first, second = add_volume(name="first"), add_volume(name="second")
    panel = open_panel()
    view = slicer.app.layoutManager().threeDWidget(0)
    shown, bounds = segment(panel, first), [0.0] * 6
    shown.GetRASBounds(bounds)
    panel.ui.show3DButton.click()
    panel.settle(0.02)
    view.calls.clear()
    segment(panel, first)
    segment(panel, second)
    assert view.calls == []  # without surfaces of it
    panel.ui.resultSelector.setCurrentNode(shown)
    assert view.calls[-1] == pytest.approx(bounds)


def test_a_volume_comes_with_its_newest_result(add_volume, open_panel, composites):
    first, second, third = (add_volume(name=name) for name in ("first", "second", "third"))
    panel = open_panel()
    segment(panel, first)
    newest = segment(panel, first)
    segment(panel, second)
    assert backgrounds(composites) == {"second"}
    load(first)
    assert panel.parameters.result is newest
    assert panel.ui.resultsTable.rowCount == 8
    load(third)
    assert panel.parameters.result is None
    assert visible() == set()


def test_a_run_ends_with_its_own_volume_on_the_screen(add_volume, open_panel, composites):
    first, second = add_volume(name="first"), add_volume(name="second")
    panel = open_panel()
    panel.ui.segmentButton.click()
    panel.parameters.inputVolume = second
    assert panel.ui.segmentHint.text == "first"
    panel.finish()
    assert backgrounds(composites) == {"first"}
    assert panel.parameters.inputVolume is first


@pytest.mark.parametrize("way", ["new result", "result again", "a scene is imported"])
def test_a_run_that_ends_in_another_module_changes_no_view_of_it(
        scene, add_volume, open_panel, composites, way):
    first, second = add_volume(name="first"), add_volume(name="second")
    slice_node = scene.AddNewNodeByClass("vtkMRMLSliceNode")
    panel = open_panel()
    edited = segment(panel, first)
    panel.parameters.inputVolume = second
    if way == "result again":
        panel.parameters.outputSegmentation = segment(panel, second)
    panel.ui.segmentButton.click()
    panel.widget.exit()
    panel.parent.isEntered = False
    load(first)
    edited.GetDisplayNode().SetVisibility(True)
    second.GetDisplayNode().SetAutoWindowLevel(True)
    slice_node.JumpSliceByCentering(1, 2, 3)
    if way == "a scene is imported":
        scene.StartState(scene.ImportState)
        scene.EndState(scene.ImportState)
    panel.finish()
    result = panel.parameters.result
    assert result.GetName() == "second organs"
    assert backgrounds(composites) == {"first"} and visible() == {"first organs"}
    assert second.GetDisplayNode().GetAutoWindowLevel()
    assert slice_node.GetSliceToRAS().GetElement(0, 3) == 1
    panel.parent.isEntered = True
    panel.widget.enter()
    assert panel.parameters.result is result
    assert backgrounds(composites) == {"second"} and visible() == {"second organs"}
    assert second.GetDisplayNode().GetLevel() == 40
    assert slice_node.GetSliceToRAS().GetElement(0, 3) != 1
    assert panel.ui.segmentStatus.text.startswith("Done in")


def test_after_a_run_the_organs_are_in_view(scene, add_volume, open_panel):
    volume = add_volume()
    slice_node = scene.AddNewNodeByClass("vtkMRMLSliceNode")
    panel = open_panel()
    display = volume.GetDisplayNode()
    assert display.GetAutoWindowLevel()
    result = segment(panel, volume)
    assert (display.GetWindow(), display.GetLevel()) == (400, 40)
    bounds = [0.0] * 6
    result.GetRASBounds(bounds)
    to_ras = slice_node.GetSliceToRAS()
    assert [to_ras.GetElement(axis, 3) for axis in range(3)] == pytest.approx(
        np.reshape(bounds, (3, 2)).mean(axis=1), abs=1e-3)
    display.SetWindowLevel(1500, -500)
    segment(panel, volume)
    assert (display.GetWindow(), display.GetLevel()) == (1500, -500)
    view = slicer.app.layoutManager().threeDWidget(0)
    view.calls.clear()
    panel.ui.show3DButton.click()
    panel.settle(0.02)
    assert view.calls[:2] == ["focal point", (True, False, False)]
    assert view.calls[2] == pytest.approx(bounds)  # the other segmentation is hidden


def test_tabs_are_painted_when_they_are_laid_out(add_volume, open_panel):
    """Slicer's module panel takes some rounds of the event loop to become higher."""
    add_volume()
    panel = open_panel()
    panel.settle(0.2)
    assert panel.ui.tabs.updatesEnabled
    page = panel.ui.segmentPage
    page.maximumHeight = 10  # less than its contents need
    panel.panel.results.update()
    panel.settle(0.3)
    assert not panel.ui.tabs.updatesEnabled
    page.maximumHeight = 10000
    panel.wait(lambda: panel.ui.tabs.updatesEnabled)
