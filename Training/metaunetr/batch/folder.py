"""The run folder: where the results lie, and what tells of them.

    <name>.seg.nrrd …, <name>.json, <name>.png   labels, record and thumbnail of each case
    run.sqlite      the state of each case, at any time; see `manifest`
    organs.csv      volume, HU, confidence and flags, one line per case and organ
    failures.csv    cases without a result or whose input lacks something, and what was left out,
                    with the reasons
    index.html      all of it as a page, the suspicious cases first
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from metaunetr.batch.case import Case
from metaunetr.batch.discover import Discovery
from metaunetr.batch.finished import Finished
from metaunetr.batch.index import Card, write_index
from metaunetr.batch.manifest import DONE, FAILED, RUNNING, WAITING, Manifest, Row
from metaunetr.batch.privacy import identity
from metaunetr.batch.table import write_failures, write_table
from metaunetr.errors import OutputError

MANIFEST, TABLE, FAILURES, INDEX = "run.sqlite", "organs.csv", "failures.csv", "index.html"


class RunFolder:
    """What a run tells in its folder. For one process, and one of its threads at a time.

    All of it is about the cases of this run, those finished before included.

    Args:
        output: the folder; it exists.
        identifiers: whether patients may be named, see `privacy`.

    Attributes:
        warnings: sentences about what could not be told.

    Raises:
        OutputError: the folder cannot be written, or another run writes to it.
    """

    def __init__(self, output: Path, identifiers: bool) -> None:
        self.output, self.identifiers = Path(os.path.abspath(output)), identifiers
        self.manifest = Manifest(self.output / MANIFEST)
        self.warnings = self.manifest.warnings
        self._cases: dict[str, Case] = {}
        self._rows: dict[str, Row] = {}
        self._finished: dict[str, Finished] = {}
        self._ended: set[str] = set()  # before this run, and not begun in it
        self._left_out: list[tuple[str, str]] = []
        self._identities: dict[str, dict[str, str]] | None = {} if identifiers else None

    def begin(self, cases: list[Case], discovery: Discovery) -> None:
        """The cases of the run, all waiting; those that a killed run began keep their attempts."""
        self._left_out = [(printable(path), printable(reason))
                          for path, reason in discovery.left_out]
        self._cases = {case.name: case for case in cases}
        for case in cases:
            name = printable(case.name)
            before = self.manifest.before.get(name, Row(name))
            if before.state in (DONE, FAILED):
                self._ended.add(case.name)
            self._rows[case.name] = Row(name, case.id, attempts=before.attempts,
                                        seconds=before.seconds)
        if self.identifiers:
            self._identities = {case.name: identity(case.files[0]) for case in cases if case.id}
        self.manifest.begin(self._rows.values(), self._left_out)

    def lost(self, case: Case) -> int:
        """How many times a run was killed while it worked on this case, and nothing else since."""
        before = self.manifest.before.get(printable(case.name))
        return before.attempts if before and before.state == RUNNING else 0

    def running(self, case: Case) -> None:
        attempts = 1 if case.name in self._ended else self._rows[case.name].attempts + 1
        self._ended.discard(case.name)
        self._put(case, state=RUNNING, reason="", seconds=None, attempts=attempts, made_from="")

    def done(self, case: Case, finished: Finished, seconds: float | None) -> None:
        """The results are complete.

        Args:
            seconds: that it took; None when it was finished before.
        """
        self._finished[case.name] = finished
        if seconds is None:
            seconds = self._rows[case.name].seconds
        self._put(case, state=DONE, seconds=seconds, reason=" ".join(finished.warnings),
                  made_from=json.dumps(finished.made_from, sort_keys=True))

    def failed(self, case: Case, reason: str, seconds: float) -> None:
        """
        Args:
            reason: as it may be shown around.
        """
        self._put(case, state=FAILED, reason=printable(reason), seconds=seconds)

    def close(self) -> None:
        """Writes the tables and the page, whether or not all cases have come to an end.

        Raises:
            OutputError: one of the files cannot be written; the others are.
        """
        for case in self._cases.values():
            if self._rows[case.name].state == RUNNING:  # cancelled
                self._put(case, state=WAITING)
        self.manifest.close()
        _all([lambda: self.write_table(self.output / TABLE), self._write_failures,
              self._write_index])

    def write_table(self, path: Path) -> None:
        """Writes the statistics of all finished cases.

        Raises:
            OutputError: the file cannot be written.
        """
        finished = ((case, self._finished[name]) for name, case in self._cases.items()
                    if self._rows[name].state == DONE)
        write_table(path, finished, self._identities)

    def _put(self, case: Case, **changes) -> None:
        self._rows[case.name] = row = replace(self._rows[case.name], **changes)
        self.manifest.put(row)

    def _write_failures(self) -> None:
        told = [(row.name, row.state, row.reason) for row in self._rows.values()
                if row.state != DONE or row.reason]
        left_out = [(path, "left out", reason) for path, reason in self._left_out]
        write_failures(self.output / FAILURES, told + left_out)

    def _write_index(self) -> None:
        cards = [
            Card(self._rows[name], self._finished[name].organs,
                 self._finished[name].labels(case).relative_to(self.output),
                 case.thumbnail.relative_to(self.output), self._who(name))
            if self._rows[name].state == DONE else Card(self._rows[name], who=self._who(name))
            for name, case in self._cases.items()
        ]
        write_index(self.output / INDEX, cards, self._left_out)

    def _who(self, name: str) -> str:
        identity = (self._identities or {}).get(name, {})
        return ", ".join(filter(None, identity.values()))


def printable(text: object) -> str:
    """Text as every file can hold it; bytes of file names that are no text become "\\udcff"."""
    return str(text).encode("utf-8", "backslashreplace").decode("utf-8")


def _all(steps: list[Callable[[], None]]) -> None:
    """All steps, also after one has failed; the first failure is raised in the end."""
    errors = []
    for step in steps:
        try:
            step()
        except OutputError as error:
            errors.append(error)
    if errors:
        raise errors[0]
