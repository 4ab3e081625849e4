"""What experiments that run for hours share: a limit of time and a log."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from metaunetr.errors import Cancelled, OutputError

Report = Callable[[dict[str, Any]], None]


class Clock:
    """Ends the work after some minutes, without losing what is done.

    Args:
        minutes: None for no limit.
    """

    def __init__(self, minutes: float | None) -> None:
        self.minutes, self.began = minutes, time.monotonic()

    def check(self) -> None:
        """
        Raises:
            Cancelled: the time is over.
        """
        if self.minutes is not None and time.monotonic() - self.began > 60 * self.minutes:
            raise Cancelled(f"{self.minutes:g} minutes are over; the same command goes on")


def log(folder: Path, line: str, report: Report) -> None:
    """Adds a line with the time to log.txt in `folder`, and reports it.

    Raises:
        OutputError: it cannot be written.
    """
    path = folder / "log.txt"
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M')} {line}\n")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error
    report({"event": "line", "text": line})
