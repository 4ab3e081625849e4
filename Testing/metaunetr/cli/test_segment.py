"""What a successful run writes and prints, for people and for programs."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from metaunetr.cli.engine import THREADS
from metaunetr.cli.progress import STAGES
from metaunetr.engine import Segmenter
from metaunetr.io import read_image, read_labels
from metaunetr.result import OrganResult, Result
from tiny_bundle import small_ct

from .conftest import contents, start


def test_every_output_is_written_and_nothing_else(tmp_path, ct, segment):
    names = ("labels.seg.nrrd", "organs.csv", "report.html", "record.json", "entropy.nii.gz",
             "labels.txt", "masks")
    labels, statistics, report, record, entropy, label_file, masks = (
        tmp_path / name for name in names)
    labels.write_text("the result of yesterday")
    ran = segment(ct, "-o", labels, "--statistics", statistics, "--report", report,
                  "--record", record, "--uncertainty", entropy, "--label-file", label_file,
                  "--split", masks, "--precision", "float32", "--largest-component")
    assert ran.code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"ct.nii.gz", *names}
    image = read_image(ct)
    assert read_labels(labels).grid.same_as(image.grid)
    assert read_image(entropy).grid.same_as(image.grid)
    with open(statistics, encoding="utf-8", newline="") as file:
        assert [row["organ"] for row in csv.DictReader(file)] == [
            "spleen", "right kidney", "left kidney", "liver"]
    assert report.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    recorded = json.loads(record.read_text(encoding="utf-8"))
    assert [recorded[key] for key in ("model", "precision", "largest_component")] == [
        "tiny", "float32", True]
    assert label_file.read_text(encoding="utf-8").splitlines()[-1].split(maxsplit=7) == [
        "6", "221", "130", "101", "1", "1", "1", '"liver"']
    assert {path.name for path in masks.iterdir()} == {
        "spleen.nii.gz", "right_kidney.nii.gz", "left_kidney.nii.gz", "liver.nii.gz"}
    assert_array_equal(read_labels(masks / "liver.nii.gz").array, read_labels(labels).array == 6)


def test_without_an_organ_a_dicom_output_is_an_error_and_the_others_are_written(
        tmp_path, segment, monkeypatch):
    pytest.importorskip("highdicom")
    pytest.importorskip("dicom_series").write_series(tmp_path / "ct", small_ct())
    monkeypatch.setattr(Segmenter, "segment", lambda self, image, *_, **__: Result(
        replace(image, array=np.zeros(image.grid.shape, np.uint8)),
        tuple(map(OrganResult.unknown, self.bundle.classes)), {}))
    ran = segment(tmp_path / "ct", "-o", tmp_path / "out.dcm", "--report", tmp_path / "report.html",
                  "--statistics", tmp_path / "organs.csv")
    assert ran.code == 5
    assert "out.dcm: no organ was found, and a DICOM SEG cannot be empty" in ran.err
    assert {path.name for path in tmp_path.iterdir()} == {"ct", "report.html", "organs.csv"}


def test_a_pipe_gets_the_table_and_no_progress(tmp_path, ct, segment):
    ran = segment(ct)
    assert ran.err == ""
    lines = ran.out.splitlines()
    assert [line[:26].strip() for line in lines[:5]] == [
        "organ", "spleen", "right kidney", "left kidney", "liver"]
    assert lines[-1].startswith(f"{tmp_path / 'out.nii.gz'} written in ")
    assert lines[-1].endswith("Research use only. Not for diagnosis or treatment.")


@pytest.mark.parametrize("words", [("left_kidney", "2"), ("Right Kidney,3",)])
def test_only_the_organs_asked_for(tmp_path, ct, segment, words):
    assert segment(ct, "--organs", *words).code == 0
    assert set(np.unique(read_labels(tmp_path / "out.nii.gz").array)) <= {0, 2, 3}


@pytest.mark.parametrize(("options", "threads"), [((), 1), (("--threads", "3"), 3)])
def test_the_threads_asked_for(tmp_path, ct, segment, monkeypatch, options, threads):
    for name in THREADS:  # restored afterwards
        monkeypatch.setenv(name, "1")
    assert segment(ct, "--record", tmp_path / "record.json", *options).code == 0
    record = json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))
    assert record["threads"] == threads
    assert {os.environ[name] for name in THREADS} == {str(threads)}  # of processes it starts


def test_verbose_prints_each_stage_with_its_time(ct, segment):
    lines = segment(ct, "-v").err.splitlines()
    times, stages = zip(*(line.split(" s  ") for line in lines), strict=True)
    assert list(map(float, times)) == sorted(map(float, times))
    assert [stages[0], stages[-1]] == [STAGES["read"], STAGES["write"]]
    assert set(stages) <= set(STAGES.values())


def test_warnings_are_told_in_a_pipe(ct, segment, monkeypatch):
    monkeypatch.setattr("metaunetr.engine.segmenter.inspect_ct", lambda image: ["Odd noise."])
    ran = segment(ct)
    assert ran.code == 0
    assert ran.err == "warning: Odd noise.\n"


def test_the_time_of_the_network_can_be_given(ct, segment):
    ran = segment(ct, "--json-progress", "--network-seconds", "1000")
    assert ran.code == 0
    events = [json.loads(line) for line in ran.out.splitlines()]
    estimate, = (event for event in events if event["event"] == "estimate")
    assert estimate["network_s"] == 1000


def test_events_are_one_json_object_a_line(tmp_path, ct, segment, monkeypatch):
    monkeypatch.setattr("metaunetr.engine.segmenter.inspect_ct", lambda image: ["Odd noise."])
    ran = segment(ct, "--json-progress")
    assert ran.code == 0
    assert ran.err == ""
    events = [json.loads(line) for line in ran.out.splitlines()]
    stages = [event["stage"] for event in events if event["event"] == "stage"]
    assert ["search", *stages] == list(STAGES)  # that is of batches
    estimate, = (event for event in events if event["event"] == "estimate")
    windows = [event for event in events if event["event"] == "windows"]
    assert estimate["seconds"] > 0 and estimate["memory_mb"] > 0
    assert [event["done"] for event in windows] == list(range(1, estimate["windows"] + 1))
    assert {event["total"] for event in windows} == {estimate["windows"]}
    assert windows[-1]["remaining_s"] == 0
    assert {"event": "warning", "text": "Odd noise."} in events
    result = events[-1]
    assert result["event"] == "result"
    assert result["output"] == str(tmp_path / "out.nii.gz")
    assert [organ["number"] for organ in result["organs"]] == [1, 2, 3, 6]
    labels = read_labels(tmp_path / "out.nii.gz").array
    for organ in result["organs"]:
        assert organ["voxels"] == np.count_nonzero(labels == organ["number"])
    assert result["record"]["windows"] == estimate["windows"]


def test_an_error_is_the_last_event(tmp_path, segment):
    ran = segment(tmp_path / "none.nii.gz", "--json-progress")
    error = json.loads(ran.out.splitlines()[-1])
    assert error == {"event": "error", "exit_code": 3, "text": ran.err.strip()[len("metaunetr: "):]}
    assert ran.code == 3


@pytest.mark.parametrize("name", ["Größe & '大きさ'", "a" * 200])
def test_unusual_names(tmp_path, ct, segment, name):
    folder = tmp_path / name
    folder.mkdir()
    shutil.move(ct, folder / f"{name}.nii.gz")
    ran = segment(folder / f"{name}.nii.gz", "-o", folder / f"{name}.seg.nrrd",
                  "--report", folder / f"{name}.html", "--statistics", folder / f"{name}.csv")
    assert ran.code == 0, ran.err
    assert len(contents(folder)) == 4


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are text")
def test_a_name_that_is_no_text(tmp_path, ct, segment):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.nii.gz")
    shutil.move(ct, path)
    ran = segment(path, "--report", tmp_path / "report.html", "--record", tmp_path / "record.json")
    assert ran.code == 0, ran.err


def test_the_rest_of_killed_runs_is_removed_but_not_that_of_running_ones(tmp_path, ct, segment):
    old, young = tmp_path / ".metaunetr-0123.nii.gz", tmp_path / ".metaunetr-4567.nii.gz"
    for path in (old, young):
        path.touch()
    os.utime(old, (0, 0))
    assert segment(ct).code == 0
    assert not old.exists()
    assert young.exists()


def test_a_terminal_shows_a_bar_with_the_remaining_time(ct, tiny):
    pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    ours, theirs = pty.openpty()
    process = start("segment", ct, "-o", ct.with_name("out.nii.gz"), "--model", tiny,
                    stderr=theirs)
    os.close(theirs)
    shown = ""
    while True:
        try:
            shown += os.read(ours, 4096).decode(errors="replace")
        except OSError:  # how Linux tells that the other side has closed
            break
    os.close(ours)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Reading …" in shown
    assert "for 2 windows" in shown
    assert re.search(r"Segmenting: +\d+%\|.*\| \d/2 \[[\d:]+<[\d:?]+,.*window/?s?", shown)
    assert shown.endswith("\r")  # the line is left empty


def test_the_reader_may_leave_early(ct, tiny):
    process = start("segment", ct, "-o", ct.with_name("out.nii.gz"), "--model", tiny,
                    "--json-progress")
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(60) == 130
    assert not ct.with_name("out.nii.gz").exists()
