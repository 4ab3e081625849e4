"""Reports the events of one run, and keeps its warnings and times."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Report = Callable[[dict[str, Any]], None]


class Reporter:
    """Sends events to a function, which may raise to end the run.

    Attributes:
        warnings: sentences, in the order in which they came.
        seconds: duration of each stage that has ended.
    """

    def __init__(self, report: Report | None = None) -> None:
        self.report = report or (lambda event: None)
        self.warnings: list[str] = []
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Reports that a stage begins, and keeps its duration."""
        self.report({"event": "stage", "stage": name})
        started = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - started

    def warn(self, *texts: str) -> None:
        for text in texts:
            self.warnings.append(text)
            self.report({"event": "warning", "text": text})

    def progress(self, total: int) -> Callable[[int], None]:
        """A function of the number of windows done; remaining time counts from now on."""
        started = time.perf_counter()

        def progress(done: int) -> None:
            left = (time.perf_counter() - started) / done * (total - done)
            self.report({"event": "windows", "done": done, "total": total,
                         "remaining_s": round(left, 1)})

        return progress
