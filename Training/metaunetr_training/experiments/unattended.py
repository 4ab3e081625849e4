"""What experiments that run for hours share: a limit of time, their setting, and a log."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from metaunetr.errors import Cancelled, InputError, OutputError
from metaunetr.io.atomic import write_text
from metaunetr.outputs import make_folder
from metaunetr.schema import read_json

Report = Callable[[dict[str, Any]], None]

SETTING = "setting.json"  # what is the same for all runs of an experiment


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


def begin(folder: Path, setting: Mapping[str, Any]) -> None:
    """Makes the folder of an experiment, or checks that it holds one with the same setting.

    Args:
        setting: JSON values.

    Raises:
        InputError: it holds another experiment.
        OutputError: it cannot be written to.
    """
    make_folder(folder)
    path = folder / SETTING
    if not path.exists():
        write_text(path, json.dumps(setting, indent=1))
        return
    try:
        there = read_json(path)
        different = [key for key, value in setting.items() if there[key] != value]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: is damaged ({error}); choose another folder") from None
    if different:
        raise InputError(f"{folder}: holds an experiment with other values of "
                         f"{', '.join(different)}; choose another folder")


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
