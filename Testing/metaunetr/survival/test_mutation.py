"""A damaged file is read as something sound, or refused by name: nothing else ever happens.

Each damaged file is read in a process of its own kind, so that a crash, a hang or unbounded memory
is seen as well; the processes go on to the next file and are replaced when they die.
"""

from __future__ import annotations

import json
import os
import random
import selectors
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import metaunetr
import mutation

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")

FEW = 40  # damaged files of each kind
CPU = 650.0  # seconds of the long form, over all kinds
PATIENCE = 20.0  # seconds that a file of some kB may take
KINDS = [make.__name__ for make in mutation.SEEDS]


class Reader:
    """The process that reads, started when it is needed."""

    def __init__(self) -> None:
        self.process = None
        self.cpu = 0.0

    def __call__(self, kind: str, path: Path) -> str | None:
        """What went wrong with the file at `path`, if anything."""
        if self.process is None:
            self._start()
        self.process.stdin.write(json.dumps({"kind": kind, "path": str(path)}) + "\n")
        self.process.stdin.flush()
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.process.stdout, selectors.EVENT_READ)
            line = self.process.stdout.readline() if waiting.select(PATIENCE) else None
        if line:
            answer = json.loads(line)
            self.cpu += answer["cpu"] - self.before
            self.before = answer["cpu"]
            return answer["wrong"]
        self.stop()
        return "it hangs" if line is None else f"it crashes with {self.code}"

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.communicate()
            self.code, self.process = self.process.returncode, None

    def _start(self) -> None:
        environ = os.environ | {
            "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(
                [str(Path(metaunetr.__file__).parents[1]), str(Path(mutation.__file__).parent)]),
        }
        self.before = 0.0
        self.process = subprocess.Popen(
            [sys.executable, Path(mutation.__file__).with_name("read_untrusted.py")], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ,
        )


@pytest.fixture(scope="module")
def reader():
    reader = Reader()
    yield reader
    reader.stop()


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    return mutation.seeds(tmp_path_factory.mktemp("seeds"))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_whole_is_read(reader, seeds, kind):
    assert reader(kind, seeds[kind]) is None


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_damaged_is_read_or_refused(reader, seeds, tmp_path, long, kind, record_property):
    folder = tmp_path / "case"
    shutil.copytree(seeds[kind].parent, folder)
    path, whole = folder / seeds[kind].name, seeds[kind].read_bytes()
    begun, tried, wrong = reader.cpu, 0, []
    while tried < FEW or (long and reader.cpu - begun < CPU / len(KINDS)):
        path.write_bytes(mutation.damaged(whole, random.Random(f"{kind} {tried}")))
        if found := reader(kind, path):
            kept = shutil.copy(path, tmp_path / f"{tried}{''.join(path.suffixes)}")
            wrong.append(f"{kept}: {found}")
        tried += 1
        if len(wrong) == 50:
            break
    print(f"{kind}: {tried} damaged files, {len(wrong)} wrong, {reader.cpu - begun:.0f} s of CPU")
    assert not wrong, "\n".join(wrong)
