"""The learning rate: a linear warm-up, then half a cosine to zero.

The schedule runs over iterations, or over a wall-clock budget, whichever ends first; a budget so
ends with a finished schedule on any machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from metaunetr_training.recipe import Training


@dataclass(frozen=True)
class Schedule:
    iterations: int
    seconds: float  # infinite for no budget
    warmup: float
    peak: float

    @classmethod
    def of(cls, training: Training) -> Schedule:
        seconds = math.inf if training.max_minutes is None else 60 * training.max_minutes
        return cls(training.iterations, seconds, training.warmup, training.learning_rate)

    def progress(self, iteration: int, seconds: float, reserve: float = 0.0) -> float:
        """Share of the schedule that is behind, 1 at its end.

        Args:
            seconds: of training so far, over all resumed runs.
            reserve: seconds of the budget that are kept for what comes after the last step.
        """
        budget = max(self.seconds - reserve, 1e-9)
        return min(1.0, max(iteration / self.iterations, seconds / budget))

    def learning_rate(self, progress: float) -> float:
        if progress < self.warmup:
            # the first step at a twentieth: at zero it would be lost
            return self.peak * max(progress / self.warmup, 0.05)
        return self.peak * 0.5 * (1 + math.cos(math.pi * (progress - self.warmup)
                                               / (1 - self.warmup)))
