"""Reading, segmenting and writing overlap, memory is bounded, and no thread outlives a run."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from metaunetr.batch import case_steps
from metaunetr.batch.case import Case
from metaunetr.batch.case_ledger import Ledger
from metaunetr.batch.case_record import CaseRecord
from metaunetr.batch.discover import Discovery
from metaunetr.batch.options import Options
from metaunetr.batch.pipeline import Pipeline
from metaunetr.errors import Cancelled, InputError, OutputError

STEPS = ("read", "segment", "write")
ERRORS = (MemoryError(), InputError("damaged"), OutputError("the disk is full"),
          ZeroDivisionError(), BrokenPipeError(32, "of a file system"), Cancelled("of a library"))


class Loaded:
    def __init__(self, case: Case) -> None:
        self.case = case


class Steps:
    """Stand-ins for the three steps of a case.

    Attributes:
        during: called in a step, by its name, with the name of the case.
        errors: raised in a step of a case, by (step, name of the case).
        most: images that were in memory at once.
        written: names of the cases that were written.
    """

    def __init__(self) -> None:
        self.during = dict.fromkeys(STEPS, lambda name: None)
        self.errors: dict[tuple[str, str], BaseException] = {}
        self.images = weakref.WeakSet()
        self.most = 0
        self.written: list[str] = []

    def read(self, case, options, bundle):
        image = Loaded(case)
        self.images.add(image)
        self.most = max(self.most, len(self.images))
        self._step("read", case)
        return image

    def segment(self, engine, loaded, options, report):
        report({"event": "windows", "done": 1, "total": 2})
        self._step("segment", loaded.case)
        report({"event": "windows", "done": 2, "total": 2})

    def write(self, loaded, result, options):
        self._step("write", loaded.case)
        self.written.append(loaded.case.name)
        return CaseRecord(loaded.case.name, {}, {}, (), {})

    def _step(self, step: str, case) -> None:
        self.during[step](case.name)
        if error := self.errors.get((step, case.name)):
            raise error


@pytest.fixture
def steps(monkeypatch) -> Steps:
    steps = Steps()
    for name in STEPS:
        monkeypatch.setattr(
            case_steps, name, lambda *args, name=name: getattr(steps, name)(*args))
    monkeypatch.setattr("metaunetr.batch.case_ledger.RunDatabase", lambda path: Mock(before={}))
    monkeypatch.setattr("metaunetr.batch.pipeline.Segmenter", lambda *args: SimpleNamespace(
        device_warnings=[]))
    return steps


@pytest.fixture
def start(tmp_path, steps):
    """Runs the pipeline over cases of these names; raises `stop` instead of taking event `n`."""
    def start(names: str, n: int = -1, stop: BaseException | None = None) -> list[dict]:
        events, steps.written = [], []

        def take(event) -> None:
            if len(events) == n:
                raise stop
            events.append(event)

        cases = [Case(name, Path(name), (Path(name),), tmp_path / f"{name}.seg.nrrd",
                      tmp_path / f"{name}.json", tmp_path / name, tmp_path / f"{name}.png")
                 for name in names]
        ledger = Ledger(cases, Discovery(), tmp_path, False, take)
        start.events = events
        assert 0 <= Pipeline([*range(len(cases))], Options(tmp_path), None, ledger).run() <= 1
        return events
    return start


def states(events: list[dict]) -> dict[str, str]:
    """The last state of each case."""
    return {event["name"]: event["state"] for event in events if event["event"] == "case"}


def test_the_next_case_is_read_and_the_last_written_while_one_is_segmented(steps, start):
    begun = {(step, name): threading.Event() for step in STEPS for name in "abc"}

    def wait(step: str, other: str, shift: int):
        def during(name: str) -> None:
            begun[step, name].set()
            if event := begun.get((other, chr(ord(name) + shift))):
                assert event.wait(30)
        return during

    steps.during = {"read": wait("read", "", 0), "segment": wait("segment", "read", 1),
                    "write": wait("write", "segment", 1)}
    assert states(start("abc")) == dict.fromkeys("abc", "done")


@pytest.mark.parametrize("slowest", STEPS)
def test_memory_is_that_of_three_cases_whatever_is_slow(steps, start, slowest):
    steps.during[slowest] = lambda name: time.sleep(0.01)
    start("abcdef")
    assert steps.most <= 3
    gc.collect()
    assert len(steps.images) == 0


@pytest.mark.parametrize("step", STEPS)
def test_an_error_fails_its_case_only(steps, start, step):
    for case in "abc":
        for error in ERRORS:
            steps.errors = {(step, case): error}
            others = [name for name in "abc" if name != case]
            expected = {case: "failed"} | dict.fromkeys(others, "done")
            assert (states(start("abc")), steps.written) == (expected, others), (case, error)


def test_the_events_of_a_case_keep_their_order(steps, start):
    steps.during["write"] = lambda name: time.sleep(0.01)
    events = start("abc")
    for index in range(3):
        mine = [event.get("state") or event.get("stage") or event["done"] for event in events
                if index in (event.get("index"), event.get("case"))]
        assert mine == ["running", "read", 1, 2, "write", "done"]


def test_a_written_case_is_reported_while_the_next_one_runs(steps, start):
    steps.during["write"] = lambda name: begun.wait(30)  # until the next one is segmented
    begun = threading.Event()

    def segment(name: str) -> None:
        if name == "b":
            begun.set()
            while not steps.written:
                time.sleep(0.01)
            time.sleep(0.05)

    steps.during["segment"] = segment
    order = [event.get("state") or event["done"] for event in start("ab")
             if event.get("state") == "done" or (event.get("case"), "done" in event) == (1, True)]
    assert order == [1, "done", 2, "done"]


@pytest.mark.parametrize("error", [Cancelled("by the user"), BrokenPipeError(), KeyboardInterrupt(),
                                   MemoryError()], ids=lambda error: type(error).__name__)
def test_an_error_of_the_report_function_ends_the_run_and_its_threads(start, error):
    before = threading.active_count()
    for moment in range(18):
        with pytest.raises(type(error)):
            start("abc", moment, error)
        assert (threading.active_count(), len(start.events)) == (before, moment)
    assert len(start("abc")) == 18


def test_an_interrupt_in_the_network_ends_the_run_and_its_threads(steps, start):
    steps.errors["segment", "b"] = KeyboardInterrupt()
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        start("abc")
    assert threading.active_count() == before
    assert states(start.events) | {"a": ""} == {"a": "", "b": "running"}
