"""Running the engine from the panel: estimate, progress, end, failure and cancel."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from slicer_qt.open_panel import GOOD_RUN, HOLD, result, stages, windows


def nodes(scene):
    return [scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())]


def start(panel, engines, *script):
    """Presses Segment with an engine that follows this script, and waits until it is done."""
    engines.scripts["segment"] = list(script)
    panel.ui.segmentButton.click()
    panel.wait(lambda: not panel.panel.runner.running
               or len(engines.last("segment").script) < len(HOLD))


def test_the_estimate_is_measured_once_and_shown_beside_the_button(panel, engines):
    panel.wait(lambda: panel.ui.segmentHint.text.startswith("CT: about"))
    assert panel.ui.segmentHint.text == "CT: about 9 s, 0.8 GB"
    assert panel.ui.segmentButton.text == "Segment"
    assert panel.ui.segmentButton.enabled
    assert not panel.ui.segmentProgress.visible
    start(panel, engines, *GOOD_RUN)
    panel.finish()
    assert panel.ui.segmentHint.text == "CT: about 9 s, 0.8 GB"
    assert [engine.arguments[0] for engine in engines.started] == ["estimate", "segment"]
    said = engines.last("segment").arguments
    assert said[said.index("--network-seconds") + 1] == "6.1"  # not measured again
    panel.ui.roiSelector.create()  # the model sees the whole volume
    panel.settle(0.1)
    assert panel.ui.segmentHint.text == "CT: about 9 s, 0.8 GB"


def test_a_run_before_the_estimate_measures_it(panel, engines):
    assert panel.ui.segmentHint.text == "CT"
    estimate = {"event": "estimate", "seconds": 7, "network_s": 5, "memory_mb": 900}
    start(panel, engines, [estimate], *GOOD_RUN)
    panel.finish()
    panel.settle(0.1)
    assert panel.ui.segmentHint.text == "CT: about 1 s, 0.9 GB"  # what it took
    assert "--network-seconds" not in engines.last("segment").arguments
    panel.parameters.overlap = 0.5
    panel.wait(lambda: panel.ui.segmentHint.text == "CT: about 9 s, 0.8 GB")


def test_devices_of_the_engine_can_be_chosen(panel):
    panel.wait(lambda: panel.ui.segmentHint.text.startswith("CT: about"))
    labels = [panel.ui.deviceCombo.itemText(row) for row in range(panel.ui.deviceCombo.count)]
    assert labels == ["Automatic", "CPU", "NVIDIA RTX 4090 (24 GB)"]
    panel.ui.deviceCombo.currentIndex = 2
    assert panel.parameters.device == "cuda:0"


@pytest.mark.parametrize(("events", "status", "least"), [
    (stages("read", "model"), "Loading the model …", 4),
    (windows(24), "Segmenting: window 24 of 48", 50),
    (stages("network", "restore"), "Restoring the resolution …", 90),
])
def test_a_run_shows_how_far_it_is(panel, engines, events, status, least):
    start(panel, engines, events, *HOLD)
    assert panel.ui.segmentStatus.text.startswith(status)
    assert panel.ui.segmentProgress.visible
    assert panel.ui.segmentProgress.value >= least
    assert panel.ui.segmentButton.text == "Cancel"
    assert panel.ui.segmentHint.text == "CT"


@pytest.mark.parametrize(("seconds", "left"), [(4, "5 s"), (60, "1 s")])
def test_before_the_first_window_the_estimate_is_counted_down(panel, monkeypatch, seconds, left):
    from MetaUNETRSegmentLib.panel import progress

    now = 100.0
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now))
    run = progress.Progress()
    for event in ({"event": "estimate", "seconds": 9.2}, *stages("network")):
        run.take(event)
    now += seconds
    assert run.text() == f"Segmenting, {left} left"


def test_the_bar_moves_between_windows(panel, monkeypatch):
    """A third of the time that the network needs is a third of its part of the bar."""
    from MetaUNETRSegmentLib.panel import progress

    now = 100.0
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now))
    run, shares = progress.Progress(), []
    for event in ({"event": "estimate", "seconds": 12}, *stages("network")):
        run.take(event)
    for second in range(12):
        now = 100.0 + second
        if second in (6, 11):  # windows come in batches
            run.take(windows(4 if second == 6 else 8, 8)[0])
        run.advance()
        shares.append(run.share)
    assert all(0.02 < later - before < 0.12
               for before, later in pairwise(shares))
    assert shares[4] == pytest.approx(0.16 + 0.74 / 3, abs=0.01)
    assert shares[-1] <= 0.9


def test_the_search_for_cts_shows_its_progress(panel):
    from MetaUNETRSegmentLib.panel.progress import Progress

    run = Progress()
    assert run.take({"event": "stage", "stage": "search", "detail": "1,957 files, 13 CTs"})
    assert run.text() == "Searching for CTs: 1,957 files, 13 CTs …"
    assert run.take({"event": "stage", "stage": "model"})
    assert run.text() == "Loading the model …"


def test_a_finished_run_shows_its_result_and_its_duration(panel, engines):
    start(panel, engines, *GOOD_RUN)
    panel.finish()
    assert panel.ui.segmentStatus.text.startswith("Done in ")
    assert panel.ui.segmentStatus.text.endswith("on CPU.")
    assert panel.ui.segmentButton.text == "Segment"
    assert not panel.ui.segmentProgress.visible
    assert panel.ui.resultsTable.rowCount == 8
    assert panel.parameters.result.GetName() == "CT organs"
    assert panel.parameters.outputSegmentation is None  # the next run makes another one


def test_warnings_are_sentences_in_the_panel(panel, engines):
    text = "The GPU ran out of memory: <stitching> on the CPU."
    start(panel, engines, [{"event": "warning", "text": text}, {"event": "unknown"}], *GOOD_RUN)
    panel.finish()
    assert "&lt;stitching&gt; on the CPU." in panel.ui.segmentNotice.text
    assert panel.ui.segmentNotice.visible


@pytest.mark.parametrize(("script", "sentence"), [
    ([[{"event": "error", "text": "CT: the HU are not those of a CT."}], 3],
     "CT: the HU are not those of a CT."),
    ([stages("read"), 1], "The engine stopped unexpectedly (exit code 1)"),
    ([stages("read"), -9], "probably because memory ran out"),
    ([stages("read"), 0], ""),  # ends well, but without a result
])
def test_an_engine_that_fails_leaves_a_sentence_and_the_scene(
        panel, engines, scene, script, sentence):
    before = nodes(scene)
    start(panel, engines, *script)
    panel.finish()
    assert sentence in panel.ui.segmentNotice.text
    assert panel.ui.segmentNotice.visible
    assert "Traceback" not in panel.ui.segmentNotice.text
    assert panel.ui.segmentButton.text == "Segment"
    assert panel.ui.segmentButton.enabled
    assert not panel.ui.segmentProgress.visible
    assert nodes(scene) == before
    assert panel.ui.logText.plainText  # with the details


def test_an_engine_that_cannot_start_is_told(panel, monkeypatch):
    def fail(arguments, folder):
        raise FileNotFoundError("PythonSlicer was not found; install Slicer again.")

    monkeypatch.setattr("MetaUNETRSegmentLib.engine.startEngine", fail)
    panel.ui.segmentButton.click()
    assert "install Slicer again" in panel.ui.segmentNotice.text
    assert panel.ui.segmentButton.text == "Segment"


def test_cancel_stops_the_engine_and_leaves_the_scene(panel, engines, scene):
    before = nodes(scene)
    start(panel, engines, [{"event": "warning", "text": "old"}], windows(30), *HOLD)
    panel.ui.segmentButton.click()
    assert engines.last("segment").stopped
    assert not engines.last("segment").folder.exists()
    assert panel.ui.segmentStatus.text == "Cancelled. The scene is as it was before."
    assert panel.ui.segmentButton.text == "Segment"
    assert nodes(scene) == before
    start(panel, engines, stages("read"), *HOLD)
    assert panel.ui.segmentProgress.value < 10
    assert not panel.ui.segmentNotice.visible


def test_a_run_on_each_of_two_volumes(panel, engines, add_volume):
    for node in (add_volume(name="first"), add_volume(name="second")):
        panel.parameters.inputVolume = node
        start(panel, engines, *GOOD_RUN)
        panel.finish()
        assert panel.parameters.result.GetName() == f"{node.GetName()} organs"


def test_after_a_run_into_an_edited_result_it_is_said_what_was_kept(panel, engines):
    start(panel, engines, *GOOD_RUN)
    panel.finish()
    first = panel.parameters.result
    for key in ("liver", "spleen"):
        first.GetSegmentation().GetSegment(key).SetColor(1, 1, 1)
    panel.parameters.outputSegmentation = first
    start(panel, engines, *GOOD_RUN)
    panel.finish()
    assert panel.ui.segmentStatus.text.endswith(
        " 2 edited segments were kept; the new ones are called spleen (2), liver (2).")


def test_a_result_takes_no_organs_of_another_ct_or_frame(panel, engines, add_volume):
    import slicer

    from MetaUNETRSegmentLib.job import SegmentationError

    start(panel, engines, *GOOD_RUN)
    panel.finish()
    volume, first = panel.parameters.inputVolume, panel.parameters.result
    panel.parameters.outputSegmentation = first
    slicer.util.arrayFromVolume(volume)[:] += 9  # the next frame
    start(panel, engines, *GOOD_RUN)
    assert "CT organs was not made from CT as it is now" in panel.ui.segmentNotice.text
    other = add_volume(np.zeros((12, 20, 24), np.int16), name="other")
    with pytest.raises(SegmentationError, match="CT organs was not made from other"):
        panel.widget.logic.segment(other, first)
    assert len([each for each in engines.started if each.arguments[0] == "segment"]) == 1
    panel.parameters.inputVolume = other
    assert panel.parameters.outputSegmentation is None
    start(panel, engines, *GOOD_RUN)
    panel.finish()
    assert panel.parameters.result.GetName() == "other organs"


def test_a_run_goes_on_when_another_volume_is_chosen(panel, engines, add_volume):
    start(panel, engines, windows(1), *[[]] * 3, result)
    panel.parameters.inputVolume = add_volume(name="other")
    assert panel.ui.segmentButton.text == "Cancel"
    panel.finish()
    assert panel.parameters.result.GetName() == "CT organs"


def test_closing_the_scene_stops_the_run(panel, engines, scene):
    start(panel, engines, windows(3), *HOLD)
    for button in (panel.ui.correctButton, panel.ui.compareButton, panel.ui.batchButton):
        assert not button.enabled
        assert button.toolTip == "Another run is going on: wait until it is done, or cancel it."
    scene.Clear(False)
    panel.settle()
    assert engines.last("segment").stopped
    assert panel.ui.segmentStatus.text == "Stopped: the scene was closed."
    assert not panel.ui.segmentButton.enabled
    assert panel.ui.segmentButton.toolTip == "Choose a volume first."


def test_removing_the_input_stops_the_run(panel, engines, scene):
    start(panel, engines, windows(3), *HOLD)
    scene.RemoveNode(panel.parameters.inputVolume)
    panel.finish()
    assert engines.last("segment").stopped
    assert "input was closed or removed" in panel.ui.segmentStatus.text


def test_the_panel_goes_with_its_run(panel, engines):
    start(panel, engines, windows(3), *HOLD)
    panel.widget.cleanup()
    assert engines.last("segment").stopped


def test_the_log_holds_what_happened_and_the_report_the_record(panel, engines):
    import slicer

    start(panel, engines, *GOOD_RUN)
    panel.finish()
    assert "metaunetr segment" in panel.ui.logText.plainText
    panel.ui.copyReportButton.click()
    report = slicer.app.clipboard().text()
    assert "MetaUNETR" in report
    assert '"model": "abdomen13-2mm"' in report
    assert "finished" in report


def test_what_was_said_of_another_volume_or_scene_goes(panel, engines, scene, add_volume):
    script = [{"event": "error", "text": "MR: these are no Hounsfield units."}], 3
    start(panel, engines, *script)
    panel.finish()
    assert panel.ui.segmentNotice.visible
    panel.parameters.inputVolume = add_volume(name="other")
    assert not panel.ui.segmentNotice.visible
    start(panel, engines, [{"event": "warning", "text": "thick slices"}], *GOOD_RUN)
    panel.finish()
    assert panel.ui.segmentNotice.text == "thick slices"
    scene.Clear(False)
    panel.settle()
    assert not panel.ui.segmentNotice.visible
    assert not panel.ui.segmentStatus.visible


def test_an_error_on_the_way_into_the_scene_is_not_blamed_on_the_engine(
        panel, engines, monkeypatch):
    def fail(*args, **more):
        raise AttributeError("no such method")

    monkeypatch.setattr("MetaUNETRSegmentLib.segmentation.writeSegmentation", fail)
    start(panel, engines, *GOOD_RUN)
    panel.finish()
    assert "could not be put into the scene (AttributeError: no such" in panel.ui.segmentNotice.text
