"""`metaunetr batch`: everything is done or told, once, and a half-written file fools nobody."""

from __future__ import annotations

import csv
import errno
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from metaunetr.bundle import Bundle
from metaunetr.cli import main
from metaunetr.engine import Segmenter
from metaunetr.image import Image
from metaunetr.io import read_labels, write_image
from metaunetr.io.atomic import PREFIX
from tiny_bundle import card, small_ct, write_bundle

from .conftest import Ran, contents, start
from .test_bad_input import series


def scan(path: Path, seed: int = 0) -> Path:
    """The small CT with noise of its own."""
    ct = small_ct()
    noise = np.random.default_rng(seed).integers(-5, 6, ct.array.shape, np.int16)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, Image(ct.array + noise, ct.grid))
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two CTs of one name in two folders."""
    scan(tmp_path / "in" / "a" / "ct.nii.gz", 1)
    scan(tmp_path / "in" / "b" / "ct.nrrd", 2)
    return tmp_path / "in"


@pytest.fixture(scope="module")
def once(tiny, tmp_path_factory) -> Path:
    """`folder` and its results, made once."""
    place = tmp_path_factory.mktemp("once")
    scan(place / "in" / "a" / "ct.nii.gz", 1)
    scan(place / "in" / "b" / "ct.nrrd", 2)
    assert main(["batch", "--input", str(place / "in"), "--output", str(place / "out"), "--model",
                 str(tiny), "--surfaces", "stl"]) == 0
    return place


@pytest.fixture
def finished(once, tmp_path) -> Path:
    """A copy of a finished batch, times included."""
    for name in ("in", "out"):
        shutil.copytree(once / name, tmp_path / name)
    return tmp_path / "in"


@pytest.fixture
def batch(run, tiny, tmp_path) -> Callable[..., Ran]:
    """`metaunetr batch` of the folder "in" to "out" with the tiny model."""
    def batch(*options) -> Ran:
        defaults = {"--input": tmp_path / "in", "--output": tmp_path / "out", "--model": tiny}
        given = [word for name, value in defaults.items() if name not in options
                 for word in (name, value)]
        return run("batch", *given, *options)
    return batch


OF_THE_RUN = {"run.sqlite", "run.sqlite-journal", "organs.csv", "failures.csv", "index.html"}


def made(output: Path) -> dict[str, int]:
    """Every file of the cases below the output folder with the time when it was written."""
    return {path.relative_to(output).as_posix(): path.stat().st_mtime_ns
            for path in output.rglob("*") if path.is_file() and path.name not in OF_THE_RUN}


def in_manifest(output: Path) -> dict[str, str]:
    """The state of each case, as run.sqlite tells it."""
    with closing(sqlite3.connect(output / "run.sqlite")) as connection:
        return dict(connection.execute("SELECT name, state FROM cases"))


def states(ran: Ran) -> dict[str, str]:
    """The last state of each case, from the lines of --json-progress."""
    events = map(json.loads, ran.out.splitlines())
    return {event["name"]: event["state"] for event in events if event["event"] == "case"}


def test_results_keep_the_folders_of_the_input(folder, batch, segment, tmp_path):
    ran = batch("--surfaces", "stl", "--statistics", tmp_path / "all.csv")
    assert (ran.code, ran.err) == (0, "")
    assert re.fullmatch(
        r"2 cases\.\n"
        r"\[1/2\] a/ct: 2 organs in .+ s; look at: .+; about .+ left\n"
        r"\[2/2\] b/ct: 2 organs in .+ s; look at: .+\n"
        r"2 cases: 2 done, 0 finished before, 0 failed, in .+ s, busy \d+% of the time\.\n",
        ran.out)
    organs = ("liver", "right_kidney")
    assert set(made(tmp_path / "out")) == {
        f"{name}/ct{rest}" for name in "ab"
        for rest in (".seg.nrrd", ".json", ".png", *(f" surfaces/{organ}.stl" for organ in organs))
    }
    segment(folder / "a" / "ct.nii.gz", "-o", tmp_path / "one.seg.nrrd",
            "--statistics", tmp_path / "one.csv")
    np.testing.assert_array_equal(read_labels(tmp_path / "out" / "a" / "ct.seg.nrrd").array,
                                  read_labels(tmp_path / "one.seg.nrrd").array)
    (header, *rows), (one_header, *one) = (
        list(csv.reader((tmp_path / name).read_text(encoding="utf-8").splitlines()))
        for name in ("all.csv", "one.csv"))
    assert header == ["case", *one_header, "input", "id"]
    assert rows[:4] == [["a/ct", *row, "a/ct.nii.gz", ""] for row in one]
    assert [row[0] for row in rows] == ["a/ct"] * 4 + ["b/ct"] * 4


def test_ten_good_and_two_bad(batch, tmp_path):
    for n in range(10):
        scan(tmp_path / "in" / f"phantom {n}.nii.gz", n)
    (tmp_path / "in" / "empty.nii.gz").touch()
    path = tmp_path / "in" / "truncated.nii.gz"
    path.write_bytes((tmp_path / "in" / "phantom 3.nii.gz").read_bytes()[:9000])
    ran = batch()
    assert ran.code == 7
    assert len(list((tmp_path / "out").glob("phantom ?.seg.nrrd"))) == 10
    assert len(made(tmp_path / "out")) == 30
    failed = [line for line in ran.out.splitlines() if "FAILED" in line]
    for line, name, reason in zip(failed, ("empty", "truncated"), ("is empty", "truncated"),
                                  strict=True):
        assert f"] {name}: FAILED: {name}.nii.gz: " in line
        assert reason in line.split(".nii.gz: ")[1]
    assert ran.out.splitlines()[-1].startswith("12 cases: 10 done, 0 finished before, 2 failed, in")

    before = made(tmp_path / "out")
    again = batch("--resume", "--json-progress")
    assert again.code == 7
    assert sorted(states(again).values()) == ["failed"] * 2 + ["skipped"] * 10
    assert made(tmp_path / "out") == before
    scan(tmp_path / "in" / "empty.nii.gz", 20)
    scan(path, 21)
    mended = batch("--resume", "--json-progress")
    assert mended.code == 0
    assert sorted(states(mended).values()) == ["done"] * 2 + ["skipped"] * 10


CHANGES = []


def change(function):
    CHANGES.append(pytest.param(function, id=function.__name__.replace("_", " ")))
    return function


@change
def another_input(tmp_path):
    scan(tmp_path / "in" / "a" / "ct.nii.gz", 5)


@change
def labels_that_are_gone(tmp_path):
    (tmp_path / "out" / "a" / "ct.seg.nrrd").unlink()


@change
def labels_that_are_cut_off(tmp_path):
    os.truncate(tmp_path / "out" / "a" / "ct.seg.nrrd", 4000)


@change
def a_record_that_is_cut_off(tmp_path):
    os.truncate(tmp_path / "out" / "a" / "ct.json", 400)


@change
def a_record_that_is_gone(tmp_path):
    (tmp_path / "out" / "a" / "ct.json").unlink()


@change
def a_record_of_another_version(tmp_path):
    path = tmp_path / "out" / "a" / "ct.json"
    path.write_text(path.read_text().replace('"version": "', '"version": "9.'))


@pytest.mark.parametrize("change", CHANGES)
def test_resuming_does_what_is_missing_or_stale_and_nothing_else(
    finished, batch, tmp_path, change
):
    options = ("--surfaces", "stl", "--statistics", tmp_path / "all.csv", "--resume",
               "--json-progress")
    assert set(states(batch(*options)).values()) == {"skipped"}
    table, before = (tmp_path / "all.csv").read_bytes(), made(tmp_path / "out")
    change(tmp_path)
    ran = batch(*options)
    assert states(ran) == {"a/ct": "done", "b/ct": "skipped"}
    after = made(tmp_path / "out")
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} == {
        name for name in before if name.startswith("a/")}
    if change is not another_input:
        assert (tmp_path / "all.csv").read_bytes() == table


@pytest.mark.parametrize("options", [
    ("--organs", "liver"), ("--format", "nii.gz"), ("--overlap", "0.25"), ("--surfaces", "obj"),
    ("--precision", "float32"),
])
def test_other_options_are_another_result(finished, batch, options):
    options = ("--surfaces", "stl", *options, "--resume", "--json-progress")
    assert set(states(batch(*options)).values()) == {"done"}
    assert set(states(batch(*options)).values()) == {"skipped"}


def test_another_model_is_another_result(finished, batch, tiny, tmp_path):
    options = ("--surfaces", "stl", "--resume", "--json-progress", "--model")
    same = shutil.copytree(tiny, tmp_path / "same weights")
    assert set(states(batch(*options, same)).values()) == {"skipped"}
    wide = card()["architecture"] | {"feature_size": 6}
    other = write_bundle(tmp_path / "wide", architecture=wide)
    assert set(states(batch(*options, other)).values()) == {"done"}


def test_without_resume_everything_is_done_once_more(finished, batch, tmp_path):
    before = made(tmp_path / "out")
    assert set(states(batch("--surfaces", "stl", "--json-progress")).values()) == {"done"}
    after = made(tmp_path / "out")
    assert all(after[name] > before[name] for name in before)


def test_files_that_the_new_result_does_not_have_go(finished, batch, tmp_path):
    (tmp_path / "out" / "a" / "notes.txt").touch()
    batch("--format", "nii.gz", "--organs", "liver", "--surfaces", "obj")
    assert set(made(tmp_path / "out")) == {
        "a/notes.txt", *(f"{name}/ct{rest}" for name in "ab"
                         for rest in (".nii.gz", ".json", ".png", " surfaces/liver.obj"))}
    batch("--format", "nii.gz")
    assert not (tmp_path / "out" / "a" / "ct surfaces").exists()


def failing(error: BaseException, when: int):
    """Segments, but for one call that raises."""
    calls, segment = [], Segmenter.segment

    def fake(self, image, *args, **kwargs):
        calls.append(image)
        if len(calls) == when:
            raise error
        return segment(self, image, *args, **kwargs)

    return fake


@pytest.mark.parametrize(("error", "text"), [
    (MemoryError(), "Not enough memory"),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "Not enough memory"),
    (ZeroDivisionError("division by zero"), "Unexpected ZeroDivisionError: division by zero"),
    (OSError(errno.EIO, "Input/output error", "ct.nii.gz"), "ct.nii.gz: cannot be read"),
])
def test_a_case_that_fails_leaves_its_old_result_and_the_others(
    finished, batch, tmp_path, monkeypatch, error, text
):
    before = made(tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr(Segmenter, "segment", failing(error, when=1))
        ran = batch("--surfaces", "stl")
    assert ran.code == 7
    assert f"[1/2] a/ct: FAILED: {text}" in ran.out
    after = made(tmp_path / "out")
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] == before[name]} == {
        name for name in before if name.startswith("a/")}
    resumed = batch("--surfaces", "stl", "--resume", "--json-progress")
    assert set(states(resumed).values()) == {"skipped"}


def test_a_full_disk_leaves_no_half_result(folder, batch, tmp_path, monkeypatch):
    def full(path, mask, grid):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("metaunetr.io.mesh.write_surface", full)
    ran = batch("--surfaces", "stl")
    assert ran.code == 7
    assert "liver.stl: cannot be written: the disk is full" in ran.out or (
        "kidney.stl: cannot be written: the disk is full" in ran.out)
    assert made(tmp_path / "out") == {}


def test_the_model_is_loaded_once_and_a_failed_device_tried_again(folder, batch, monkeypatch):
    loaded, rungs = [], []
    network, segment = Bundle.network, Segmenter.segment

    def stepping_down(self, image, *args, **kwargs):
        rungs.append(list(self.rungs))
        result = segment(self, image, *args, **kwargs)
        self.rungs = ["the slowest"]
        return result

    monkeypatch.setattr(Bundle, "network", lambda self: loaded.append(1) or network(self))
    monkeypatch.setattr(Segmenter, "segment", stepping_down)
    assert batch().code == 0
    assert loaded == [1]
    assert rungs[0] == rungs[1]


def test_with_everything_finished_nothing_is_loaded(finished, batch, monkeypatch):
    monkeypatch.setattr(Bundle, "network", None)
    assert batch("--surfaces", "stl", "--resume").code == 0


def test_events(folder, batch, tmp_path):
    """As the contract with 3D Slicer has them."""
    (folder / "bad.nii").touch()
    ran = batch("--json-progress")
    events = [json.loads(line) for line in ran.out.splitlines()]
    assert events[0]["event"] == "cases"
    assert [case["name"] for case in events[0]["cases"]] == ["bad", "a/ct", "b/ct"]
    told = [(event["index"], event["state"]) for event in events if event["event"] == "case"]
    assert [case for case in told if case[1] == "running"] == [(n, "running") for n in range(3)]
    assert [case for case in told if case[1] != "running"] == [
        (0, "failed"), (1, "done"), (2, "done")]
    assert all(told.index((n, "running")) < told.index((n, "done")) for n in (1, 2))
    inner = [event for event in events if event["event"] in ("windows", "estimate")]
    assert {event["case"] for event in inner} == {1, 2}
    done = next(event for event in events if event.get("state") == "done")
    assert done["output"] == str(tmp_path / "out" / "a" / "ct.seg.nrrd")
    assert done["flags"]
    assert all(event["line"] == "" for event in events if event.get("state") == "running")
    assert events[-1]["event"] == "summary"
    assert [events[-1][key] for key in ("done", "skipped", "failed")] == [2, 0, 1]
    assert 0 < events[-1]["busy"] <= 1


def test_dicom_series_become_dicom_segmentations(batch, tmp_path):
    pydicom = pytest.importorskip("pydicom")
    pytest.importorskip("highdicom")
    scan(tmp_path / "in" / "ct.nii.gz")
    for number, name in enumerate(("one", "other"), start=1):
        for path in series(tmp_path / "in", name=name).iterdir():
            header = pydicom.dcmread(path)
            header.SeriesNumber, header.FrameOfReferenceUID = number, "1.2"
            header.save_as(path.parents[1] / "one" / path.name)
    shutil.rmtree(tmp_path / "in" / "other")
    ran = batch("--format", "dicomseg", "--json-progress")
    assert ran.code == 7
    assert states(ran) == {"ct": "failed", "one/series 1": "done", "one/series 2": "done"}
    assert "DICOM SEG refers to the slices of a DICOM series" in ran.out
    for number in (1, 2):
        written = pydicom.dcmread(tmp_path / "out" / "one" / f"series {number}.dcm")
        assert written.Modality == "SEG"


@pytest.mark.parametrize(("options", "code", "words"), [
    (("--model", "none"), 4, "No model is called 'none'"),
    (("--organs", "pancreas"), 3, "does not know pancreas"),
    (("--device", "cuda:9"), 6, "no device 'cuda:9'"),
    (("--input", "out"), 3, "There is no CT in the input"),
    (("--output", "in/a/ct.nii.gz"), 5, "the folder cannot be made"),
    (("--statistics", "missing/all.csv"), 5, "does not exist"),
    (("--statistics", "all.txt"), 5, "must end in one of .csv"),
    (("-C", "missing"), 3, "cannot be entered"),
])
def test_what_no_case_can_do_without_is_told_at_once(
    folder, batch, tmp_path, monkeypatch, options, code, words
):
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)
    ran = batch(*options)
    assert ran.code == code
    assert words in ran.err
    assert made(tmp_path / "out") == {}


def test_an_input_is_never_replaced(batch, tmp_path):
    path = scan(tmp_path / "in" / "ct.nii.gz")
    before = path.read_bytes()
    ran = batch("--input", path, "--output", tmp_path / "in", "--format", "nii.gz")
    assert ran.code == 7
    assert "is the input as well" in ran.out
    assert {name: content for name, content in contents(tmp_path / "in").items()
            if name not in OF_THE_RUN} == {"ct.nii.gz": before}


def test_relative_paths_are_meant_from_the_folder_that_is_named(folder, tiny, tmp_path, run,
                                                                monkeypatch):
    monkeypatch.chdir("/")
    ran = run("batch", "-C", tmp_path, "--input", "in", "--output", "out", "--model", tiny,
              "--statistics", "all.csv")
    assert ran.code == 0
    assert (tmp_path / "all.csv").exists()
    assert (tmp_path / "out" / "a" / "ct.seg.nrrd").exists()


posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """The tiny model with hundreds of windows."""
    preprocessing = card()["preprocessing"] | {"spacing_mm": [3, 3, 3]}
    return write_bundle(tmp_path_factory.mktemp("bundle") / "slow", preprocessing=preprocessing,
                        overlap=0.9)


def wait_for(process: subprocess.Popen, **wanted) -> None:
    for line in process.stdout:
        if wanted.items() <= json.loads(line).items():
            return
    raise AssertionError(f"no event with {wanted}; {process.stderr.read()}")


@posix
@pytest.mark.parametrize(("stop", "code"), [
    (lambda process: process.stdin.close(), 130),
    (lambda process: process.send_signal(signal.SIGINT), 130),
    (lambda process: process.send_signal(signal.SIGTERM), 143),
], ids=["standard input is closed", "Ctrl-C", "terminated"])
def test_it_ends_within_a_second(folder, slow, tmp_path, stop, code):
    process = start("batch", "--input", folder, "--output", tmp_path / "out", "--model", slow,
                    "--json-progress")
    wait_for(process, done=3)
    begun = time.monotonic()
    stop(process)
    assert process.wait(20) == code
    assert time.monotonic() - begun < 1.3  # a second, on a busy machine
    assert made(tmp_path / "out") == {}


@posix
def test_a_signal_in_a_call_that_lasts_is_heeded_within_a_second(folder, tiny, tmp_path):
    """Python would raise only after it."""
    code = """
