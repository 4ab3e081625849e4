"""A run of a few steps on tiny cases."""

from __future__ import annotations

from pathlib import Path

from metaunetr_training.training.loop import train
from metaunetr_training.training.run import Run
from tiny_prepared import tiny_recipe, write_prepared


def make_run(folder: Path, *changes: str) -> Run:
    """Train in `folder` / "run" on cases in `folder` / "prepared"."""
    prepared = write_prepared(folder / "prepared")
    return train(tiny_recipe(*changes), prepared, 0, folder / "run", device="cpu")
