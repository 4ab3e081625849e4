"""The scripting interface with the real engine process: a volume node in, a segmentation out."""

from __future__ import annotations

import random
import subprocess
import sys
import time

import numpy as np
import pytest

import slicer_qt
import tiny_bundle
from metaunetr import phantom
from metaunetr.io import read_labels, write_image
from metaunetr.io.seg_nrrd import read_segments
from metaunetr.organs import BY_NUMBER
from metaunetr.report.palette import shown_colour
from MetaUNETRSegmentLib import core
from MetaUNETRSegmentLib.job import SegmentationError

pytestmark = pytest.mark.slow  # every test runs the engine
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@pytest.fixture
def logic(scene):
    slicer_qt.start()
    from MetaUNETRSegment import MetaUNETRSegmentLogic

    return MetaUNETRSegmentLogic()


@pytest.fixture(scope="module")
def ct():
    return phantom.make(0, spacing=(3.0, 3.0, 4.0)).image


@pytest.fixture
def volume(add_volume, ct):
    return add_volume(ct.array, LPS @ ct.grid.affine, "Phantom")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A model that takes no time, and sees organs everywhere."""
    return str(tiny_bundle.write_bundle(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.fixture
def serialized(scene):
    """The whole scene as text, by the IDs of its nodes."""
    def serialize() -> str:
        scene.SetSaveToXMLString(1)
        scene.Commit()
        return scene.GetSceneXMLString()
    return serialize


def mask(segmentationNode, segmentId, volumeNode):
    import slicer

    return slicer.util.arrayFromSegmentBinaryLabelmap(segmentationNode, segmentId, volumeNode) > 0


def segmentIds(segmentationNode):
    return list(segmentationNode.GetSegmentation().GetSegmentIDs())


def test_the_segments_are_the_command_lines_voxel_for_voxel(logic, volume, ct, tmp_path, scene):
    """With the bundled model, and what the two say about each organ."""
    node = logic.segment(volume)

    write_image(tmp_path / "ct.nrrd", ct)
    subprocess.run([sys.executable, "-m", "metaunetr", "segment", tmp_path / "ct.nrrd",
                    "-o", tmp_path / "organs.seg.nrrd"], check=True,
                   env={"PYTHONPATH": str(core.root()), "PATH": ""})
    expected = read_labels(tmp_path / "organs.seg.nrrd").array
    segments, _ = read_segments(tmp_path / "organs.seg.nrrd")

    assert segmentIds(node) == [segment["id"] for segment in segments]
    assert {"liver", "spleen", "left_kidney", "right_kidney"} <= set(segmentIds(node))
    for segment in segments:
        found = node.GetSegmentation().GetSegment(segment["id"])
        np.testing.assert_array_equal(mask(node, segment["id"], volume),
                                      expected == segment["label"], segment["id"])
        assert found.GetName() == segment["name"]
        assert found.GetTerminology() == segment["tags"]["TerminologyEntry"]
        assert np.allclose(np.array(found.GetColor()) * 255,
                           shown_colour(BY_NUMBER[segment["label"]]))
    assert node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is volume


def test_only_the_organs_that_were_asked_for_are_made(logic, volume, tiny):
    node = logic.segment(volume, organs=["kidneys"], model=tiny)
    assert set(segmentIds(node)) <= {"right_kidney", "left_kidney"}
    assert segmentIds(node)


@pytest.mark.parametrize(("arguments", "sentence"), [
    ({"organs": ["heart"]}, "no organ is called 'heart'"),
    ({"organs": []}, "at least one organ"),
    ({"organs": ["pancreas"]}, "does not know pancreas"),
    ({"model": "none such"}, "No model is called 'none such'"),
    ({"device": "cuda:7"}, "no device 'cuda:7'"),
])
def test_what_cannot_be_done_is_a_sentence_and_changes_nothing(
        logic, volume, tiny, serialized, arguments, sentence):
    before = serialized()
    with pytest.raises(SegmentationError, match=sentence):
        logic.segment(volume, **{"model": tiny, **arguments})
    assert serialized() == before


def test_what_is_no_ct_is_refused_with_the_engines_own_words(logic, add_volume, tiny):
    volume = add_volume(np.random.default_rng(1).random((20, 40, 40)), name="0 to 1")
    with pytest.raises(SegmentationError, match=r"^0 to 1: .*HU"):
        logic.segment(volume, model=tiny)


def test_a_region_of_interest_bounds_the_segments(logic, volume, tiny, scene):
    roi = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    bounds = np.zeros(6)
    volume.GetRASBounds(bounds)
    roi.SetCenter(*bounds.reshape(3, 2).mean(axis=1))
    roi.SetSize(100, 80, 60)
    node = logic.segment(volume, model=tiny, roiNode=roi)
    found = np.zeros(6)
    node.GetRASBounds(found)
    assert (np.ptp(found.reshape(3, 2), axis=1) <= [103, 83, 64]).all()
    assert segmentIds(node)


def test_the_uncertainty_is_a_volume_on_the_same_grid(logic, volume, tiny, scene):
    import slicer

    logic.segment(volume, model=tiny, uncertainty=True)
    node = scene.GetFirstNodeByName("Phantom uncertainty")
    values = slicer.util.arrayFromVolume(node)
    assert values.shape == slicer.util.arrayFromVolume(volume).shape
    assert 0 < values.max() <= 100
    np.testing.assert_allclose(node.GetOrigin(), volume.GetOrigin(), atol=1e-6)
    np.testing.assert_allclose(node.GetSpacing(), volume.GetSpacing(), atol=1e-6)


def test_an_organ_is_corrected_in_a_region_and_kept_elsewhere(logic, volume, tiny, scene):
    """The region gets the labels that a run without a region has there."""
    import slicer

    from MetaUNETRSegmentLib.exchange import snapshot
    from MetaUNETRSegmentLib.roi import insideMask

    node = logic.segment(volume, model=tiny)
    chosen, *others = segmentIds(node)
    wanted = mask(node, chosen, volume)
    kept = {other: mask(node, other, volume) for other in others}
    centre = node.GetSegmentCenterRAS(chosen)
    slicer.util.updateSegmentBinaryLabelmapFromArray(np.zeros_like(wanted, np.uint8), node, chosen,
                                                     volume)
    roi = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    roi.SetCenter(*centre)
    roi.SetSize(60, 60, 40)
    name = BY_NUMBER[next(n for n, organ in BY_NUMBER.items() if organ.key == chosen)].name
    assert logic.correct(volume, node, [name], roi, model=tiny) is node
    whole = tuple((0, size) for size in wanted.shape)
    expected = wanted & insideMask(snapshot(volume), roi, whole)
    assert 0 < expected.sum() < wanted.sum()
    np.testing.assert_array_equal(mask(node, chosen, volume), expected)
    for other in others:
        np.testing.assert_array_equal(mask(node, other, volume), kept[other])


def test_a_segmentation_compared_with_itself_agrees(logic, volume, tiny):
    node = logic.segment(volume, model=tiny)
    rows = logic.compare(node, node)
    assert len(rows) == len(segmentIds(node))
    assert all(row["dice"] == 1 for row in rows)


def test_the_estimate_comes_before_the_run(logic, volume, tiny):
    events = []
    needed = logic.estimate(volume, model=tiny, progress=events.append)
    assert needed["seconds"] > 0
    assert needed["memory_mb"] > 0
    devices = next(event["devices"] for event in events if event["event"] == "devices")
    assert "cpu" in [device["name"] for device in devices]


def test_a_batch_is_that_of_the_command_line(logic, ct, tiny, tmp_path):
    write_image(tmp_path / "ct.nrrd", ct)
    (tmp_path / "bad.nrrd").write_text("no image")
    events = []
    summary = logic.batch(["--input", str(tmp_path), "--output", str(tmp_path / "out"),
                           "--model", tiny], progress=events.append)
    assert (summary["done"], summary["failed"]) == (1, 1)
    assert (tmp_path / "out" / "ct.seg.nrrd").is_file()
    assert events[-1] == {"event": "finished", "result": summary}


def alive(job) -> bool:
    return job._process._process.poll() is None


def test_cancelled_at_any_moment_nothing_is_left_and_nothing_changed(
        logic, volume, tiny, serialized):
    """20 moments of a run: process and files are gone within a second, the scene is the same."""
    chance, events = random.Random(7), []
    logic.segment(volume, model=tiny, progress=events.append)
    news = events.index({"event": "stage", "stage": "write"})  # a moment later it may be too late
    before, stages = serialized(), set()
    for _ in range(20):
        events.clear()
        job = logic.segment(volume, model=tiny, wait=False, progress=events.append)
        moment = chance.randrange(news + 1)
        while job.poll() and len(events) < moment:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.03))
        stages.add(job.last.get("stage", {}).get("stage"))
        began = time.monotonic()
        job.cancel()
        assert time.monotonic() - began < 1.0
        assert job.state == "cancelled"
        assert not alive(job)
        assert not job._folder.exists()
        assert serialized() == before
    assert len(stages) > 3, f"cancelled in the stages {stages} only"


def test_a_run_that_nobody_waits_for_is_moved_on_by_the_event_loop(logic, volume, tiny):
    events = []
    job = logic.segment(volume, model=tiny, wait=False, progress=events.append)
    deadline = time.monotonic() + 120
    import slicer

    while job.state == "running" and time.monotonic() < deadline:
        slicer.app.processEvents()
        time.sleep(0.01)
    assert events[-1] == {"event": "finished", "result": job.result}
    assert job.result.IsA("vtkMRMLSegmentationNode")


def test_two_volumes_can_be_segmented_at_once(logic, volume, add_volume, tiny):
    body = tiny_bundle.small_ct()
    other = add_volume(body.array, LPS @ body.grid.affine, "Other")
    jobs = [logic.segment(node, model=tiny, wait=False) for node in (volume, other)]
    names = [job.wait().GetName() for job in jobs]
    assert names == ["Phantom organs", "Other organs"]
