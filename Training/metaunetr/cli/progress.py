"""How a run's events reach the person or the program that waits for it."""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

STAGES = {
    "read": "Reading",
    "model": "Loading the model",
    "check": "Checking the image",
    "resample": "Resampling",
    "estimate": "Measuring the speed of this machine",
    "network": "Segmenting",
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
    """A bar with remaining time on a terminal; in a pipe, warnings only. All on standard error."""

    def __init__(self) -> None:
        self.bar = None
        self.terminal = sys.stderr.isatty()

    def __call__(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "warning":
            self.close()
            print(f"warning: {event['text']}", file=sys.stderr)
        elif not self.terminal:
            return
        elif kind == "stage":
            self.close()
            if event["stage"] != "network":
                print(f"\r\033[K{STAGES[event['stage']]} …", end="", file=sys.stderr, flush=True)
        elif kind == "estimate":
            print(f"\r\033[KAbout {event['seconds']:.0f} s and {event['memory_mb']:.0f} MB "
                  f"for {event['windows']} windows", file=sys.stderr)
        elif kind == "windows":
            self._advance(event["done"], event["total"])

    def _advance(self, done: int, total: int) -> None:
        from tqdm import tqdm

        if self.bar is None:
            self.bar = tqdm(total=total, desc=STAGES["network"], unit="window", leave=False)
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None
        elif self.terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def end_with_stdin() -> None:
    """Ends the process at once when standard input closes: its parent has gone or cancelled.

    A launcher that is killed leaves its child alive, but the pipe between them closes.
    """
    threading.Thread(target=_watch, args=(sys.stdin.buffer,), daemon=True).start()


def _watch(stream) -> None:
    import os

    from metaunetr.errors import Cancelled
    from metaunetr.io.atomic import discard_unfinished

    while stream.read(1):
        pass
    discard_unfinished()
    os._exit(Cancelled.exit_code)  # the main thread may sit in a convolution for seconds
