"""What is told reads well, and the time left is at the pace of the cases before."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from metaunetr.batch.case import Case
from metaunetr.batch.discover import Discovery
from metaunetr.batch.events import Told, cases_event, search_event
from metaunetr.batch.finished import Finished
from metaunetr.organs import BY_NAME
from metaunetr.result import OrganResult

CASES = [Case(name, Path(name), (), Path(f"{name}.seg.nrrd"), Path(), Path(), Path())
         for name in "abcd"]
FOUND = OrganResult(BY_NAME["liver"], 7, 1.0, 60.0, 9.0, 0.9)
FLAGGED = OrganResult(BY_NAME["spleen"], 0, 0.0, math.nan, math.nan, math.nan, ("not found",))


def finished(*organs) -> Finished:
    return Finished("", {}, {}, organs, {})


def test_what_an_input_lacks_is_told_with_its_case():
    told = Told(CASES)
    told.running(0)
    event = told.done(0, replace(finished(FOUND, FLAGGED), warnings=("Ends missing.",)), 9)
    assert "; look at: spleen; Ends missing" in event["line"]
    assert event["flags"] == ["Ends missing.", "spleen: not found"]


def test_a_batch_from_begin_to_end():
    times = iter((5.0, 15.0, 17.0, 217.0))
    told = Told(CASES, clock=lambda: next(times))
    events = [
        told.skipped(1, finished(FOUND)),
        told.running(0),
        told.done(0, finished(FOUND, FLAGGED), 10.0),
        told.failed(2, "c.nii.gz: the file is empty", 2.0),
        told.done(3, finished(FOUND), 200.0),
        told.summary(213.0, 0.97),
    ]
    assert [event["line"] for event in events] == [
        "[2/4] b: finished before",
        "",
        "[1/4] a: 1 organ in 10.0 s; look at: spleen; about 20 s left",
        "[3/4] c: FAILED: c.nii.gz: the file is empty; about 12 s left",
        "[4/4] d: 1 organ in 200.0 s",
        "4 cases: 2 done, 1 finished before, 1 failed, in 4 min, busy 97% of the time.",
    ]
    assert [event.get("remaining_s") for event in events[:-1]] == [None, None, 20.0, 12.0, 0.0]
    assert events[2]["flags"] == events[2]["doubts"] == ["spleen: not found"]
    assert events[2]["output"] == "a.seg.nrrd"
    assert events[3]["text"] == "c.nii.gz: the file is empty"


def test_what_was_found_and_left_out():
    event = cases_event(CASES[:1], Discovery(
        left_out=[(Path("b.seg.nrrd"), "a segmentation")], others=Counter({".txt": 2, "": 1})))
    assert event["total"] == 1
    assert event["cases"] == [{"name": "a", "input": "a"}]
    assert event["line"].splitlines() == [
        "Left out: b.seg.nrrd: a segmentation",
        "Left out: 3 files that are no images (suffix: .txt, none)",
        "1 case.",
    ]


@pytest.mark.parametrize(("files", "cts", "detail"), [
    (1, 0, "1 file, 0 CTs"), (12345, 1, "12,345 files, 1 CT"),
])
def test_how_far_the_search_is(files, cts, detail):
    assert search_event(files, cts) == {"event": "stage", "stage": "search", "detail": detail}
