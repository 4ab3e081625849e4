"""The tab Adapt, and the button that remembers corrections."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from metaunetr.io.seg_nrrd import write_segments
from metaunetr.organs import BY_NAME
from MetaUNETRSegmentLib import views
from slicer_qt.open_panel import HOLD
from tiny_bundle import ADAPTED, write_bundle
from tiny_dataset import small_case

ADAPT = 4  # index of the tab
LINE = "At most 30 min for 4 trainings, 3.5 GB of memory, 0.6 GB of disk."
ESTIMATE = {"event": "estimate", "seconds": 1800, "trainings": 4, "disk_mb": 600,
            "memory_mb": 3500, "line": ""}


def result(**changes):
    return {"event": "result", "written": True, "line": "", **ADAPTED, **changes}


def kept(folder, name, organs=("liver",), model="abdomen13-2mm"):
    """A remembered correction."""
    place = folder / "Corrections" / name
    place.mkdir(parents=True, exist_ok=True)
    marks = {BY_NAME[organ]: {"MetaUNETR.Model": model} for organ in organs}
    write_segments(place / "ct.seg.nrrd", small_case()[1], marks)
    return place


@pytest.fixture(autouse=True)
def nothing_unfinished():
    import slicer_qt

    slicer_qt.start()
    import slicer

    slicer.app.userSettings().clear()


@pytest.fixture
def three(own_folder, engines):
    for number in range(3):
        kept(own_folder, str(number))
    engines.scripts["adapt --dry-run"] = [[ESTIMATE]]
    return own_folder


@pytest.fixture
def adapt(panel, three):
    """The tab with three remembered corrections."""
    panel.panel.adapt.delay.interval = 0
    panel.parameters.model = "abdomen13-2mm"
    panel.ui.tabs.currentIndex = ADAPT
    panel.wait(lambda: panel.ui.adaptHint.text == LINE)
    return panel


def rows(table):
    return [[table.item(row, column).text() for column in range(table.columnCount)]
            for row in range(table.rowCount)]


def tick(panel, row, on=True):
    import qt

    item = panel.ui.adaptTable.item(row, 0)
    item.setCheckState(qt.Qt.Checked if on else qt.Qt.Unchecked)
    panel.settle()


def erase(panel):
    import slicer

    node, row = panel.parameters.result, panel.panel.results.rows[4]
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(
        node, row.segmentId, panel.parameters.inputVolume).copy()
    mask[:5] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        mask, node, row.segmentId, panel.parameters.inputVolume)
    panel.panel.results.update()


def copy_of(engines, own_folder):
    """What the command `remember` does."""
    def command(folder):
        arguments = engines.last("remember").arguments
        place = own_folder / "Corrections" / arguments[arguments.index("-o") + 1]
        place.mkdir(parents=True)
        shutil.copy(folder / "ct.seg.nrrd", place)
        return []
    return command


# Remember


def test_after_an_edit_the_results_offer_to_remember_it(segmented, engines, own_folder):
    ui = segmented.ui
    assert not ui.rememberButton.visible
    erase(segmented)
    assert ui.rememberButton.visible and ui.rememberButton.text == "Remember this correction"
    engines.scripts["remember"] = [[], copy_of(engines, own_folder)]
    ui.rememberButton.click()
    assert not ui.rememberButton.enabled
    segmented.wait(lambda: ui.rememberButton.text == "Forget this correction")
    assert ui.resultsStatus.text.startswith("Remembered: liver. The copy of 0.1 MB is in")
    assert str(own_folder / "Corrections") in ui.resultsStatus.text
    arguments = engines.last("remember").arguments
    assert arguments[:3] == ["remember", "ct.nrrd", "ct.seg.nrrd"]
    ui.rememberButton.click()
    assert ui.rememberButton.text == "Remember this correction"
    assert not list((own_folder / "Corrections").iterdir())


def test_a_correction_that_cannot_be_remembered_says_why(segmented, engines, own_folder):
    erase(segmented)
    engines.scripts["remember"] = [
        [{"event": "error", "text": "ct.nrrd: cannot be written: the disk is full"}], 5]
    segmented.ui.rememberButton.click()
    segmented.wait(lambda: "the disk is full" in segmented.ui.resultsStatus.text)
    assert segmented.ui.resultsStatus.text.startswith("CT: ")
    assert segmented.ui.rememberButton.text == "Remember this correction"


def test_without_an_installation_it_is_said_why_nothing_begins(
        segmented, engines, three, monkeypatch, tmp_path):
    from MetaUNETRSegmentLib import dependencies

    def decline():
        raise dependencies.Declined("Nothing was installed.")

    erase(segmented)
    monkeypatch.setattr(dependencies, "ensure", decline)
    segmented.ui.rememberButton.click()
    assert segmented.ui.resultsStatus.text == "Nothing was installed."
    segmented.ui.tabs.currentIndex = ADAPT
    segmented.parameters.batchInput = segmented.parameters.batchOutput = str(tmp_path)
    adapt = segmented.panel.adapt
    for begin in (lambda: tick(segmented, 0), lambda: adapt.run(adapt.arguments()),
                  segmented.ui.adaptBatchButton.click):
        adapt.strip.clear()
        begin()
        shown = segmented.ui.adaptStatus.text + segmented.ui.adaptNotice.text
        assert shown == "Nothing was installed."
    assert not [each for each in engines.started if each.arguments[0] in ("adapt", "remember")
                and "--dry-run" not in each.arguments]


@pytest.mark.parametrize("others", [0, 1])
def test_a_corrected_file_belongs_to_the_only_volume_with_its_grid(
        segmented, own_folder, scene, tmp_path, add_volume, others):
    erase(segmented)
    segmented.widget.exit()
    made, volume = segmented.parameters.result, segmented.parameters.inputVolume
    storage = scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(tmp_path / "CT.seg.nrrd"))
    assert storage.WriteData(made)
    scene.RemoveNode(made)
    loaded = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "loaded")
    assert storage.ReadData(loaded)
    loaded.CreateDefaultDisplayNodes()
    add_volume(ijk_to_ras=np.diag([-2, -2, 2, 1]), name="on another grid")
    for _ in range(others):
        add_volume(name="on the same grid")
    segmented.widget.enter()
    assert views.volumeOf(loaded) is (None if others else volume)
    assert (segmented.parameters.result is loaded) == (not others)
    assert loaded.GetDisplayNode().GetVisibility() == (not others)
    assert segmented.ui.rememberButton.visible == (not others)


def test_a_case_of_the_scene_is_remembered_when_it_is_ticked(segmented, engines, three):
    erase(segmented)
    segmented.ui.tabs.currentIndex = ADAPT
    table = segmented.ui.adaptTable
    assert rows(table)[0] == ["CT (scene)", "liver"]
    assert table.item(0, 0).toolTip().startswith(segmented.parameters.result.GetName())
    assert not table.item(0, 0).icon().isNull()
    engines.scripts["remember"] = [copy_of(engines, three)]
    tick(segmented, 0)
    segmented.wait(lambda: len(list((three / "Corrections").iterdir())) == 4)
    segmented.wait(lambda: not rows(table)[0][0].endswith("(scene)"))
    assert len(rows(table)) == 4
    assert segmented.ui.adaptStatus.text.startswith("Remembered: liver.")
    segmented.ui.tabs.currentIndex = 0
    assert segmented.ui.rememberButton.text == "Forget this correction"
    assert segmented.ui.rememberButton.enabled


def test_cases_that_are_ticked_one_after_the_other_go_with_the_panel(
        segmented, engines, three, add_volume):
    erase(segmented)
    array = np.random.default_rng(4).normal(50, 20, (12, 20, 24)).astype(np.int16)
    segmented.parameters.inputVolume = add_volume(array, name="other")
    segmented.ui.segmentButton.click()
    segmented.finish()
    erase(segmented)
    engines.scripts["remember"] = HOLD
    segmented.ui.tabs.currentIndex = ADAPT
    for row in (0, 1, 1):
        tick(segmented, row)
    started = [each for each in engines.started if each.arguments[0] == "remember"]
    assert len(started) == 2
    segmented.widget.cleanup()
    assert [each.stopped for each in started] == [True, True]


# Candidates


def test_it_asks_for_what_is_missing(panel, own_folder, engines):
    panel.ui.tabs.currentIndex = ADAPT
    assert panel.ui.adaptHint.text == "Correct organs in Segment Editor, in at least 3 CTs."
    for number in range(2):
        kept(own_folder, str(number))
    panel.panel.adapt.update()
    assert panel.ui.adaptHint.text.startswith("Tick at least 3 cases")
    assert not panel.ui.adaptButton.enabled


def test_the_ticked_cases_are_estimated_and_what_the_command_refuses_is_the_reason(
        adapt, engines):
    assert adapt.ui.adaptButton.enabled
    assert adapt.ui.adaptFolderLabel.text.startswith("3 remembered, 0.1 MB, in")
    tick(adapt, 1, False)
    assert not adapt.ui.adaptButton.enabled
    tick(adapt, 1)
    assert adapt.ui.adaptHint.text == LINE
    text = "all cases must be corrected results of one model: a is of tiny, b of other"
    engines.scripts["adapt --dry-run"] = [[{"event": "error", "text": text}], 3]
    adapt.parameters.adaptMinutes = 60
    adapt.wait(lambda: adapt.ui.adaptHint.text == text)
    assert not adapt.ui.adaptButton.enabled
    arguments = engines.last("adapt --dry-run").arguments
    assert arguments[arguments.index("--max-minutes") + 1] == "60"


def test_a_case_is_forgotten(adapt, three):
    adapt.ui.adaptTable.setCurrentCell(1, 0)
    assert adapt.ui.adaptForgetButton.enabled
    adapt.ui.adaptForgetButton.click()
    assert len(rows(adapt.ui.adaptTable)) == len(list((three / "Corrections").iterdir())) == 2
    assert "was forgotten" in adapt.ui.adaptStatus.text


def test_edited_results_of_a_batch_are_added(adapt, engines, tmp_path):
    found = [{"image": "/in/1.nii.gz", "labels": str(tmp_path / f"{n}.seg.nrrd"),
              "organs": ["liver", "spleen"]} for n in range(2)]
    assert not adapt.ui.adaptBatchButton.enabled
    adapt.parameters.batchInput, adapt.parameters.batchOutput = "/in", str(tmp_path)
    engines.scripts["adapt --dry-run"] = [
        [{"event": "cases", "cases": found, "line": ""}],
        [{"event": "error", "text": "at least 3 corrected CTs are needed"}], 3]
    adapt.ui.adaptBatchButton.click()
    assert engines.last("adapt --dry-run").arguments[1:4] == [str(tmp_path), "--images", "/in"]
    adapt.wait(lambda: len(rows(adapt.ui.adaptTable)) == 5)
    assert rows(adapt.ui.adaptTable)[3] == ["0 (batch)", "liver, spleen"]
    assert adapt.panel.adapt.arguments()[3:7] == [
        found[0]["labels"], found[1]["labels"], "--images", "/in"]
    tick(adapt, 3, False)
    tick(adapt, 4, False)
    assert "--images" not in adapt.panel.adapt.arguments()


# The run


def start(adapt, engines, *script):
    engines.scripts["adapt"] = list(script)
    adapt.ui.adaptButton.click()


def finish(adapt):
    adapt.wait(lambda: not adapt.panel.adapt.runner.running)


STEP = [{"event": "stage", "stage": "train", "line": "Training 2 of 4, 7 min at most."},
        {"event": "progress", "stage": "train", "progress": 0.4, "remaining_s": 1080.0}]


def test_the_run_shows_how_it_goes_while_other_runs_can_begin(adapt, engines, three):
    start(adapt, engines, STEP, *HOLD)
    adapt.wait(lambda: adapt.ui.adaptProgress.value == 40)
    assert adapt.ui.adaptStatus.text == "Training 2 of 4, 7 min at most, 18 min 00 s left at most"
    assert adapt.ui.adaptButton.text == "Cancel"
    assert adapt.panel.adapt.runner.job.log.count("train") == 1  # not each progress
    assert engines.last("adapt").arguments == [
        "adapt", *(row.path for row in adapt.panel.adapt.cases.rows),
        "-o", "abdomen13-2mm-adapted", "--from", "abdomen13-2mm", "--max-minutes", "30",
        "--device", "auto", "--json-progress"]
    assert not adapt.ui.adaptBatchButton.enabled
    adapt.panel.adapt.models.rename("?")
    assert "A name may have letters" in adapt.ui.adaptNotice.text
    assert adapt.ui.adaptButton.text == "Cancel"
    adapt.ui.tabs.currentIndex = 0
    adapt.ui.segmentButton.click()
    adapt.finish()
    assert adapt.ui.segmentStatus.text.startswith("Done in")
    assert adapt.panel.adapt.runner.running


def test_a_better_model_is_shown_with_its_gain_and_can_be_used(adapt, engines, three):
    def written(folder):
        write_bundle(three / "Models" / "abdomen13-2mm-adapted", adapted=ADAPTED,
                     name="abdomen13-2mm-adapted")
        return [result(output=str(three / "Models" / "abdomen13-2mm-adapted"))]

    assert not adapt.ui.adaptModels.visible
    start(adapt, engines, STEP, written)
    finish(adapt)
    assert "0.81 → 0.86" in adapt.ui.adaptStatus.text
    assert rows(adapt.ui.gainTable) == [
        ["liver", "3", "0.810 → 0.864", "0.700 → 0.750"],
        ["mean of organs", "3", "0.810 → 0.864", "0.700 → 0.750"]]
    assert not adapt.ui.adaptUnfinishedFrame.visible
    adapt.ui.adaptUseButton.click()
    assert adapt.parameters.model == "abdomen13-2mm-adapted"
    assert adapt.ui.tabs.currentIndex == 0
    assert adapt.ui.modelCombo.currentText.startswith("abdomen13-2mm-adapted (")


def state_of(three):
    folder = three / "Models" / "abdomen13-2mm-adapted.adapting"
    folder.mkdir(exist_ok=True)
    return folder


def test_a_model_that_is_not_better_is_kept_only_on_request(adapt, engines, three):
    def trained(folder):
        state_of(three)
        return [result(output="x", written=False, reason="mean Dice did not rise")]

    start(adapt, engines, trained, 9)
    finish(adapt)
    assert adapt.ui.adaptStatus.text == "No model was written: mean Dice did not rise."
    assert rows(adapt.ui.gainTable)[0][0] == "liver"
    assert adapt.ui.adaptGoOnButton.text == "Keep the model anyway"
    engines.scripts["adapt"] = HOLD
    adapt.ui.adaptGoOnButton.click()
    assert engines.last("adapt").arguments[-2] == "--keep-anyway"


def test_after_slicer_was_closed_the_run_can_go_on(adapt, engines, three, open_panel):
    def begun(folder):
        state_of(three)
        return STEP

    start(adapt, engines, begun, *HOLD)
    adapt.wait(lambda: adapt.ui.adaptProgress.value == 40)
    before = engines.last("adapt")
    adapt.panel.close()
    assert before.stopped
    again = open_panel()
    assert again.ui.tabs.tabText(ADAPT) == "Adapt (unfinished)"
    again.ui.tabs.currentIndex = ADAPT
    assert again.ui.adaptUnfinishedFrame.visible
    assert "abdomen13-2mm-adapted is unfinished" in again.ui.adaptUnfinishedLabel.text
    again.parameters.model = "other"
    assert again.ui.adaptHint.text.startswith("Choose a model")
    write_bundle(three / "Models" / "other")
    again.panel.refresh()
    assert again.ui.adaptHint.text.startswith("Go on with the unfinished model above")
    again.ui.adaptGoOnButton.click()
    assert engines.last("adapt").arguments == before.arguments
    assert engines.last("adapt") is not before
    again.ui.adaptButton.click()
    assert again.ui.adaptStatus.text.startswith("Cancelled. Press Go on")
    again.ui.adaptDiscardButton.click()
    assert not again.ui.adaptUnfinishedFrame.visible
    assert again.ui.tabs.tabText(ADAPT) == "Adapt"
    assert not (three / "Models" / "abdomen13-2mm-adapted.adapting").exists()


def test_closing_the_scene_does_not_end_the_run(adapt, engines, scene):
    start(adapt, engines, STEP, *HOLD)
    scene.Clear(False)
    adapt.settle(0.1)
    assert adapt.panel.adapt.runner.running


# Models


def test_models_are_renamed_exported_and_deleted(adapt, three, tmp_path):
    write_bundle(three / "Models" / "mine", name="mine", adapted=ADAPTED)
    write_bundle(three / "Models" / "other", name="other")
    adapt.panel.adapt.enter()
    tab = adapt.panel.adapt.models
    adapt.parameters.model = "mine"
    tab.rename("other")
    assert "Another model is called other" in adapt.ui.adaptNotice.text
    tab.rename("clinic")
    assert not adapt.ui.adaptNotice.visible
    assert adapt.ui.adaptModelCombo.currentText == adapt.parameters.model == "clinic"
    (tmp_path / "stick").mkdir()
    tab.export(str(tmp_path / "stick"))
    assert (tmp_path / "stick" / "clinic" / "card.json").is_file()
    assert str(tmp_path / "stick" / "clinic") in adapt.ui.adaptStatus.text
    tab.delete()
    assert not adapt.ui.adaptModels.visible and adapt.parameters.model == "abdomen13-2mm"
    assert rows(adapt.ui.gainTable) == []
    assert not (three / "Models" / "clinic").exists()
