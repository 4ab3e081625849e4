"""Reporters: functions that show the events of a run to a person or a program."""

from __future__ import annotations

import json
import shutil
import sys
import time
from typing import Any

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
    """Prints each event as one line of JSON on standard output, for programs."""

    def __call__(self, event: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(event, allow_nan=False) + "\n")
        sys.stdout.flush()

    def close(self) -> None:
        pass


class TerminalProgress:
    """Prints to standard error: a bar with the remaining time on a terminal, warnings in a pipe.

    Args:
        verbose: print a line for each stage with the seconds since the start, also in a pipe.
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
        """Clear the line of the terminal."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None
        if self.note:
            self._show(" " * len(self.note))
            self._show("")

    def _show(self, note: str) -> None:
        """Print a line that the next one replaces."""
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
