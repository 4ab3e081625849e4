"""The network waits for nothing, memory stays bounded, and however a run ends, its threads do."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from metaunetr.batch import work
from metaunetr.batch.case import Case
from metaunetr.batch.finished import Finished
from metaunetr.batch.log import Log
from metaunetr.batch.options import Options
from metaunetr.batch.pipeline import Pipeline
from metaunetr.errors import Cancelled, InputError, OutputError

STEPS = ("read", "segment", "write")


class Loaded:
    def __init__(self, case: Case) -> None:
        self.case = case


class Steps:
    """Stand-ins for the three steps of a case, that take time and count what is in memory.

    Attributes:
        seconds: that each step takes.
        errors: raised in a step of a case, by (step, name of the case).
        most: images that were in memory at once.
        taken: seconds of all steps of all cases.
    """

    def __init__(self, **seconds: float) -> None:
        self.seconds = dict.fromkeys(STEPS, 0.0) | seconds
        self.errors: dict[tuple[str, str], BaseException] = {}
        self.images = weakref.WeakSet()
        self.most = 0
        self.written: list[str] = []
        self.taken = 0.0

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
        return Finished(loaded.case.name, {}, {}, (), {})

    def _step(self, name: str, case) -> None:
        started = time.perf_counter()
        time.sleep(self.seconds[name])
        self.taken += time.perf_counter() - started  # longer than asked, on a busy machine
        if error := self.errors.get((name, case.name)):
            raise error


@pytest.fixture
def steps(monkeypatch) -> Steps:
    steps = Steps()
    for name in STEPS:
        monkeypatch.setattr(work, name, getattr(steps, name))
    monkeypatch.setattr("metaunetr.batch.pipeline.Segmenter", lambda *args: SimpleNamespace(
        device_warnings=[]))
    return steps


class Run:
    """A run of the pipeline over cases of these names.

    Attributes:
        events: all that was told.
        states: the last state of each case.
    """

    def __init__(self, names: str, stop: tuple[int, BaseException] | None = None) -> None:
        self.events, self.stop = [], stop
        cases = [Case(name, Path(name), (Path(name),), *[Path(name)] * 4) for name in names]
        self.log = Log(cases, self._take, Mock(**{"lost.return_value": 0}))
        self.pipeline = Pipeline([*range(len(cases))], Options(Path()), None, self.log)

    def _take(self, event) -> None:
        if self.stop and len(self.events) == self.stop[0]:
            raise self.stop[1]
        self.events.append(event)

    @property
    def states(self) -> dict[str, str]:
        return {event["name"]: event["state"] for event in self.events if event["event"] == "case"}


def test_the_network_is_busy_nearly_all_the_time(steps):
    steps.seconds = {"read": 0.04, "segment": 0.06, "write": 0.04}
    started = time.perf_counter()
    busy = Run("abcdefghijklmnopqrst").pipeline.run()
    assert busy > 0.8  # one after the other, 0.43
    assert time.perf_counter() - started < 0.75 * steps.taken


@pytest.mark.parametrize("slowest", STEPS)
def test_memory_is_that_of_three_cases_whatever_is_slow(steps, slowest):
    steps.seconds[slowest] = 0.02
    assert Run("abcdefghij").pipeline.run() <= 1
    assert 2 <= steps.most <= 3
    gc.collect()
    assert len(steps.images) == 0


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("case", "abc")
@pytest.mark.parametrize("error", [
    MemoryError(), InputError("damaged"), OutputError("the disk is full"), ZeroDivisionError(),
    BrokenPipeError(32, "of a file system"), Cancelled("of a library"),
], ids=lambda error: type(error).__name__)
def test_a_failure_is_that_of_its_case(steps, step, case, error):
    steps.errors[step, case] = error
    run = Run("abc")
    run.pipeline.run()
    assert run.states == {name: "failed" if name == case else "done" for name in "abc"}
    assert steps.written == [name for name in "abc" if name != case]
    in_folder = [call.args[0].name for call in run.log.folder.done.call_args_list]
    assert in_folder == [name for name in "abc" if name != case]


def test_the_events_of_a_case_keep_their_order(steps):
    steps.seconds["write"] = 0.02
    run = Run("abc")
    run.pipeline.run()
    for index in range(3):
        mine = [event.get("state") or event.get("stage") or event["done"] for event in run.events
                if index in (event.get("index"), event.get("case"))]
        assert mine == ["running", "read", 1, 2, "write", "done"]


def test_what_is_written_is_told_while_the_next_case_runs(steps):
    steps.seconds["segment"] = 0.02
    run = Run("ab")
    run.pipeline.run()
    told = [(event["name"], event["state"]) for event in run.events if event["event"] == "case"]
    last_window = max(n for n, event in enumerate(run.events) if event["event"] == "windows")
    done = next(n for n, event in enumerate(run.events)
                if (event.get("name"), event.get("state")) == ("a", "done"))
    assert told[-1] == ("b", "done")
    assert done < last_window


@pytest.mark.parametrize("moment", range(18))
@pytest.mark.parametrize("error", [Cancelled("by the user"), BrokenPipeError(), KeyboardInterrupt(),
                                   MemoryError()], ids=lambda error: type(error).__name__)
def test_what_the_listener_raises_ends_the_run_and_its_threads(steps, moment, error):
    steps.seconds |= {"read": 0.002, "write": 0.002}
    run = Run("abc", stop=(moment, error))
    before = threading.active_count()
    with pytest.raises(type(error)):
        run.pipeline.run()
    assert threading.active_count() == before
    assert len(run.events) == moment


def test_an_interrupt_in_the_network_ends_the_run_and_its_threads(steps):
    steps.errors["segment", "b"] = KeyboardInterrupt()
    run = Run("abc")
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        run.pipeline.run()
    assert threading.active_count() == before
    assert run.states["b"] == "running"
    assert "c" not in run.states
