"""A job from its first file to its end, with an engine that says what the test tells it to."""

from __future__ import annotations

import os
import time

import pytest

from fake_engine import FakeEngine
from MetaUNETRSegmentLib import job as jobs
from MetaUNETRSegmentLib.job import Cancelled, Job, SegmentationError

STAGE = {"event": "stage", "stage": "network"}


@pytest.fixture
def start(scene, monkeypatch, tmp_path):
    """Starts a job on a scripted engine; returns both."""
    monkeypatch.setattr(jobs.tempfile, "gettempdir", lambda: str(tmp_path))

    def start(*script, **kwargs):
        fake = FakeEngine(*script)
        monkeypatch.setattr("MetaUNETRSegmentLib.engine.startEngine", fake)
        return Job(["segment"], **kwargs), fake
    return start


def test_a_finished_job_has_what_finish_made_of_its_files(start):
    def engine(folder):
        (folder / "out").write_text((folder / "in").read_text() + " segmented")
        return [STAGE]

    events = []
    job, fake = start([], engine, prepare=lambda folder: (folder / "in").write_text("CT"),
                      finish=lambda job, folder: (folder / "out").read_text(),
                      progress=events.append)
    assert job.wait() == job.result == "CT segmented"
    assert job.state == "finished"
    assert events == [STAGE, {"event": "finished", "result": "CT segmented"}]
    assert not fake.folder.exists()


@pytest.mark.parametrize(("script", "sentence"), [
    ([[{"event": "error", "text": "CT: is no CT.", "exit_code": 3}], 3], "CT: is no CT."),
    ([[{"event": "log", "text": "Segmentation fault"}], -11], "unexpectedly (exit code -11)"),
    ([-9], "memory ran out"),
    ([137], "memory ran out"),
])
def test_an_engine_that_fails_is_explained(start, script, sentence):
    job, fake = start(*script)
    with pytest.raises(SegmentationError) as caught:
        job.wait()
    assert sentence in str(caught.value)
    assert sentence in caught.value.log
    assert job.state == "failed"
    assert not fake.folder.exists()


def test_the_engines_sentences_name_what_people_know(start):
    events = []
    job, _ = start([{"event": "warning", "text": "ct.nrrd: is short."}],
                   [{"event": "error", "text": "ct.nrrd: is no CT.", "exit_code": 3}], 3,
                   names={"ct.nrrd": "Patient"}, progress=events.append)
    with pytest.raises(SegmentationError, match=r"^Patient: is no CT\.$"):
        job.wait()
    assert events[0]["text"] == "Patient: is short."


def test_an_engine_that_ends_without_a_result_is_an_error(start):
    job, _ = start(0, finish=lambda job, folder: job.last["result"])
    with pytest.raises(SegmentationError, match="result could not be put into the scene"):
        job.wait()


def test_what_finish_raises_is_an_error_with_its_traceback_in_the_log_only(start):
    def finish(job, folder):
        raise ValueError("The grid differs.")

    job, _ = start(finish=finish)
    with pytest.raises(SegmentationError, match=r"^The grid differs\.$") as caught:
        job.wait()
    assert "Traceback" in caught.value.log


@pytest.mark.parametrize("error", [ValueError("no image"), OSError("disk full")])
def test_inputs_that_cannot_be_prepared_leave_no_folder(start, tmp_path, error):
    def prepare(folder):
        raise error

    with pytest.raises(SegmentationError, match=str(error)):
        start(prepare=prepare)
    assert not list(tmp_path.glob("MetaUNETR-*"))


def test_cancelling_stops_the_engine_and_says_so_once(start):
    events = []
    job, fake = start([STAGE], [], [], progress=events.append)
    job.poll()
    job.cancel()
    job.cancel()
    assert fake.stopped
    assert events == [STAGE, {"event": "cancelled", "text": "Cancelled."}]
    assert job.poll() is False
    with pytest.raises(Cancelled):
        job.wait()
    assert not fake.folder.exists()


def test_progress_may_cancel_from_within(start):
    events = []

    def progress(event):
        events.append(event["event"])
        if event["event"] == "stage":
            job.cancel()

    job, _ = start([STAGE, STAGE, STAGE], progress=progress)
    assert job.poll() is False
    assert events == ["stage", "cancelled"]


def test_what_progress_raises_cancels_the_job(start):
    def progress(event):
        if event["event"] == "stage":
            raise KeyboardInterrupt

    job, fake = start([STAGE], progress=progress)
    with pytest.raises(KeyboardInterrupt):
        job.wait()
    assert fake.stopped
    assert job.state == "cancelled"


@pytest.mark.parametrize("how", ["removed", "scene closed"])
def test_a_job_whose_input_goes_is_cancelled(start, scene, how):
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    job, fake = start([], [], [], needs=(node,))
    assert job.poll()
    scene.RemoveNode(node) if how == "removed" else scene.Clear()
    assert job.poll() is False
    assert fake.stopped
    assert job.state == "cancelled"


def test_folders_left_behind_by_a_crash_are_removed_a_day_later(start, tmp_path):
    old, new = tmp_path / "MetaUNETR-old", tmp_path / "MetaUNETR-new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "ct.nrrd").write_text("CT")
    os.utime(old, (time.time() - 90000,) * 2)
    start()
    assert not old.exists()
    assert new.exists()
