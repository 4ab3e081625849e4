"""The worst cases, to be looked at: reference above, result below, in the three planes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np

from metaunetr import io
from metaunetr.organs import BY_NAME
from metaunetr.report.overlay import Scene
from metaunetr_training.data.case import Case
from metaunetr_training.data.labels import read_reference
from metaunetr_training.evaluation.beside import picture
from metaunetr_training.evaluation.cases import labels_path
from metaunetr_training.evaluation.scores import Score, by_case, by_organ

WORST_CASES = 3


@dataclass(frozen=True)
class Look:
    """What is worth a picture: one organ of a case, or all that was scored in it."""

    file: str
    key: str
    organs: tuple[str, ...]
    title: str


def choose(scores: Sequence[Score]) -> list[Look]:
    """For each organ its worst case, and the three cases of the lowest mean Dice."""
    looks = []
    for name, mine in by_organ(scores).items():
        score = min(mine, key=lambda s: (s.dice, -s.reference_ml))
        distance = f"HD95 {score.hd95_mm:.1f} mm" if isfinite(score.hd95_mm) else _missing(score)
        looks.append(Look(
            f"{BY_NAME[name].key}.png", score.key, (name,),
            f"{name}, the worst of {len(mine)}: {score.key}, Dice {score.dice:.3f}, "
            f"NSD {score.nsd_2mm:.3f}, {distance}"))
    cases = {key: float(np.mean([s.dice for s in mine])) for key, mine in by_case(scores).items()}
    for rank, key in enumerate(sorted(cases, key=cases.get)[:WORST_CASES], start=1):
        organs = tuple(score.organ for score in by_case(scores)[key])
        looks.append(Look(f"case_{rank}.png", key, organs,
                          f"{key}, {_place(rank)} of {len(cases)} cases: mean Dice "
                          f"{cases[key]:.3f} of {len(organs)} organs"))
    return looks


def draw(folder: Path, scores: Sequence[Score], cases: Mapping[str, Case], output: Path) -> None:
    """Writes the pictures into `folder`; those of an earlier evaluation are removed.

    Args:
        cases: by key. output: folder of the evaluation, with the labels found.

    Raises:
        InputError: a file of a case cannot be read any more.
        OutputError: a picture cannot be written.
    """
    looks = choose(scores)
    for old in {*folder.glob("*.png")} - {folder / look.file for look in looks}:
        with suppress(OSError):
            old.unlink()
    for key in sorted({look.key for look in looks}):  # each CT is read once
        image = io.read_image(cases[key].image)
        reference = read_reference(cases[key], image)
        found = io.read_labels(labels_path(output, key))
        scenes = [Scene.of(image, labels) for labels in (reference, found)]
        for look in looks:
            if look.key == key:
                picture(folder / look.file, scenes, look.organs, look.title)


def _missing(score: Score) -> str:
    return "not found" if score.prediction_ml == 0 else "not in the reference"


def _place(rank: int) -> str:
    return {1: "the worst", 2: "the second worst", 3: "the third worst"}[rank]
