"""What becomes of the cases of a run, told as it happens; used by one thread only."""

from __future__ import annotations

import time
from collections.abc import Callable

from metaunetr.batch.case import Case
from metaunetr.batch.events import Event, Told
from metaunetr.batch.finished import Finished
from metaunetr.batch.folder import RunFolder
from metaunetr.errors import explain


class Log:
    """Cases by their index: running, and then done, skipped or failed; also in the run folder.

    Attributes:
        over: nobody listens any more, so that what is raised is not the fault of a case.
    """

    def __init__(
        self, cases: list[Case], report: Callable[[Event], None], folder: RunFolder
    ) -> None:
        self.cases, self._report, self.folder = cases, report, folder
        self.told = Told(cases)
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

    def lost(self, index: int) -> int:
        """How many runs were killed while they worked on a case."""
        return self.folder.lost(self.cases[index])

    def skipped(self, index: int, finished: Finished) -> None:
        self.folder.done(self.cases[index], finished, None)
        self.report(self.told.skipped(index, finished))

    def begin(self, index: int) -> None:
        """A case begins to be read; should the run be killed now, it may be the cause."""
        self.folder.running(self.cases[index])

    def running(self, index: int) -> None:
        self.begun[index] = time.perf_counter()
        self.report(self.told.running(index))

    def done(self, index: int, finished: Finished) -> None:
        seconds = self._seconds(index)
        self.folder.done(self.cases[index], finished, seconds)
        self.report(self.told.done(index, finished, seconds))

    def failed(self, index: int, error: BaseException) -> None:
        text = self.cases[index].tell(explain(error)[0])
        seconds = self._seconds(index)
        self.folder.failed(self.cases[index], text, seconds)
        self.report(self.told.failed(index, text, seconds))

    def _seconds(self, index: int) -> float:
        return time.perf_counter() - self.begun[index]
