"""The ledger reports each case once: as an event, in the database, in the tables, on the page."""

from __future__ import annotations

import csv
import math
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from metaunetr.batch.candidate import Candidate
from metaunetr.batch.case import Case, make_cases
from metaunetr.batch.case_ledger import EARLIER, Ledger
from metaunetr.batch.case_record import CaseRecord
from metaunetr.batch.discover import Discovery
from metaunetr.errors import InputError, OutputError
from metaunetr.organs import BY_NAME
from metaunetr.result import OrganResult

LIVER = OrganResult(BY_NAME["liver"], 70, 0.333, 61.2, 0.0, 0.875)
SPLEEN = OrganResult(BY_NAME["spleen"], 0, 0.0, math.nan, math.nan, math.nan, ("not found",))
RECORD = CaseRecord("", {"version": "1"}, {}, (SPLEEN, LIVER), {})
FINE = replace(RECORD, organs=(LIVER,))
LEFT_OUT = Discovery(left_out=[(Path("/in/old.seg.nrrd"), "a segmentation, not a CT")])
EMPTY = InputError("the file is empty")


def make(output: Path, *names: str) -> list[Case]:
    paths = [Path(f"/in/{name}.nii.gz") for name in names]
    found = [Candidate(path, (path,), PurePosixPath(path.relative_to("/in"))) for path in paths]
    return make_cases(found, output, ".seg.nrrd")


@pytest.fixture
def cases(tmp_path) -> list[Case]:
    return make(tmp_path, "a/one", "two", "three", "<four>")


@pytest.fixture
def clock(monkeypatch) -> Callable[[float], None]:
    """Sets the time in seconds."""
    def clock(seconds: float) -> None:
        monkeypatch.setattr("metaunetr.batch.case_ledger.perf_counter", lambda: seconds)
    clock(0.0)
    return clock


def ledger(cases: list[Case], output: Path, discovery=LEFT_OUT, events=None) -> Ledger:
    return Ledger(cases, discovery, output, False, [].append if events is None else events.append)


def begin(opened: Ledger, *indices: int) -> None:
    for index in indices:
        opened.reading(index)
        opened.running(index)


def lines(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text(encoding="utf-8").splitlines()))


def rows(folder: Path) -> dict[str, tuple]:
    with sqlite3.connect(folder / "run.sqlite") as connection:
        return {name: rest for name, *rest in connection.execute(
            "SELECT name, state, reason, seconds, attempts, made_from FROM cases")}


def test_events_and_the_time_left(tmp_path, cases, clock):
    """The time left is estimated from the cases that are done."""
    events = []
    opened = ledger(cases, tmp_path, events=events)
    opened.skipped(1, FINE)
    clock(5)
    begin(opened, 0)
    clock(15)
    opened.done(0, RECORD)
    begin(opened, 2)
    clock(17)
    opened.failed(2, EMPTY)
    begin(opened, 3)
    clock(217)
    opened.done(3, replace(FINE, warnings=("Ends missing.",), kept=("x (before).png",)))
    opened.summary(213.0, 0.97)
    assert [event["line"] for event in events if event["line"]] == [
        "[2/4] two: finished before",
        "[1/4] a/one: 1 organ in 10.0 s; look at: spleen; about 20 s left",
        "[3/4] three: FAILED: the file is empty; about 12 s left",
        "[4/4] <four>: 1 organ in 200.0 s; Ends missing; kept what lay there as x (before).png",
        "4 cases: 2 done, 1 finished before, 1 failed, in 4 min, busy 97% of the time.",
    ]
    ends = {event["index"]: event for event in events[:-1] if event["state"] != "running"}
    assert [ends[n]["remaining_s"] for n in (1, 0, 2, 3)] == [None, 20.0, 12.0, 0.0]
    assert ends[0]["flags"] == ends[0]["doubts"] == ["spleen: not found"]
    assert ends[0]["output"] == str(tmp_path / "a" / "one.seg.nrrd")
    assert ends[2]["text"] == "the file is empty"
    assert (ends[3]["flags"], ends[3]["doubts"]) == (["Ends missing."], [])