import hashlib, sys
from metaunetr.cli import main
from metaunetr.engine import Segmenter
Segmenter.segment = lambda *args: hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)
sys.exit(main(sys.argv[1:]))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code, "batch", "--input", folder, "--output", tmp_path / "out",
         "--model", tiny, "--json-progress"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(process, event="stage", stage="read")
    time.sleep(0.5)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - begun < 1.3  # a second, on a busy machine
    assert process.returncode == 130
    assert err == "metaunetr: Interrupted; unfinished files were removed.\n"
    assert json.loads(out.splitlines()[-1])["exit_code"] == 130


@posix
def test_killed_again_and_again_and_resumed(tiny, batch, tmp_path):
    """Whatever a record calls finished is complete, stays as it is, and is not done again."""
    for n in range(8):
        scan(tmp_path / "in" / f"{n}.nii.gz", n)
    options = ("--surfaces", "stl", "--resume", "--json-progress")
    chance, finished = random.Random(0), {}
    for state in ("running", "done", "done"):
        process = start("batch", "--input", tmp_path / "in", "--output", tmp_path / "out",
                        "--model", tiny, *options)
        wait_for(process, event="case", state=state)
        for _ in range(chance.randrange(20)):  # by events, not by time: machines differ
            process.stdout.readline()
        process.kill()
        process.communicate()
        now = made(tmp_path / "out")
        assert finished.items() <= now.items()
        for name, state in in_manifest(tmp_path / "out").items():
            assert state != "done" or f"{name}.json" in now
        finished = {name: moment for name, moment in now.items()
                    if f"{name[0]}.json" in now and not name.startswith(PREFIX)}
        for name in now:
            if name.endswith(".json"):
                assert read_labels(tmp_path / "out" / f"{name[0]}.seg.nrrd").array.any()
    assert finished
    ran = batch(*options)
    assert ran.code == 0
    after = made(tmp_path / "out")
    assert finished.items() <= after.items()
    assert set(in_manifest(tmp_path / "out").values()) == {"done"}
    assert set(after) == {f"{n}{rest}" for n in range(8) for rest in (
        ".seg.nrrd", ".json", ".png", " surfaces/liver.stl", " surfaces/right_kidney.stl")}
    assert {name for name, state in states(ran).items() if state == "skipped"} == {
        name[0] for name in finished}


