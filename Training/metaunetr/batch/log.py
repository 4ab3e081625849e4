"""What becomes of the cases of a run, told as it happens; used by one thread only."""

from __future__ import annotations

import time
from collections.abc import Callable

from metaunetr.batch.case import Case
from metaunetr.batch.events import Event, Told
from metaunetr.batch.finished import Finished
from metaunetr.errors import explain


class Log:
    """Cases by their index: running, and then done, skipped or failed.

    Attributes:
        finished: the records of those that are done or skipped.
        over: nobody listens any more, so that what is raised is not the fault of a case.
    """

    def __init__(self, cases: list[Case], report: Callable[[Event], None]) -> None:
        self.cases, self._report = cases, report
        self.told = Told(cases)
        self.finished: dict[int, Finished] = {}
        self.begun: dict[int, float] = {}
        self.over = False

    def report(self, event: Event) -> None:
        try:
            self._report(event)
        except BaseException:
            self.over = True
            raise

    def tell(self, index: int, event: Event) -> None:
        """An event of the case that is being worked on."""
        self.report(event | {"case": index})

    def skipped(self, index: int, finished: Finished) -> None:
        self.finished[index] = finished
        self.report(self.told.skipped(index, finished))

    def running(self, index: int) -> None:
        self.begun[index] = time.perf_counter()
        self.report(self.told.running(index))

    def done(self, index: int, finished: Finished) -> None:
        self.finished[index] = finished
        self.report(self.told.done(index, finished, self._seconds(index)))

    def failed(self, index: int, error: BaseException) -> None:
        text = self.cases[index].tell(explain(error)[0])
        self.report(self.told.failed(index, text, self._seconds(index)))

    def _seconds(self, index: int) -> float:
        return time.perf_counter() - self.begun[index]
