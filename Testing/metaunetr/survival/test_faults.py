"""Whatever ends a run, or fails in it: each output is what it was, or complete and right."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

import forked_runs
import metaunetr
from metaunetr.io import write_image
from tiny_bundle import small_ct, write_bundle

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks, and signals of POSIX")

FEW, MANY = 8, 200
OUTPUTS = ("out.nii.gz", "out.csv")
YESTERDAY = b"the result of yesterday"


class Runs:
    """A folder with a CT; `metaunetr segment` on it, again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.errors = folder / "work", folder / "errors"
        self.folder.mkdir()
        write_image(self.folder / "ct.nii.gz", small_ct())
        write_bundle(self.folder / "tiny")
        self.arguments = [
            "segment", self.folder / "ct.nii.gz", "--model", self.folder / "tiny",
            "--device", "cpu", "-o", self.folder / OUTPUTS[0], "--statistics",
            self.folder / OUTPUTS[1], "--report", self.folder / "out.html",
        ]
        path = [str(Path(place).parent) for place in (forked_runs.__file__, metaunetr.__path__[0])]
        self.server = subprocess.Popen(
            [sys.executable, forked_runs.__file__], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env=os.environ | {
                "PYTHONPATH": os.pathsep.join(path), "OMP_NUM_THREADS": "1",
                "METAUNETR_MODELS": str(folder / "none")},
        )
        assert self.run() == 0, self.errors.read_text()  # the first is slower
        begun = time.monotonic()
        assert self.run() == 0
        self.seconds = time.monotonic() - begun
        self.right = self.contents()

    def run(self, number: int | None = None, delay: float | None = 0,
            fault: dict | None = None) -> int:
        """The exit code of a run that gets the signal `number`.

        Args:
            delay: after which it gets it, in seconds; None: once it has a temporary file.
        """
        self.server.stdin.write(json.dumps({
            "arguments": list(map(str, self.arguments)), "errors": str(self.errors),
            "fault": fault}) + "\n")
        self.server.stdin.flush()
        process = int(self.server.stdout.readline())
        if number is not None:
            if delay is None:
                self.wait_for_a_temporary_file()
            else:
                time.sleep(delay)
            with suppress(ProcessLookupError):  # it has ended
                os.kill(process, number)
        return int(self.server.stdout.readline())

    def wait_for_a_temporary_file(self) -> None:
        """One that was not there before, or until the run must have ended."""
        until = time.monotonic() + 2 * self.seconds
        while self.abandoned.issuperset(self.temporary()) and time.monotonic() < until:
            time.sleep(0.0005)

    def contents(self) -> dict[str, bytes]:
        return {name: (self.folder / name).read_bytes() for name in OUTPUTS
                if (self.folder / name).exists()}

    def prepare(self, chance: random.Random) -> dict[str, bytes]:
        """Outputs of yesterday, or none; `abandoned` are the temporary files of killed runs."""
        for name in OUTPUTS:
            (self.folder / name).unlink(missing_ok=True)
            if chance.random() < 0.5:
                (self.folder / name).write_bytes(YESTERDAY)
        self.abandoned = set(self.temporary())
        return self.contents()

    def temporary(self) -> list[str]:
        return [path.name for path in self.folder.iterdir() if path.name.startswith(".metaunetr-")]

    def check(self, before: dict[str, bytes], code: int) -> None:
        """Every output is as before, or right; all are right after a run that says so."""
        after = self.contents()
        for name in OUTPUTS:
            assert after.get(name) in (before.get(name), self.right[name]), (name, code)
        if code == 0:
            assert after == self.right
        if code != -signal.SIGKILL:
            assert self.abandoned.issuperset(self.temporary())
        if code > 0:  # else it has ended before it could heed signals
            assert self.errors.read_text().startswith("metaunetr: ")
            assert "Unexpected" not in self.errors.read_text()
            assert self.errors.read_text().count("\n") == 1


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    runs = Runs(tmp_path_factory.mktemp("faults"))
    yield runs
    runs.server.kill()
    runs.server.communicate()


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_signals_at_random_moments(runs, long):
    chance, codes, left = random.Random(0), [], set()
    for _ in range(MANY if long else FEW):
        before = runs.prepare(chance)
        number = chance.choice([signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
        delay = None if chance.random() < 0.5 else chance.uniform(0, runs.seconds)
        codes.append(runs.run(number, delay))
        left.update(runs.temporary())
        runs.check(before, codes[-1])
        assert codes[-1] in (0, 128 + number, -number)
    assert runs.run() == 0
    assert runs.temporary() == []
    assert runs.contents() == runs.right
    counts = {code: codes.count(code) for code in sorted(set(codes))}
    print(f"{len(codes)} runs, exit codes {counts}; {len(left)} temporary files of killed runs, "
          "none in the end")


FAULTS = {"open": range(12), "fsync": range(4), "replace": range(4), "size": range(0, 60000, 500)}


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_faults_of_the_disk_at_random_places(runs, long):
    chance, codes = random.Random(1), []
    for turn in range(MANY if long else FEW):
        before = runs.prepare(chance)
        where = list(FAULTS)[turn % len(FAULTS)]
        number = chance.choice([errno.ENOSPC, errno.EACCES, errno.EIO])
        codes.append(runs.run(fault={"where": where, "at": chance.choice(FAULTS[where]),
                                     "number": number, "folder": str(runs.folder)}))
        runs.check(before, codes[-1])
        assert codes[-1] in (0, 3, 4, 5), (where, runs.errors.read_text())
    assert runs.run() == 0
    assert runs.contents() == runs.right
    counts = {code: codes.count(code) for code in sorted(set(codes))}
    print(f"{len(codes)} runs, exit codes {counts}")