@posix
@pytest.mark.parametrize(("moment", "redone"), [
    (0, {"a/ct", "b/ct"}),  # the old record has gone, nothing has been replaced
    (4, {"a/ct", "b/ct"}),  # all but the record has been replaced
])
def test_killed_while_the_files_of_a_case_take_their_places(
    batch, finished, tmp_path, tiny, moment, redone
):
    """Labels, thumbnail, two surfaces and the record take their places; the record last."""
    out = tmp_path / "out"
    (out / "b" / "ct.json").unlink()
    code = f"""
import os, sys
replace, calls = os.replace, []
def counted(source, destination):
    if "{PREFIX}" not in str(destination):
        calls.append(destination)
        if len(calls) > {moment}:
            os.kill(os.getpid(), 9)
    replace(source, destination)
os.replace = counted
from metaunetr.cli import main
sys.exit(main(sys.argv[1:]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, "batch", "--input", finished, "--output", out, "--model",
         tiny, "--surfaces", "stl"], capture_output=True, timeout=120)
    assert done.returncode == -9
    assert any(PREFIX in name for name in made(out))
    ran = batch("--surfaces", "stl", "--resume", "--json-progress")
    assert {name for name, state in states(ran).items() if state == "done"} == redone
    assert len(made(out)) == 10
