"""How a run's events reach the person or the program that waits for it."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
import threading
import time
from contextlib import suppress
from typing import Any

from metaunetr.errors import Cancelled

SCRATCH = "METAUNETR_SCRATCH"  # folder of a calling program, removed when that program has gone
STAGES = {
    "search": "Searching for CTs",
    "read": "Reading",
    "model": "Loading the model",
    "check": "Checking the image",
    "resample": "Resampling",
    "estimate": "Measuring the speed of this machine",
    "network": "Segmenting",
    "restore": "Restoring the resolution",
    "findings": "Measuring organs",
    "write": "Writing",
}


class JsonProgress:
    """One JSON object a line on standard output, for programs."""

    def __call__(self, event: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(event, allow_nan=False) + "\n")
        sys.stdout.flush()

    def close(self) -> None:
        pass


class TerminalProgress:
    """A bar with remaining time on a terminal; in a pipe, warnings only. All on standard error.

    Args:
        verbose: also in a pipe, print a line for each stage with the seconds since the start.
    """

    def __init__(self, verbose: bool = False) -> None:
        self.terminal = sys.stderr.isatty()
        self.verbose = verbose
        self.started = time.perf_counter()
        self.bar = None
        self.note = ""

    def __call__(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "warning":
            self.close()
            print(f"warning: {event['text']}", file=sys.stderr)
        elif kind == "stage" and (self.verbose or self.terminal):
            self.close()
            name = STAGES.get(event["stage"], event["stage"])
            text = ": ".join(filter(None, (name, event.get("detail"))))
            if self.verbose:
                seconds = time.perf_counter() - self.started
                print(f"{seconds:7.2f} s  {text}", file=sys.stderr, flush=True)
            else:
                self._show(f"{text} …")
        elif not self.terminal:
            return
        elif kind == "estimate":
            self.close()
            print(f"About {event['seconds']:.0f} s and {event['memory_mb']:.0f} MB "
                  f"for {event['windows']} windows", file=sys.stderr)
        elif kind == "windows":
            self._advance(event["done"], event["total"])

    def close(self) -> None:
        """Leaves the terminal with an empty line."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None
        if self.note:
            self._show(" " * len(self.note))
            self._show("")

    def _show(self, note: str) -> None:
        """A line that the next one replaces."""
        print(f"\r{note}", end="", file=sys.stderr, flush=True)
        self.note = note

    def _advance(self, done: int, total: int) -> None:
        from tqdm import tqdm

        if self.bar is None:
            self.close()
            columns, lines = shutil.get_terminal_size()  # 80 × 24 where it is unknown
            self.bar = tqdm(total=total, desc=STAGES["network"], unit="window", leave=False,
                            ncols=columns, nrows=lines)
        self.bar.update(done - self.bar.n)


def end_with_stdin() -> None:
    """Ends the process at once when the pipe on standard input closes: its parent has gone.

    A launcher that is killed leaves its child alive, but the pipe between them closes. Where
    standard input is no pipe (a terminal, /dev/null, none), nobody holds its other end.
    """
    with suppress(AttributeError, OSError, ValueError):
        descriptor = sys.stdin.fileno()
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            threading.Thread(target=_watch, args=(descriptor,), daemon=True).start()


def _watch(descriptor: int) -> None:
    with suppress(OSError):
        while os.read(descriptor, 4096):  # not sys.stdin, whose lock Python needs at its end
            pass
    # The main thread may sit in a convolution for seconds, or in an import that we must not wait
    # for; before that module is there, nothing was begun to be written.
    atomic = sys.modules.get("metaunetr.io.atomic")
    if discard := getattr(atomic, "discard_unfinished", None):
        discard()
    if folder := os.environ.get(SCRATCH):
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(Cancelled.exit_code)
