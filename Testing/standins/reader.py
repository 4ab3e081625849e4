"""The process of `read_untrusted`, kept alive from file to file and replaced when it dies."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from pathlib import Path

import metaunetr

PATIENCE = 20.0  # seconds that a file of some kB may take
TURNS = 1000  # files that one process reads: GDCM keeps memory of files that it cannot read
HERE = Path(__file__).parent


class Reader:
    """Reads files in a process of its own; it starts when it is needed.

    Attributes:
        cpu: seconds that reading has taken so far.
    """

    def __init__(self) -> None:
        self.process = None
        self.cpu = 0.0
        self.turns = 0

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *error) -> None:
        self._stop()

    def __call__(self, kind: str, path: Path) -> str | None:
        """What should not have happened with the file at `path`, if anything did."""
        if self.turns == TURNS:
            self._stop()
        if self.process is None:
            self._start()
        self.turns += 1
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
        code = self._stop()
        return "it hangs" if line is None else f"it crashes with {code}"

    def _start(self) -> None:
        path = os.pathsep.join([str(Path(metaunetr.__file__).parents[1]), str(HERE)])
        self.before, self.turns = 0.0, 0
        self.process = subprocess.Popen(
            [sys.executable, HERE / "read_untrusted.py"], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path},
        )
        answer = json.loads(self.process.stdout.readline())  # its libraries are there
        self.before = answer["cpu"]

    def _stop(self) -> int | None:
        if self.process is None:
            return None
        self.process.stdin.close()  # then it ends, unless it hangs or has died
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        code, self.process = self.process.returncode, None
        return code
