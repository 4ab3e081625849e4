"""What adapting has changed, on cases that were held out: Dice and NSD before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np

from metaunetr.organs import ORGANS
from metaunetr_training.evaluation.scores import Score

TOLERATED = 0.02  # loss of an organ's mean Dice
MEAN = "mean of organs"


@dataclass(frozen=True)
class Line:
    """Mean scores of one organ over `n` held-out cases, or the mean of all organs."""

    name: str
    n: int
    dice_before: float
    dice_after: float
    nsd_before: float
    nsd_after: float

    def to_json(self) -> dict[str, Any]:
        return {"n": self.n, "dice": [round(self.dice_before, 4), round(self.dice_after, 4)],
                "nsd_2mm": [round(self.nsd_before, 4), round(self.nsd_after, 4)]}


@dataclass(frozen=True)
class Gain:
    """The scores of every corrected organ, and whether the adapted model is better.

    Attributes:
        mean: over the organs.
        reason: why the model is not better; "" where it is.
    """

    organs: tuple[Line, ...]
    mean: Line
    reason: str

    @classmethod
    def of(cls, before: Sequence[Score], after: Sequence[Score]) -> Gain:
        """Compares scores of the same cases, each of which was held out from training.

        An organ that is in neither reference nor result counts as 1, if the other result has it.
        """
        pairs = _pairs(before, after)
        lines = [Line(organ.name, len(mine), *np.mean(mine, axis=0).tolist())
                 for organ in ORGANS if (mine := pairs.get(organ.name))]
        values = np.mean([[line.dice_before, line.dice_after, line.nsd_before, line.nsd_after]
                          for line in lines], axis=0).tolist() if lines else [0.0] * 4
        mean = Line(MEAN, len({score.key for score in before}), *values)
        return cls(tuple(lines), mean, _reason(lines, mean))

    def to_json(self) -> dict[str, Any]:
        """Values before and after, by organ, and their mean."""
        return {"organs": {line.name: line.to_json() for line in self.organs},
                "mean": self.mean.to_json(), "reason": self.reason}

    def table(self) -> str:
        """Aligned text."""
        rows = [f"{'organ':<26}{'n':>4}{'Dice':>16}{'NSD 2 mm':>18}"]
        rows += [f"{line.name:<26}{line.n:>4}{line.dice_before:>8.3f} → {line.dice_after:.3f}"
                 f"{line.nsd_before:>10.3f} → {line.nsd_after:.3f}"
                 for line in (*self.organs, self.mean)]
        return "\n".join(rows)


def _pairs(before: Sequence[Score], after: Sequence[Score]) -> dict[str, list[tuple]]:
    """Dice before and after, and NSD before and after, of each case, by organ."""
    old = {(score.key, score.organ): score for score in before}
    found: dict[str, list[tuple]] = {}
    for new in after:
        pair = old[new.key, new.organ], new
        if any(score.scored for score in pair):
            found.setdefault(new.organ, []).append(tuple(
                1.0 if isnan(value) else value for value in (
                    *(score.dice for score in pair), *(score.nsd_2mm for score in pair))))
    return found


def _reason(lines: Sequence[Line], mean: Line) -> str:
    if not lines:
        return "no corrected organ could be measured"
    if mean.dice_after <= mean.dice_before:
        return (f"mean Dice did not rise ({mean.dice_before:.3f} before, {mean.dice_after:.3f} "
                "after)")
    worse = [f"{line.name} ({line.dice_before:.3f} before, {line.dice_after:.3f} after)"
             for line in lines if line.dice_after < line.dice_before - TOLERATED]
    return f"Dice fell by more than {TOLERATED}: {', '.join(worse)}" if worse else ""
