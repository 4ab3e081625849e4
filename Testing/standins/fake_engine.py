"""An engine process that says what a test tells it to, instead of segmenting."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


class FakeEngine:
    """Speaks one part of its script at each poll, and then ends.

    Put it in place with `monkeypatch.setattr("MetaUNETRSegmentLib.engine.startEngine", fake)`.

    Args:
        script: for each poll the events of that poll; a number is the exit code and ends it (it
            ends with 0 after the last one); a function is called with the job's folder and
            returns the events, having written what the engine would have written.
    """

    def __init__(self, *script: list[dict[str, Any]] | int | Callable[[Path], list[dict]]) -> None:
        self.script = list(script)
        self.exitCode: int | None = None
        self.stopped = False

    def __call__(self, arguments: list[str], folder: Path) -> FakeEngine:
        self.arguments, self.folder = arguments, folder
        return self

    def poll(self) -> list[dict[str, Any]]:
        step = self.script.pop(0) if self.script else 0
        if isinstance(step, int):
            self.exitCode = step
            return []
        return step(self.folder) if callable(step) else step

    def stop(self) -> None:
        self.stopped, self.exitCode = True, 130
