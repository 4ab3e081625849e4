"""The learning rate: a linear warm-up, then half a cosine to zero.

The schedule runs over iterations or a wall-clock budget, whichever ends first, so with a budget
the schedule is complete on any machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from metaunetr_training.recipe import Training


@dataclass(frozen=True)
class Schedule:
    """A learning-rate schedule.

    Attributes:
        seconds: wall-clock budget; infinite for none.
        warmup: share of the schedule in which the learning rate rises.
        peak: highest learning rate.
    """

    iterations: int
    seconds: float
    warmup: float
    peak: float

    @classmethod
    def of(cls, training: Training) -> Schedule:
        seconds = math.inf if training.max_minutes is None else 60 * training.max_minutes
        return cls(training.iterations, seconds, training.warmup, training.learning_rate)

    def progress(self, iteration: int, seconds: float, reserve: float = 0.0) -> float:
        """The completed share of the schedule, 0 to 1.

        Args:
            seconds: of training so far, over all resumed runs.
            reserve: seconds of the budget that are kept for the last validation.
        """
        budget = max(self.seconds - reserve, 1e-9)
        return min(1.0, max(iteration / self.iterations, seconds / budget))

    def learning_rate(self, progress: float) -> float:
        """The learning rate at a progress from 0 to 1."""
        if progress < self.warmup:
            # at least a twentieth: a first step at zero would change nothing
            return self.peak * max(progress / self.warmup, 0.05)
        return self.peak * 0.5 * (1 + math.cos(math.pi * (progress - self.warmup)
                                               / (1 - self.warmup)))
