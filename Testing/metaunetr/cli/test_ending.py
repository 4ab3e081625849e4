"""However a run is ended, it says so in a sentence, and leaves no partial file.

At random moments, and by SIGKILL: survival/test_faults.py.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from metaunetr.cli.ending import GRACE
from metaunetr.io import read_labels

from .conftest import contents, start

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")


@pytest.fixture
def running(ct, slow):
    """Starts a long run that would replace the result of yesterday; asserts that it did not."""
    output = ct.with_name("out.nii.gz")
    output.write_text("the result of yesterday")
    before = contents(ct.parent)
    processes = []

    def run() -> subprocess.Popen:
        processes.append(start("segment", ct, "-o", output, "--model", slow, "--json-progress",
                               "--report", ct.with_name("report.html")))
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
        process.wait()
    assert contents(ct.parent) == before


def wait_for(process: subprocess.Popen, key: str, value) -> None:
    """Read events until one has this value."""
    for line in process.stdout:
        if json.loads(line).get(key) == value:
            return
    raise AssertionError(f"no event with {key} = {value}; {process.stderr.read()}")


def test_what_does_not_end_by_itself_is_ended_within_a_second():
    assert GRACE < 1  # as docs/slicer.md says of Cancel


@pytest.mark.parametrize(("number", "event", "code", "sentence"), [
    (signal.SIGINT, ("stage", "read"), 130,
     "metaunetr: Interrupted; unfinished files were removed.\n"),
    pytest.param(signal.SIGTERM, ("done", 3), 143,
                 "metaunetr: Terminated; unfinished files were removed.\n",
                 marks=pytest.mark.slow),
])
def test_a_signal(running, number, event, code, sentence):
    process = running()
    wait_for(process, *event)
    process.send_signal(number)
    assert process.wait(20) == code
    assert process.stderr.read() == sentence
    assert json.loads(process.stdout.read().splitlines()[-1])["exit_code"] == code


@pytest.mark.slow
@pytest.mark.parametrize("event", [("stage", "model"), ("done", 3)])
def test_closing_standard_input_ends_the_process(running, event):
    process = running()
    wait_for(process, *event)
    process.stdin.close()
    assert process.wait(20) == 130
    assert process.stderr.read() == ""


@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP"])
def test_a_signal_while_files_are_written(monkeypatch, tmp_path, ct, segment, name):
    """The labels are complete, the report is being written."""
    number = getattr(signal, name)

    def interrupted(path, image, result):
        path.write_text("<html>")
        signal.raise_signal(number)

    monkeypatch.setattr("metaunetr.report.write_report", interrupted)
    (tmp_path / "report.html").write_text("the report of yesterday")
    before = contents(tmp_path)
    ran = segment(ct, "--report", tmp_path / "report.html")
    assert ran.code == 128 + number
    assert contents(tmp_path) == before


def test_a_signal_that_a_library_turns_into_an_error(monkeypatch, ct, segment):
    def interrupted(*args):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("cannot import name") from None

    monkeypatch.setattr("metaunetr.engine.segmenter.to_model_input", interrupted)
    ran = segment(ct)
    assert ran.code == 130
    assert ran.err == "metaunetr: Interrupted; unfinished files were removed.\n"


def test_an_ignored_signal_stays_ignored(monkeypatch, ct, segment):
    """As under nohup."""
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    monkeypatch.setattr("metaunetr.engine.segmenter.inspect_ct",
                        lambda image: signal.raise_signal(signal.SIGHUP) or [])
    assert segment(ct).code == 0
    signal.signal(signal.SIGHUP, previous)


@pytest.mark.slow
def test_standard_input_that_is_no_pipe_does_not_end_the_process(ct, tiny):
    """As under cron."""
    process = start("segment", ct, "-o", ct.with_name("out.nii.gz"), "--model", tiny,
                    "--json-progress", stdin=subprocess.DEVNULL)
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")


def test_a_signal_while_the_output_folder_is_tested(monkeypatch, ct, segment):
    """Between creating the test file and the block that removes it."""
    touch = Path.touch

    def interrupted(path):
        touch(path)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(Path, "touch", interrupted)
    before = contents(ct.parent)
    assert segment(ct).code == 143
    assert contents(ct.parent) == before


@pytest.mark.slow
@pytest.mark.parametrize(("command", "closed"), [
    ("segment {0}/ct.nii.gz -o {0}/out/ct.nii.gz --json-progress", "<&- >&- 2>&-"),
    ("batch --input {0}/ct.nii.gz --output {0}/out", ">&-"),
])
def test_closed_streams_do_no_harm(ct, tiny, tmp_path, command, closed):
    """As services, pythonw and some job schedulers start programs."""
    (tmp_path / "out").mkdir()
    arguments = [sys.executable, "-m", "metaunetr", *command.format(tmp_path).split(),
                 "--model", str(tiny)]
    done = subprocess.run(["sh", "-c", f'exec "$0" "$@" {closed}', *arguments],
                          capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert read_labels(next((tmp_path / "out").glob("ct.[ns]*"))).array.any()


def test_a_deleted_working_folder_is_named(ct, tmp_path):
    command = 'mkdir gone && cd gone && rmdir ../gone && exec "$0" -m metaunetr info "$1"'
    done = subprocess.run(["sh", "-c", command, sys.executable, str(ct)], cwd=tmp_path,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 3
    assert done.stderr == ("metaunetr: The current folder has been deleted; change to another one "
                           "(cd) and start again.\n")
