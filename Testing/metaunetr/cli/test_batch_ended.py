"""A batch that is stopped or killed leaves finished cases, and continues from there."""

from __future__ import annotations

import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from metaunetr.io import read_labels
from metaunetr.io.atomic import PREFIX

from .conftest import in_database, made, scan, start, states

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")


def wait_for(process: subprocess.Popen, **wanted) -> None:
    for line in process.stdout:
        if wanted.items() <= json.loads(line).items():
            return
    raise AssertionError(f"no event with {wanted}; {process.stderr.read()}")


@posix
def test_it_ends_before_its_windows_do(folder, slow, tmp_path):
    """For other signals and a closed standard input, see test_ending."""
    process = start("batch", "--input", folder, "--output", tmp_path / "out", "--model", slow,
                    "--json-progress")
    wait_for(process, done=3)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    assert made(tmp_path / "out") == {}


@posix
@pytest.mark.parametrize(("how", "code", "tables"), [("signal", 143, True), ("stdin", 130, False)])
def test_a_stopped_run_does_not_count_as_killed_by_the_case(folder, tiny, tmp_path, how, code,
                                                            tables):
    """Also if it is stopped during a call that goes on, such as reading from a slow share."""
    program = """
import sys, time
from metaunetr import io
from metaunetr.cli import main
read = io.read_image
io.read_image = lambda *args: time.sleep(2) or read(*args)
sys.exit(main(sys.argv[1:]))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program, "batch", "--input", folder, "--output", tmp_path / "out",
         "--model", tiny, "--json-progress"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(process, event="stage", stage="read")
    if how == "signal":
        process.send_signal(signal.SIGTERM)
    else:
        process.stdin.close()
    assert process.wait(60) == code
    with sqlite3.connect(tmp_path / "out" / "run.sqlite") as connection:
        assert connection.execute("SELECT DISTINCT state, attempts FROM cases").fetchall() == [
            ("waiting", 0)]
    assert (tmp_path / "out" / "index.html").exists() == tables


@pytest.mark.slow
@posix
def test_a_signal_ends_a_call_of_minutes(folder, tiny, tmp_path):
    """Python would raise only after the call."""
    code = """
import hashlib, sys
from metaunetr.cli import main
from metaunetr.engine import Segmenter
Segmenter.segment = lambda *_, **__: hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)
sys.exit(main(sys.argv[1:]))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code, "batch", "--input", folder, "--output", tmp_path / "out",
         "--model", tiny, "--json-progress"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(process, event="stage", stage="read")
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert set(in_database(tmp_path / "out").values()) == {"waiting"}
    assert err == "metaunetr: Interrupted; unfinished files were removed.\n"
    assert json.loads(out.splitlines()[-1])["exit_code"] == 130


@pytest.mark.slow
@posix
def test_killed_again_and_again_and_resumed(tiny, batch, tmp_path):
    """A case with a record is complete, stays as it is, and is not done again."""
    for n in range(4):
        scan(tmp_path / "in" / f"{n}.nii.gz", n)
    options = ("--surfaces", "stl", "--resume", "--json-progress")
    chance, finished = random.Random(0), {}
    for state in ("running", "done"):
        process = start("batch", "--input", tmp_path / "in", "--output", tmp_path / "out",
                        "--model", tiny, *options)
        wait_for(process, event="case", state=state)
        for _ in range(chance.randrange(10)):  # by events, not by time: machines differ
            process.stdout.readline()
        process.kill()
        process.communicate()
        now = made(tmp_path / "out")
        assert finished.items() <= now.items()
        for name, state in in_database(tmp_path / "out").items():
            assert state != "done" or f"{name}.json" in now
        finished = {name: moment for name, moment in now.items()
                    if f"{name[0]}.json" in now and not name.startswith(PREFIX)}
        for name in now:
            if name.endswith(".json") and not name.startswith(PREFIX):
                assert read_labels(tmp_path / "out" / f"{name[0]}.seg.nrrd").array.any()
    assert finished
    ran = batch(*options)
    assert ran.code == 0
    after = made(tmp_path / "out")
    assert finished.items() <= after.items()
    assert set(in_database(tmp_path / "out").values()) == {"done"}
    assert set(after) == {f"{n}{rest}" for n in range(4) for rest in (
        ".seg.nrrd", ".json", ".png", " surfaces/liver.stl", " surfaces/right_kidney.stl")}
    assert {name for name, state in states(ran).items() if state == "skipped"} == {
        name[0] for name in finished}


@pytest.mark.slow
@posix
@pytest.mark.parametrize(("moment", "redone"), [
    (0, {"b/ct"}),  # the old record is still there
    (5, {"a/ct", "b/ct"}),  # all but the record has been replaced
])
def test_killed_while_the_files_of_a_case_take_their_places(
    batch, finished, tmp_path, tiny, moment, redone
):
    """A note, labels, thumbnail, two surfaces and the record take their places, in this order."""
    out = tmp_path / "out"
    shutil.rmtree(out / "b")
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


@pytest.mark.slow
@posix
def test_a_case_during_which_runs_are_killed_comes_last_and_is_given_up(
    batch, folder, tmp_path, tiny
):
    """As by a system that is out of memory; the first of two cases kills the run."""
    code = """
import os, sys
from metaunetr.batch import case_steps
from metaunetr.cli import main
def killing(engine, loaded, *args, segment=case_steps.segment):
    if loaded.case.name == "a/ct":
        os.kill(os.getpid(), 9)
    return segment(engine, loaded, *args)
case_steps.segment = killing
sys.exit(main(sys.argv[1:]))
"""
    def killed() -> tuple[int, dict[str, str]]:
        done = subprocess.run(
            [sys.executable, "-c", code, "batch", "--input", folder, "--output", tmp_path / "out",
             "--model", tiny, "--resume"], capture_output=True)
        return done.returncode, in_database(tmp_path / "out")

    assert killed() == (-9, {"a/ct": "running", "b/ct": "running"})  # read ahead, perhaps the cause
    with sqlite3.connect(tmp_path / "out" / "run.sqlite") as connection:  # as after the second run
        connection.execute("UPDATE cases SET attempts = 2 WHERE name = 'a/ct'")
    assert killed() == (-9, {"a/ct": "running", "b/ct": "done"})
    ran = batch("--resume")
    assert ran.code == 7
    assert "3 runs were killed while they worked on it" in ran.out
    assert in_database(tmp_path / "out") == {"a/ct": "failed", "b/ct": "done"}
    assert states(batch("--json-progress")) == {"a/ct": "done", "b/ct": "done"}