def test_database_tables_and_page(tmp_path, cases, clock):
    opened = ledger(cases, tmp_path)
    begin(opened, 0, 1, 2)
    clock(10)
    opened.done(0, RECORD)
    opened.failed(1, EMPTY)
    opened.close()
    assert rows(tmp_path) == {
        "a/one": ["done", "", 10.0, 1, '{"version": "1"}'],
        "two": ["failed", "the file is empty", 10.0, 1, ""],
        "three": ["waiting", "", None, 0, ""],  # cancelled
        "<four>": ["waiting", "", None, 0, ""],
    }
    header, *organs = lines(tmp_path / "organs.csv")
    assert [(row[0], row[1]) for row in organs] == [("a/one", "spleen"), ("a/one", "liver")]
    assert organs[1][header.index("volume_ml")] == "0.333"
    assert lines(tmp_path / "failures.csv")[1:] == [
        ["two", "failed", "the file is empty"], ["three", "waiting", ""],
        ["<four>", "waiting", ""], ["/in/old.seg.nrrd", "left out", "a segmentation, not a CT"],
    ]
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'href="a/one.seg.nrrd"' in page
    assert 'src="a/one.png"' in page
    assert "&lt;four&gt;" in page


@pytest.mark.parametrize("end", ["done", "skipped"])
def test_a_warning_about_the_input_is_among_the_failures(tmp_path, cases, end):
    opened = ledger(cases[:1], tmp_path, Discovery())
    begin(opened, 0)
    getattr(opened, end)(0, replace(FINE, warnings=("Ends missing.",)))
    opened.close()
    assert lines(tmp_path / "failures.csv")[1:] == [["a/one", "done", "Ends missing."]]
    assert "Ends missing." in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_a_killed_run_is_continued(tmp_path, cases, clock):
    killed = ledger(cases, tmp_path)
    begin(killed, 0, 1)
    clock(10)
    killed.done(0, FINE)
    killed._database._connection.close()  # as the system does
    assert [state for state, *_ in rows(tmp_path).values()] == ["done", "running", "waiting",
                                                                "waiting"]
    resumed = ledger(cases, tmp_path)
    assert [resumed.kills(index) for index in range(4)] == [0, 1, 0, 0]
    resumed.skipped(0, FINE)
    begin(resumed, 1)
    clock(13)
    resumed.done(1, FINE)
    resumed.close()
    assert [row[:4] for row in rows(tmp_path).values()] == [
        ["done", "", 10.0, 1], ["done", "", 3.0, 2], ["waiting", "", None, 0],
        ["waiting", "", None, 0]]


def test_cancelled_runs_do_not_count_as_killed(tmp_path, cases):
    for _ in range(2):
        cancelled = ledger(cases, tmp_path)
        begin(cancelled, 0)
        cancelled.close()
    killed = ledger(cases, tmp_path)
    begin(killed, 0)
    killed._database._connection.close()  # as the system does
    assert ledger(cases, tmp_path).kills(0) == 1


def test_a_cancelled_run_keeps_earlier_results_in_tables_and_page(tmp_path, cases):
    """Of a case that was not begun, and of one that was; files of the third one are missing."""
    for case, outputs in zip(cases, ({}, {}, {"three.seg.nrrd": 5}), strict=False):
        case.record.parent.mkdir(exist_ok=True)
        case.record.write_text(replace(FINE, outputs=outputs).text())
    cancelled = ledger(cases, tmp_path)
    begin(cancelled, 1)
    cancelled.close()
    assert [row[:2] for row in lines(tmp_path / "organs.csv")[1:]] == [
        ["a/one", "liver"], ["two", "liver"]]
    assert [row[:2] for row in rows(tmp_path).values()] == [
        ["waiting", EARLIER], ["waiting", EARLIER], ["waiting", ""], ["waiting", ""]]
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert (page.count(EARLIER), page.count(">not finished, lowest confidence 0.88<")) == (2, 2)
    assert 'src="a/one.png"' in page


def test_cases_of_another_input_are_removed(tmp_path, cases):
    for some in (cases[:2], cases[1:]):
        ledger(some, tmp_path).close()
    assert list(rows(tmp_path)) == [case.name for case in cases[1:]]


def test_a_file_that_cannot_be_written_does_not_stop_the_others(tmp_path, cases):
    (tmp_path / "organs.csv").mkdir()
    opened = ledger(cases, tmp_path)
    begin(opened, 0)
    opened.done(0, RECORD)
    with pytest.raises(OutputError, match=r"organs\.csv: cannot be written"):
        opened.close()
    assert (tmp_path / "index.html").exists()
    assert rows(tmp_path)["a/one"][0] == "done"


def test_no_name_is_a_formula_to_a_spreadsheet(tmp_path):
    cases = make(tmp_path, "=HYPERLINK(1)")
    opened = ledger(cases, tmp_path, Discovery(left_out=[(Path("@x"), "-reason")]))
    opened.skipped(0, RECORD)
    opened.close()
    organs = lines(tmp_path / "organs.csv")[1:]
    assert {organ[0] for organ in organs} == {"'=HYPERLINK(1)"}
    assert lines(tmp_path / "failures.csv")[1:] == [["'@x", "left out", "'-reason"]]
