"""`metaunetr batch`: every case is segmented or reported as failed, once."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest

from metaunetr.bundle import Bundle
from metaunetr.engine import Segmenter
from metaunetr.io import read_labels

from .conftest import OF_THE_RUN, contents, made, scan, series, states


@pytest.mark.slow
def test_results_keep_the_folders_of_the_input(folder, batch, segment, tmp_path):
    ran = batch("--surfaces", "stl", "--report", "--statistics", tmp_path / "all.csv")
    assert (ran.code, ran.err) == (0, "")
    assert re.fullmatch(
        r"2 cases\.\n"
        r"\[1/2\] a/ct: 2 organs in .+ s; look at: .+; about .+ left\n"
        r"\[2/2\] b/ct: 2 organs in .+ s; look at: .+\n"
        r"2 cases: 2 done, 0 finished before, 0 failed, in .+ s, busy \d+% of the time\.\n"
        r"Overview: .+out.index\.html\n",
        ran.out)
    organs = ("liver", "right_kidney")
    assert set(made(tmp_path / "out")) == {
        f"{name}/ct{rest}" for name in "ab"
        for rest in (".seg.nrrd", ".json", ".png", " report.html",
                     *(f" surfaces/{organ}.stl" for organ in organs))
    }
    page = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert all(f'href="{name}/ct%20report.html"' in page for name in "ab")
    assert "<dd>ct.nrrd</dd>" in (tmp_path / "out" / "b" / "ct report.html").read_text("utf-8")
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


def test_three_good_and_two_bad(batch, tmp_path):
    for n in range(3):
        scan(tmp_path / "in" / f"phantom {n}.nii.gz", n)
    (tmp_path / "in" / "empty.nii.gz").touch()
    path = tmp_path / "in" / "truncated.nii.gz"
    path.write_bytes((tmp_path / "in" / "phantom 2.nii.gz").read_bytes()[:9000])
    ran = batch()
    assert ran.code == 7
    assert len(list((tmp_path / "out").glob("phantom ?.seg.nrrd"))) == 3
    assert len(made(tmp_path / "out")) == 9
    failed = [line for line in ran.out.splitlines() if "FAILED" in line]
    for line, name, reason in zip(failed, ("empty", "truncated"), ("is empty", "truncated"),
                                  strict=True):
        assert f"] {name}: FAILED: {name}.nii.gz: " in line
        assert reason in line.split(".nii.gz: ")[1]
    assert "\n5 cases: 3 done, 0 finished before, 2 failed, in" in ran.out

    before = made(tmp_path / "out")
    again = batch("--resume", "--json-progress")
    assert again.code == 7
    assert sorted(states(again).values()) == ["failed"] * 2 + ["skipped"] * 3
    assert made(tmp_path / "out") == before
    scan(tmp_path / "in" / "empty.nii.gz", 20)
    scan(path, 21)
    mended = batch("--resume", "--json-progress")
    assert mended.code == 0
    assert sorted(states(mended).values()) == ["done"] * 2 + ["skipped"] * 3


@pytest.mark.slow
def test_names_that_are_too_long_for_the_disk_are_shortened(batch, tmp_path):
    for name in ("good", "x" * 248, "ü" * 124):
        scan(tmp_path / "in" / f"{name}.nii.gz")
    assert batch("--surfaces", "stl").code == 0
    labels = sorted((tmp_path / "out").glob("*.seg.nrrd"))
    assert len(labels) == 3
    labels[-1].write_bytes(b"corrected since")  # that of ü
    assert batch("--surfaces", "stl").code == 0
    (kept,) = (tmp_path / "out").glob("ü* (before).seg.nrrd")
    assert kept.read_bytes() == b"corrected since"
    assert set(states(batch("--resume", "--surfaces", "stl", "--json-progress")).values()) == {
        "skipped"}


def test_a_path_that_is_too_long_fails_alone(batch, tmp_path):
    good = scan(tmp_path / "good.nii.gz")
    path = tmp_path / "in.json"
    path.write_text(json.dumps([{"image": str(good), "name": "/".join(["x" * 200] * 25)},
                                {"image": str(scan(tmp_path / "2.nii.gz")), "name": "good"}]))
    for option in ("--json-progress", "--resume"):
        ran = batch("--input", path, option)
        assert ran.code == 7
        assert "cannot be made: File name too long" in ran.out
    assert (tmp_path / "out" / "good.seg.nrrd").exists()


def test_the_model_is_loaded_once(folder, batch, monkeypatch):
    loaded, network = [], Bundle.network
    monkeypatch.setattr(Bundle, "network", lambda self: loaded.append(1) or network(self))
    assert batch().code == 0
    assert loaded == [1]


def test_events(folder, batch, tmp_path):
    """As the contract with 3D Slicer has them."""
    (folder / "bad.nii").touch()
    ran = batch("--json-progress")
    events = [json.loads(line) for line in ran.out.splitlines()]
    assert events[0]["event"] == "cases"
    assert [case["name"] for case in events[0]["cases"]] == ["bad", "a/ct", "b/ct"]
    changes = [(event["index"], event["state"]) for event in events if event["event"] == "case"]
    assert [case for case in changes if case[1] == "running"] == [(n, "running") for n in range(3)]
    assert [case for case in changes if case[1] != "running"] == [
        (0, "failed"), (1, "done"), (2, "done")]
    assert all(changes.index((n, "running")) < changes.index((n, "done")) for n in (1, 2))
    inner = [event for event in events if event["event"] in ("windows", "estimate")]
    assert {event["case"] for event in inner} == {1, 2}
    done = next(event for event in events if event.get("state") == "done")
    assert done["output"] == str(tmp_path / "out" / "a" / "ct.seg.nrrd")
    assert done["flags"]
    assert all(event["line"] == "" for event in events if event.get("state") == "running")
    assert events[-1]["event"] == "summary"
    assert [events[-1][key] for key in ("done", "skipped", "failed")] == [2, 0, 1]
    assert 0 < events[-1]["busy"] <= 1


def test_a_case_gets_the_first_format_that_its_input_allows(batch, tmp_path):
    pydicom = pytest.importorskip("pydicom")
    pytest.importorskip("highdicom")
    scan(tmp_path / "in" / "ct.nii.gz")
    for name, uid in (("good", "1.2"), ("bad", None)):
        for path in series(tmp_path / "in", name=name).iterdir():
            header = pydicom.dcmread(path)
            if uid:
                header.FrameOfReferenceUID = uid
            header.save_as(path)
    formats = ("--format", "dicomseg", "seg.nrrd")
    ran = batch(*formats)
    assert ran.code == 0
    assert re.search(r"\] bad: .* s; written as bad\.seg\.nrrd", ran.out)
    assert {name for name in made(tmp_path / "out") if not name.endswith((".json", ".png"))} == {
        "good.dcm", "bad.seg.nrrd", "ct.seg.nrrd"}
    record = json.loads((tmp_path / "out" / "bad.json").read_text())["record"]
    assert any("needs a valid Frame of Reference UID (0020,0052)" in text
               for text in record["warnings"])
    assert 'href="bad.seg.nrrd"' in (tmp_path / "out" / "index.html").read_text("utf-8")
    assert set(states(batch(*formats, "--resume", "--json-progress")).values()) == {"skipped"}


def test_a_format_that_headers_do_not_allow_is_reported_before_the_network_runs(
        batch, tmp_path, monkeypatch):
    pytest.importorskip("highdicom")
    (tmp_path / "in").mkdir()
    series(tmp_path / "in")  # without a frame of reference
    monkeypatch.setattr(Segmenter, "segment", lambda *_, **__: pytest.fail("the network ran"))
    ran = batch("--format", "rtstruct")
    assert ran.code == 7
    assert "needs a valid Frame of Reference UID (0020,0052), it is ''" in ran.out


@pytest.mark.parametrize(("options", "code", "words"), [
    (("--model", "none"), 4, "No model is called 'none'"),
    (("--device", "cuda:9"), 6, "no device 'cuda:9'"),
    (("--input", "out"), 3, "No CT was found in the input"),
    (("--output", "in/a/ct.nii.gz"), 5, "the folder cannot be made"),
    (("--statistics", "all.txt"), 5, "must end in one of .csv"),
    (("--seg-type", "labelmap"), 5, "--seg-type labelmap is of DICOM SEG"),
])
def test_what_would_fail_in_every_case_is_reported_at_once(
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


def test_relative_paths_start_at_the_folder_of_option_c(folder, tiny, tmp_path, run, monkeypatch):
    monkeypatch.chdir("/")
    ran = run("batch", "-C", tmp_path, "--input", "in", "--output", "out", "--model", tiny,
              "--statistics", "all.csv")
    assert ran.code == 0
    assert (tmp_path / "all.csv").exists()
    assert (tmp_path / "out" / "a" / "ct.seg.nrrd").exists()
    ran = run("batch", "-C", "missing", "--input", "in", "--output", "out")
    assert (ran.code, "missing: cannot be entered" in ran.err) == (3, True)
