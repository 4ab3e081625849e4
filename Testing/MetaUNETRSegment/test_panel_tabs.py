"""The tabs Correct, Compare and Batch, and the installation before the first run."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from metaunetr import bundle
from MetaUNETRSegmentLib.dependencies import Declined
from slicer_qt.open_panel import HOLD, stages, windows


def rows(table):
    return [[table.item(row, column).text() for column in range(table.columnCount)]
            for row in range(table.rowCount)]


# Correct


def choose_segmentation(panel):
    panel.parameters.correctSegmentation = panel.parameters.result


def choose_organs(panel):
    choose_segmentation(panel)
    panel.parameters.correctOrgans = ["liver"]


def choose_no_segmentation(panel):
    panel.parameters.correctSegmentation = None


def choose_region(panel):
    choose_organs(panel)
    panel.ui.correctRoiSelector.create()


def test_correct_begins_with_the_result_and_asks_for_one_thing_after_the_other(segmented):
    for choose, reason in (
        (lambda panel: None, "Tick the organs to segment again."),
        (choose_no_segmentation, "Choose the segmentation to correct."),
        (choose_organs, ""),
    ):
        choose(segmented)
        assert segmented.ui.correctHint.text == reason
        assert segmented.ui.correctButton.enabled == (not reason)


@pytest.mark.parametrize("name", ["liver", "Leber"])
def test_a_new_region_is_as_large_as_the_ticked_organs(segmented, name):
    """Smaller than the label map that all organs share, and not filled."""
    import slicer
    import vtk

    volume, node = segmented.parameters.inputVolume, segmented.parameters.result
    node.GetSegmentation().GetSegment("liver").SetName(name)
    choose_region(segmented)
    inside = slicer.util.arrayFromSegmentBinaryLabelmap(node, "liver", volume) > 0
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    toRas = slicer.util.arrayFromVTKMatrix(matrix)
    centres = np.argwhere(inside)[:, ::-1] @ toRas[:3, :3].T + toRas[:3, 3]
    roi, bounds = segmented.parameters.correctRoi, [0.0] * 6
    roi.GetRASBounds(bounds)
    for margin in (centres.min(axis=0) - bounds[::2], bounds[1::2] - centres.max(axis=0)):
        assert np.all((margin >= 10) & (margin < 13))  # mm; at most a voxel more
    assert not roi.GetDisplayNode().GetFillVisibility()
    assert not roi.GetDisplayNode().GetPropertiesLabelVisibility()


def test_the_region_is_shown_in_its_tab_only(segmented):
    tabs = segmented.ui.tabs
    tabs.currentIndex = 1
    choose_region(segmented)
    display = segmented.parameters.correctRoi.GetDisplayNode()
    for tab, shown in ((0, False), (3, False), (1, True)):
        tabs.currentIndex = tab
        assert display.GetVisibility() == shown
    segmented.parameters.correctRoi = None
    assert not display.GetVisibility()
    segmented.parameters.correctRoi = segmented.parameters.roi = display.GetDisplayableNode()
    display.SetVisibility(True)
    tabs.currentIndex = 0
    assert display.GetVisibility()


def test_correct_segments_the_ticked_organs_in_the_region(segmented, engines, scene):
    choose_region(segmented)
    segmented.ui.correctButton.click()
    assert segmented.ui.correctButton.text == "Cancel"
    said = engines.last("segment").arguments
    assert said[said.index("--organs") + 1] == "liver"
    assert not segmented.ui.undoButton.enabled
    before = rows(segmented.ui.resultsTable)[4][2]
    assert engines.last("segment").arguments[0] == "segment"
    segmented.finish()
    assert segmented.ui.correctStatus.text.startswith("Done in")
    row = rows(segmented.ui.resultsTable)[4]
    assert segmented.ui.correctStatus.text.endswith(f"liver: {before} → {row[2]} mL.")
    assert row[5] == "↻"
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 1
    segmented.ui.undoButton.click()
    assert segmented.ui.correctStatus.text == "The correction was undone."
    assert rows(segmented.ui.resultsTable)[4][2:] == [before, row[3], "97 %", ""]
    assert not segmented.ui.undoButton.enabled


def test_without_a_region_the_whole_organ_is_segmented_again(segmented):
    import slicer

    choose_organs(segmented)
    row, node = segmented.panel.results.rows[4], segmented.parameters.result
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        np.zeros((5, 6, 7), np.uint8), node, row.segmentId, segmented.parameters.inputVolume)
    segmented.panel.results.update()
    assert rows(segmented.ui.resultsTable)[4][2:] == ["0.0", "–", "97 %", "✎"]
    segmented.ui.correctButton.click()
    segmented.finish()
    after = rows(segmented.ui.resultsTable)[4]
    assert segmented.ui.correctStatus.text.endswith(f"liver: 0.0 → {row.volumeMl:.1f} mL.")
    assert after[2] == f"{row.volumeMl:.1f}" and after[5] == "↻"


def test_a_cancelled_correction_keeps_the_segmentation(segmented, engines):
    import slicer

    choose_region(segmented)
    row = segmented.panel.results.rows[4]

    def mask():
        return slicer.util.arrayFromSegmentBinaryLabelmap(
            segmented.parameters.result, row.segmentId, segmented.parameters.inputVolume).copy()

    before = mask()
    engines.scripts["segment"] = [windows(2), *HOLD]
    segmented.ui.correctButton.click()
    segmented.settle(0.2)
    segmented.ui.correctButton.click()
    assert segmented.ui.correctStatus.text.startswith("Cancelled.")
    assert np.array_equal(mask(), before)


def other_frame(panel, add_volume):
    import slicer

    slicer.util.arrayFromVolume(panel.parameters.inputVolume)[:] += 9


def other_voxels(panel, add_volume):
    replace_volume(panel, add_volume(np.zeros((12, 20, 24), np.int16), name="other"))


def other_grid(panel, add_volume):
    panel.parameters.result.SetAttribute("MetaUNETR.Voxels", None)  # as of files
    replace_volume(panel, add_volume(ijk_to_ras=np.diag([-2, -2, 2, 1]), name="other"))


def same_volume(panel, add_volume):
    replace_volume(panel, add_volume(name="loaded again"))


def replace_volume(panel, volume):
    panel.parameters.inputVolume.GetScene().RemoveNode(panel.parameters.inputVolume)
    panel.parameters.inputVolume = volume


@pytest.mark.parametrize(("change", "reason", "shown"), [
    (other_frame, "Its volume shows another frame of a sequence", True),
    (other_voxels, "Its volume is not in the scene", False),
    (other_grid, "Its volume is not in the scene", False),
    (same_volume, "", True),
])
def test_correct_takes_no_organs_of_another_ct_or_frame(
        segmented, add_volume, change, reason, shown):
    choose_organs(segmented)
    made = segmented.parameters.result
    change(segmented, add_volume)
    segmented.panel.refresh()
    assert segmented.ui.correctHint.text.startswith(reason)
    assert segmented.ui.correctButton.enabled == (not reason)
    assert made.GetDisplayNode().GetVisibility() == shown
    assert (segmented.parameters.result is made) == shown


# Compare


def scores(folder):
    """What `metaunetr evaluate` writes."""
    measured = [{"organ": "liver", "dice": 0.962, "nsd_2mm": 0.934, "hd95_mm": 4.12,
             "prediction_ml": 1500.0, "reference_ml": 1480.0, "note": ""},
            {"organ": "aorta", "dice": 0.0, "nsd_2mm": 0.0, "hd95_mm": None,
             "prediction_ml": 0.0, "reference_ml": 90.0, "note": "only in the reference"}]
    (folder / "scores.json").write_text(json.dumps(measured), encoding="utf-8")
    return []


@pytest.fixture
def two_results(segmented):
    segmented.ui.segmentButton.click()
    segmented.finish()
    scene = segmented.parameters.result.GetScene()
    nodes = scene.GetNodesByClass("vtkMRMLSegmentationNode")
    segmented.parameters.compareFirst = nodes.GetItemAsObject(0)
    segmented.parameters.compareSecond = nodes.GetItemAsObject(1)
    return segmented


def test_compare_shows_the_scores_of_every_organ(two_results, engines):
    engines.scripts["evaluate"] = [[], scores]
    two_results.ui.compareButton.click()
    two_results.finish()
    assert rows(two_results.ui.compareTable) == [
        ["liver", "0.962", "0.934", "4.1"], ["aorta", "–", "–", "–"],
        ["mean of 1", "0.962", "0.934", "4.1"]]
    assert two_results.ui.compareTable.item(1, 0).toolTip() == "only in the reference"


def segment_again(panel, scene):
    panel.ui.segmentButton.click()
    panel.finish()


def choose_other_pair(panel, scene):
    parameters = panel.parameters
    parameters.compareFirst, parameters.compareSecond = (
        parameters.compareSecond, parameters.compareFirst)


@pytest.mark.parametrize("change", [
    segment_again, choose_other_pair, lambda panel, scene: scene.Clear(False)])
def test_scores_of_another_pair_go(two_results, engines, scene, change):
    engines.scripts["evaluate"] = [scores]
    two_results.ui.compareButton.click()
    two_results.finish()
    assert two_results.ui.compareStatus.text.startswith("Done in")
    change(two_results, scene)
    assert rows(two_results.ui.compareTable) == []
    assert not two_results.ui.compareTable.visible
    assert not two_results.ui.compareStatus.text


def test_a_comparison_ends_with_its_own_pair(two_results, engines, scene):
    pair = two_results.parameters.compareFirst, two_results.parameters.compareSecond
    engines.scripts["evaluate"] = [[], [], scores]
    two_results.ui.compareButton.click()
    choose_other_pair(two_results, scene)
    two_results.finish()
    assert (two_results.parameters.compareFirst, two_results.parameters.compareSecond) == pair
    assert len(rows(two_results.ui.compareTable)) == 3
    assert two_results.ui.compareStatus.text.startswith("Done in")


def test_the_difference_becomes_a_segmentation(two_results, scene):
    import slicer

    shown = two_results.parameters.compareFirst
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(
        shown, two_results.panel.results.rows[0].segmentId, two_results.parameters.inputVolume)
    mask = mask.copy()
    mask[:6] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        mask, shown, two_results.panel.results.rows[0].segmentId,
        two_results.parameters.inputVolume)
    two_results.ui.tabs.currentIndex = 2
    two_results.ui.differenceButton.click()
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 3
    assert "against" in two_results.ui.compareStatus.text
    pair = two_results.parameters.compareFirst, two_results.parameters.compareSecond
    for shown in (True, False):
        assert two_results.ui.differenceLegend.visible == shown
        for node in pair:
            assert f"only in {node.GetName()}" in two_results.ui.differenceLegend.text
        difference = scene.GetFirstNodeByName(two_results.panel.compare.difference.GetName())
        assert [node.GetDisplayNode().GetVisibility() for node in (difference, pair[1])] == [
            shown, not shown]
        two_results.ui.differenceButton.click()


def test_compare_needs_two_segmentations(two_results):
    parameters = two_results.parameters
    for second, reason in ((None, "Choose two segmentations."),
                           (parameters.compareFirst, "Choose two different segmentations.")):
        parameters.compareSecond = second
        assert two_results.ui.compareButton.toolTip == reason
        assert two_results.ui.differenceButton.toolTip == reason
        assert not two_results.ui.compareButton.enabled


# Batch


def case(index, state, **more):
    return {"event": "case", "index": index, "name": f"case {index}", "state": state,
            "line": f"case {index} {state}", **more}


def cases(count, folder="/data"):
    return {"event": "cases", "total": count, "line": f"{count} cases.", "left_out": [],
            "cases": [{"name": f"case {n}", "input": f"{folder}/{n}.nii.gz"}
                      for n in range(count)]}


def summary(**counts):
    return [{"event": "summary", "line": "3 cases: 1 done, 1 finished before, 1 failed, in 9 s.",
             **counts}]


@pytest.fixture
def batch(panel, tmp_path):
    panel.parameters.batchInput = str(tmp_path)
    panel.parameters.batchOutput = str(tmp_path / "out")
    return panel


def test_batch_asks_for_its_folders(panel):
    for folder, output, reason in (
        ("", "/out", "Choose the folder with the CTs."),
        ("/does/not/exist", "/out", "does not exist: /does/not/exist"),
        ("/", "", "Choose the folder for the results."),
    ):
        panel.parameters.batchInput, panel.parameters.batchOutput = folder, output
        assert not panel.ui.batchButton.enabled
        assert reason in panel.ui.batchHint.text


def test_batch_shows_each_case_as_it_goes(batch, engines):
    engines.scripts["batch"] = [
        [cases(3), case(0, "running"), case(1, "running", remaining_s=90.0)],
        [event | {"case": index} for index, event in (
            (1, stages("read")[0]), (1, windows(0)[0]), (1, windows(24)[0]),
            (0, stages("write")[0]), (0, {"event": "warning", "text": "It is tilted."}))],
        [case(0, "done", seconds=9.0, flags=[], remaining_s=61.0)], *HOLD]
    batch.ui.batchButton.click()
    batch.wait(lambda: rows(batch.ui.batchTable)[:1] == [["case 0", "done", "9 s", ""]])
    text = batch.ui.batchStatus.text
    assert text.startswith("Case 2 of 3, case 1. Segmenting: window 24 of 48")
    assert text.endswith(" · all cases: 1 min 01 s left")
    assert [row[1] for row in rows(batch.ui.batchTable)] == ["done", "running", "waiting"]
    assert 33 < batch.ui.batchProgress.value < 67
    assert batch.ui.batchNotice.text == "case 0: It is tilted."


def test_batch_lists_failed_cases_and_continues(batch, engines):
    engines.scripts["batch"] = [
        [cases(3), case(0, "skipped", flags=[]),
         case(1, "failed", seconds=0.4, text="1.nii.gz: is not a NIfTI file.")],
        [case(2, "done", seconds=8.6, flags=["liver: touches the border", "liver: odd"],
              doubts=["liver: odd"])],
        summary(done=1, skipped=1, failed=1), 7]
    batch.ui.batchButton.click()
    batch.finish()
    assert rows(batch.ui.batchTable) == [  # failures first
        ["case 1", "failed", "0.4 s", ""], ["case 0", "there already", "", ""],
        ["case 2", "done", "8.6 s", "⚠ 1"]]
    assert batch.ui.batchTable.item(0, 0).foreground().color().name() == "#cd3232"
    assert "case 1: 1.nii.gz: is not a NIfTI file." in batch.ui.batchNotice.text
    assert batch.ui.batchStatus.text == "3 cases: 1 done, 1 finished before, 1 failed, in 9 s."


def test_the_overview_and_the_folder_of_a_batch_can_be_opened(batch, monkeypatch, tmp_path):
    import qt

    opened = []
    monkeypatch.setattr(qt.QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    buttons = batch.ui.batchOverviewButton, batch.ui.batchFolderButton
    assert not any(button.enabled for button in buttons)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "index.html").touch()
    batch.panel.refresh()
    for button in buttons:
        button.click()
    assert opened == [f"file://{tmp_path}/out/index.html", f"file://{tmp_path}/out"]


def test_batch_takes_the_choices_of_segment(batch, engines, tmp_path):
    engines.scripts["batch"] = HOLD
    batch.parameters.skippedOrgans = [
        organ.name for organ in bundle.find().classes if organ.name not in ("spleen", "liver")]
    batch.ui.batchSurfacesCombo.currentIndex = 1
    batch.ui.batchButton.click()
    from metaunetr.cli import parser

    arguments = engines.last("batch").arguments
    assert parser().parse_args(arguments).resume
    said = " ".join(arguments)
    for text in (f"--input {tmp_path} --output {tmp_path}/out", "--format seg.nrrd",
                 "--surfaces stl", "--resume",
                 "--organs spleen liver", "--json-progress"):
        assert text in said
    assert "--statistics" not in arguments  # organs.csv has them


def test_a_cancelled_batch_keeps_what_is_done(batch, engines):
    engines.scripts["batch"] = [[cases(2), case(0, "done", seconds=1.0, flags=[])], *HOLD]
    batch.ui.batchButton.click()
    batch.wait(lambda: batch.ui.batchTable.rowCount)
    batch.ui.batchButton.click()
    assert engines.last("batch").stopped
    assert batch.ui.batchStatus.text == "Cancelled. The cases that were done are kept."


def test_a_click_loads_a_case_with_its_result(batch, engines, tmp_path, monkeypatch, scene):
    import SimpleITK as sitk
    import slicer

    from MetaUNETRSegmentLib import ownership

    image = sitk.GetImageFromArray(np.zeros((10, 12, 14), np.int16))
    image.SetOrigin((5.0, -7.0, 11.0))
    sitk.WriteImage(image, str(tmp_path / "0.nii.gz"))

    def load(path):
        assert path == "/out/0.seg.nrrd"
        return scene.AddNewNodeByClass("vtkMRMLSegmentationNode")

    monkeypatch.setattr(slicer.util, "loadSegmentation", load, raising=False)
    engines.scripts["batch"] = [
        [cases(1, tmp_path), case(0, "done", seconds=1.0, flags=[], output="/out/0.seg.nrrd")],
        summary(done=1, skipped=0, failed=0)]
    other = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")  # of another patient
    other.CreateDefaultDisplayNodes()
    ownership.markNode(other)
    batch.ui.tabs.currentIndex = 3
    batch.ui.batchButton.click()
    batch.finish()
    batch.ui.batchTable.cellClicked.emit(0, 0)
    assert batch.ui.tabs.currentIndex == 3
    assert not other.GetDisplayNode().GetVisibility()
    volume = batch.parameters.inputVolume
    assert volume.GetName() == "case 0"
    assert volume.GetOrigin() == pytest.approx((-5.0, 7.0, 11.0))
    assert batch.parameters.result.GetName() == "case 0 organs"
    (tmp_path / "0.nii.gz").unlink()
    batch.ui.batchTable.cellClicked.emit(0, 0)
    assert "case 0 cannot be loaded" in batch.ui.batchNotice.text


# Installation


@pytest.fixture
def lacking(monkeypatch, panel):
    """Two packages are missing; `agree` says whether people let them be installed."""
    from MetaUNETRSegmentLib import dependencies

    state = SimpleNamespace(missing=["torch>=2.4", "safetensors>=0.4"], error=None, asked=0)

    def ensure():
        state.asked += 1
        if state.error:
            raise state.error
        state.missing = []

    monkeypatch.setattr(dependencies, "missing", lambda: state.missing)
    monkeypatch.setattr(dependencies, "ensure", ensure)
    panel.widget.enter()
    return state


def test_the_first_run_installs_missing_packages_and_continues(panel, lacking, engines):
    assert panel.ui.installFrame.visible
    assert "torch>=2.4, safetensors>=0.4" in panel.ui.installLabel.text
    assert panel.ui.segmentButton.enabled
    panel.ui.segmentButton.click()
    assert lacking.asked == 1
    assert not panel.ui.installFrame.visible
    panel.finish()
    assert panel.ui.resultsTable.rowCount == 8


def test_an_installation_can_be_declined(panel, lacking, engines):
    lacking.error = Declined("Nothing was installed. You will be asked again.")
    panel.ui.segmentButton.click()
    assert "Nothing was installed" in panel.ui.segmentNotice.text
    assert panel.ui.segmentButton.text == "Segment"
    assert not [e for e in engines.started if e.arguments[0] == "segment"]


def test_install_without_a_run(panel, lacking):
    lacking.error = Declined("Nothing was installed. You will be asked again.")
    panel.ui.installButton.click()
    assert panel.ui.installLabel.text == "Nothing was installed. You will be asked again."
    panel.ui.segmentButton.click()
    assert panel.ui.segmentNotice.visible
    lacking.error = None
    panel.ui.installButton.click()
    assert panel.ui.segmentStatus.text == "Everything is installed."
    assert not panel.ui.segmentNotice.visible
    assert not panel.ui.installFrame.visible


def test_without_simpleitk_the_panel_says_so_and_installs_it(
        scene, engines, open_panel, monkeypatch):
    """The import of the other parts fails then."""
    from MetaUNETRSegmentLib import dependencies

    missing = ["SimpleITK>=2.4"]
    monkeypatch.setattr(dependencies, "missing", lambda: list(missing))
    monkeypatch.setattr(dependencies, "ensure", missing.clear)
    with monkeypatch.context() as broken:
        broken.setitem(sys.modules, "MetaUNETRSegmentLib.panel", None)
        panel = open_panel()
    reloads = []
    monkeypatch.setattr(panel.widget, "onReload", lambda: reloads.append(list(missing)))
    assert "SimpleITK>=2.4" in panel.ui.installLabel.text
    assert panel.ui.installFolderButton.enabled
    assert not panel.ui.tabs.visible
    panel.widget.enter()
    panel.widget.exit()
    panel.ui.installButton.click()
    panel.wait(lambda: reloads == [[]])


@pytest.mark.parametrize(("error", "missing", "text"), [
    (None, [], "Everything is installed."),
    ("wheels does not hold torch.", ["torch>=2.4"], "wheels does not hold torch."),
])
def test_installing_from_a_folder_is_followed(panel, lacking, monkeypatch, error, missing, text):
    from MetaUNETRSegmentLib import dependencies

    class Installation:
        def __init__(self, folder, output):
            self.output, self.error, self.polls = output, None, 0

        def poll(self):
            self.polls += 1
            self.output(f"Processing wheel {self.polls}")
            if self.polls == 3:
                lacking.missing, self.error = missing, error
            return self.polls < 3

    monkeypatch.setattr(dependencies, "installFromFolder", Installation)
    panel.panel.install.installFrom("/wheels")
    panel.wait(lambda: "Processing wheel" in panel.ui.installLabel.text)
    assert not panel.ui.installFolderButton.enabled
    panel.wait(lambda: panel.panel.install.installation is None)
    assert text in panel.ui.installLabel.text + panel.ui.segmentStatus.text
    assert panel.ui.installFrame.visible == bool(missing)
    assert "Processing wheel 2" in panel.ui.logText.plainText


def test_the_command_for_a_connected_computer_can_be_copied(panel, lacking, monkeypatch):
    import slicer

    from MetaUNETRSegmentLib import dependencies

    monkeypatch.setattr(dependencies, "downloadCommand", lambda: "python -m pip download torch")
    panel.ui.installCommandButton.click()
    assert slicer.app.clipboard().text() == "python -m pip download torch"
