"""A limit of time that is reached at a chosen moment."""

from __future__ import annotations

from metaunetr.errors import Cancelled
from metaunetr_training.experiments.unattended import Clock


class Ending(Clock):
    """Ends the work at the n-th look at the clock."""

    def __init__(self, looks: int) -> None:
        super().__init__(None)
        self.looks = looks

    def check(self) -> None:
        self.looks -= 1
        if self.looks < 0:
            raise Cancelled("the time is over")
