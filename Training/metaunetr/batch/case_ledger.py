"""The ledger of a batch: the state of each case, as run.sqlite, events, tables and a page.

    <name>.seg.nrrd …, <name>.json, <name>.png   labels, record and thumbnail of each case
    <name> report.html, <name> surfaces/         further results, if they are wanted
    run.sqlite      the state of each case, at any time; see `run_database`
    organs.csv      volume, HU, confidence and flags, one line per case and organ
    failures.csv    cases that failed, were not finished or have a warning, and what was left out,
                    with the reasons
    index.html      all of it as a page, the suspicious cases first
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from metaunetr.batch.case import Case
from metaunetr.batch.case_record import CaseRecord
from metaunetr.batch.discover import Discovery
from metaunetr.batch.events import Event, result_text, summary_event
from metaunetr.batch.index import Card, write_index
from metaunetr.batch.privacy import identity
from metaunetr.batch.run_database import DONE, FAILED, RUNNING, WAITING, Row, RunDatabase
from metaunetr.batch.table import write_failures, write_table
from metaunetr.errors import OutputError, explain
from metaunetr.text import duration

EARLIER = "the results are those of an earlier run"
DATABASE, TABLE, FAILURES, INDEX = "run.sqlite", "organs.csv", "failures.csv", "index.html"


class Ledger:
    """The states of the cases of one run, by index. Only one thread may use it.

    Args:
        output: the folder of the results; it exists.
        identifiers: whether patients may be named, see `privacy`.
        report: called with every event.

    Attributes:
        started: the time (`perf_counter`) at which each case began.
        counts: number of cases that ended as "done", "skipped" or "failed".
        stopped: `report` has raised an error: what is raised then is not the fault of a case.
        warnings: sentences about what could not be written to run.sqlite.

    Raises:
        OutputError: the folder cannot be written, or another run writes to it.
    """

    def __init__(
        self, cases: list[Case], discovery: Discovery, output: Path, identifiers: bool,
        report: Callable[[Event], None],
    ) -> None:
        self.cases, self.output, self._report = cases, Path(os.path.abspath(output)), report
        self.started: dict[int, float] = {}
        self.counts: Counter[str] = Counter()
        self.stopped = False
        self._records: dict[int, CaseRecord] = {}
        self._left_out = [(printable(path), printable(why)) for path, why in discovery.left_out]
        self._identities = None
        if identifiers:
            self._identities = {case.name: identity(case.input, case.files)
                                for case in cases if case.id}
        self._database = RunDatabase(self.output / DATABASE)
        self.warnings = self._database.warnings
        self._before = [self._database.before.get(printable(case.name), Row("")) for case in cases]
        self._rows = [Row(printable(case.name), case.id, attempts=before.attempts,
                          seconds=before.seconds)
                      for case, before in zip(cases, self._before, strict=True)]
        self._database.begin(self._rows, self._left_out)

    def report(self, event: Event) -> None:
        """Pass an event on; what `report` raises ends the run."""
        try:
            self._report(event)
        except BaseException:
            self.stopped = True
            raise

    def report_case(self, index: int, event: Event) -> None:
        """Pass on an event of the case that is being worked on."""
        self.report(event | {"case": index})

    def kills(self, index: int) -> int:
        """The number of runs in a row that were killed while they worked on this case."""
        before = self._before[index]
        return before.attempts if before.state == RUNNING else 0

    def reading(self, index: int) -> None:
        """The case begins to be read. If the process is killed now, this case may be the cause."""
        row, before = self._rows[index], self._before[index]
        first = row.state == WAITING and before.state in (DONE, FAILED)
        self._put(index, state=RUNNING, reason="", seconds=None, made_from="",
                  attempts=1 if first else row.attempts + 1)

    def running(self, index: int) -> None:
        """The case is the current one."""
        self.started[index] = perf_counter()
        self._report_state(index, "running", "", remaining_s=self._remaining())

    def skipped(self, index: int, record: CaseRecord) -> None:
        """The case was finished by an earlier run."""
        self._finish(index, "skipped", record, None)

    def done(self, index: int, record: CaseRecord) -> None:
        """The results of the case are complete."""
        self._finish(index, "done", record, perf_counter() - self.started[index])

    def failed(self, index: int, error: BaseException) -> None:
        """The case has no results."""
        reason = self.cases[index].public_text(explain(error)[0])
        seconds = perf_counter() - self.started[index]
        self._put(index, state=FAILED, reason=printable(reason), seconds=seconds)
        self._end(index, "failed", seconds, f"FAILED: {reason}", text=reason)

    def summary(self, seconds: float, busy: float | None) -> None:
        """Report the end of the run; see `summary_event`."""
        self.report(summary_event(self.counts, seconds, busy))

    def close(self) -> None:
        """Write the tables and the page, also of a run that was cancelled.

        Raises:
            OutputError: one of the files cannot be written; the others are.
        """
        for index, row in enumerate(self._rows):
            if row.state == RUNNING:  # cancelled, which is not the fault of the case
                self._put(index, state=WAITING, attempts=row.attempts - 1)
            if self._rows[index].state == WAITING:
                self._keep_earlier(index)
        self._database.close()
        errors = []
        for write in (lambda: self.write_table(self.output / TABLE), self._write_failures,
                      self._write_index):
            try:
                write()
            except OutputError as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def write_table(self, path: Path) -> None:
        """Write the statistics of all cases with results as CSV.

        Raises:
            OutputError: the file cannot be written.
        """
        finished = ((case, self._records[index]) for index, case in enumerate(self.cases)
                    if index in self._records)
        write_table(path, finished, self._identities)

    def _finish(self, index: int, state: str, record: CaseRecord, seconds: float | None) -> None:
        self._records[index] = record
        case = self.cases[index]
        self._put(index, state=DONE, reason=" ".join(record.warnings),
                  seconds=self._rows[index].seconds if seconds is None else seconds,
                  made_from=json.dumps(record.made_from, sort_keys=True))
        self._end(index, state, seconds or 0.0, result_text(case, record, seconds),
                  flags=record.flags, doubts=record.doubts, output=str(record.labels(case)))

    def _keep_earlier(self, index: int) -> None:
        """Keep the results of an earlier run in the tables and on the page."""
        record = CaseRecord.read(self.cases[index])
        if record and record.is_complete(self.cases[index]):
            self._records[index] = record
            self._put(index, reason=EARLIER)

    def _end(self, index: int, state: str, seconds: float, words: str, **facts) -> None:
        self.counts[state] += 1
        remaining = self._remaining()
        if state != "skipped" and remaining:
            words += f"; about {duration(remaining)} left"
        line = f"[{index + 1}/{len(self.cases)}] {self.cases[index].name}: {words}"
        self._report_state(index, state, line, seconds=round(seconds, 2), remaining_s=remaining,
                           **facts)

    def _report_state(self, index: int, state: str, line: str, **facts) -> None:
        self.report({"event": "case", "index": index, "name": self.cases[index].name,
                     "state": state, "line": line} | facts)

    def _remaining(self) -> float | None:
        """Seconds for the cases that have not ended; None before the first is done.

        Failed cases count as ended only: most fail at once.
        """
        if not self.counts["done"]:
            return None
        elapsed = perf_counter() - min(self.started.values())
        left = len(self.cases) - sum(self.counts.values())
        return round(elapsed / self.counts["done"] * left, 1)

    def _put(self, index: int, **changes) -> None:
        self._rows[index] = replace(self._rows[index], **changes)
        self._database.put(self._rows[index])

    def _write_failures(self) -> None:
        remarks = [(row.name, row.state, row.reason) for row in self._rows
                   if row.state != DONE or row.reason]
        left_out = [(path, "left out", reason) for path, reason in self._left_out]
        write_failures(self.output / FAILURES, remarks + left_out)

    def _write_index(self) -> None:
        cards = map(self._card, range(len(self.cases)))
        write_index(self.output / INDEX, cards, self._left_out, (TABLE, FAILURES))

    def _card(self, index: int) -> Card:
        case, row = self.cases[index], self._rows[index]
        known = (self._identities or {}).get(case.name, {})
        card = Card(row, who=", ".join(filter(None, known.values())))
        if not (record := self._records.get(index)):
            return card
        has_report = case.report in record.sizes(case)
        return replace(card, organs=record.organs,
                       labels=record.labels(case).relative_to(self.output),
                       thumbnail=case.thumbnail.relative_to(self.output),
                       report=case.report.relative_to(self.output) if has_report else None)


def printable(text: object) -> str:
    """Text that every file can hold; undecodable bytes of file names become "\\udcff"."""
    return str(text).encode("utf-8", "backslashreplace").decode("utf-8")
