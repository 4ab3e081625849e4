"""The real engine process: its events arrive, it stops within a second, it dies with its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from metaunetr import __version__
from MetaUNETRSegmentLib import core, engine

WITHIN = 60.0  # seconds for what takes two on an idle machine


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "MetaUNETR-job"
    path.mkdir()
    return path


def run_to_end(process) -> list[dict]:
    events, deadline = [], time.monotonic() + WITHIN
    while process.exitCode is None and time.monotonic() < deadline:
        events += process.poll()
        time.sleep(0.01)
    return events


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    # a zombie that nobody has waited for yet has ended all the same
    return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"


def wait_until(condition, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return condition()


def test_lines_that_are_no_event_are_log_lines(folder):
    process = engine.startEngine(["--version"], folder)
    assert [event["event"] for event in run_to_end(process)] == ["log"]
    assert process.exitCode == 0


@pytest.mark.parametrize("arguments", [
    ["segment", "none.nrrd", "-o", "organs.nrrd"],
    ["adapt", "none.nrrd", "-o", "mine"],  # of `metaunetr-training`
    ["remember", "ct.nrrd", "none.nrrd", "-o", "copy"],
], ids=lambda arguments: arguments[0])
def test_an_error_comes_as_event_with_the_exit_code(folder, arguments):
    process = engine.startEngine([*arguments, "--json-progress"], folder)
    events = run_to_end(process)
    error = next(event for event in events if event["event"] == "error")
    assert "none.nrrd" in error["text"]
    assert process.exitCode == error["exit_code"] == 3


@pytest.mark.parametrize(("line", "event"), [
    ('{"event": "stage", "stage": "read"}', {"event": "stage", "stage": "read"}),
    ("Warning: of a library", {"event": "log", "text": "Warning: of a library"}),
    ("[1, 2]", {"event": "log", "text": "[1, 2]"}),
    ('{"event": 7}', {"event": "log", "text": '{"event": 7}'}),
    ('{"event": "sta', {"event": "log", "text": '{"event": "sta'}),
])
def test_garbage_between_events_does_no_harm(line, event):
    assert engine._event(line) == event


SLEEPER = """
import json, os, sys, time
sys.path.insert(0, {root!r})
from metaunetr.cli.ending import end_with_stdin
end_with_stdin()
print(json.dumps({{"event": "log", "text": str(os.getpid())}}), flush=True)
time.sleep(600)
"""
DEAF = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), flush=True)
time.sleep(600)
"""


@pytest.fixture
def started(folder, tmp_path, monkeypatch):
    """Starts a program through a launcher, which is not the interpreter itself, as PythonSlicer."""
    def start(program: str):
        script = tmp_path / "program.py"
        script.write_text(program.format(root=str(core.root())))
        launcher = tmp_path / "bin" / "python-launcher"
        launcher.parent.mkdir()
        launcher.write_text(f'#!/bin/sh\n"{sys.executable}" "{script}"\nexit $?\n')
        launcher.chmod(0o755)
        monkeypatch.setattr(engine, "pythonExecutable", lambda: launcher)
        process = engine.startEngine(["segment"], folder)
        events = []
        assert wait_until(lambda: events.extend(process.poll()) or events, WITHIN)
        return process, int(events[0]["text"])
    return start


@pytest.mark.skipif(os.name == "nt", reason="the launcher of this test is a shell script")
@pytest.mark.parametrize("program", [SLEEPER, DEAF], ids=["ends with its input", "ignores it"])
def test_stopping_ends_the_child_of_a_launcher_within_a_second(started, program):
    process, pid = started(program)
    before = time.monotonic()
    process.stop()
    assert time.monotonic() - before < 1.0
    assert process.exitCode is not None
    assert wait_until(lambda: not alive(pid), 0.5)


PARENT = """
import sys, time
sys.path[:0] = {paths!r}
from pathlib import Path
from MetaUNETRSegmentLib import engine
process = engine.startEngine(["phantom", "-o", "ct.nrrd", "--spacing", "0.7", "0.7", "0.7"],
                             Path({folder!r}))
print(process._process.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(os.name == "nt", reason="kills as POSIX does")
def test_an_engine_whose_parent_was_killed_ends_and_removes_its_folder(folder, scene):
    paths = [str(Path(engine.__file__).parents[1])]
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(paths=paths, folder=str(folder))],
        stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    time.sleep(1.0)
    assert alive(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert wait_until(lambda: not alive(pid), 10)
    assert not folder.exists()


@pytest.mark.skipif(os.name == "nt", reason="the launcher of this test is a shell script")
def test_a_launcher_that_sets_pythonpath_itself_finds_the_core(folder, tmp_path, monkeypatch):
    launcher = tmp_path / "PythonSlicer"
    launcher.write_text(f'#!/bin/sh\nPYTHONPATH=/nowhere exec "{sys.executable}" "$@"\n')
    launcher.chmod(0o755)
    monkeypatch.setattr(engine, "pythonExecutable", lambda: launcher)
    monkeypatch.setattr("slicer.util.startupEnvironment", lambda: dict(os.environ), raising=False)
    process = engine.startEngine(["--version"], folder)
    assert [event["text"] for event in run_to_end(process)] == [f"MetaUNETR {__version__}"]


def test_settings_of_the_user_reach_the_engine(monkeypatch):
    monkeypatch.setenv("METAUNETR_MODELS", "/models")
    environment = engine._environment(Path("/usr/bin/python3"))
    assert environment["METAUNETR_MODELS"] == "/models"
    assert environment["PYTHONPATH"].split(os.pathsep) == [path for path in sys.path if path]
