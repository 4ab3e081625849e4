"""The CSV files of a batch: UTF-8, comma-separated, with decimal points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from metaunetr.batch.case import Case
from metaunetr.batch.case_record import CaseRecord
from metaunetr.batch.privacy import IDENTIFIERS
from metaunetr.io.atomic import write_csv
from metaunetr.report.statistics import COLUMNS, statistics_row


def write_table(
    path: Path, cases: Iterable[tuple[Case, CaseRecord]],
    identities: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Write one line per case and organ: name, columns as of `write_statistics`, input and id.

    Args:
        cases: those with results, and their records.
        identities: if patients may be named, the columns of `IDENTIFIERS` by name of the case.

    Raises:
        OutputError: the file cannot be written; nothing is left behind.
    """
    more = () if identities is None else tuple(IDENTIFIERS)

    def rows() -> Iterator[Sequence[object]]:
        for case, finished in cases:
            known = identities.get(case.name, {}) if identities else {}
            who = [known.get(column, "") for column in more]
            for item in finished.organs:
                yield (_text(case.name), *statistics_row(item), _text(case.public_input), case.id,
                       *map(_text, who))

    write_csv(path, ("case", *COLUMNS, "input", "id", *more), rows())


def write_failures(path: Path, failures: Iterable[tuple[str, str, str]]) -> None:
    """Write one line per case that failed or has a warning, and per file or series left out.

    Args:
        failures: name or path, state, reason.

    Raises:
        OutputError: the file cannot be written; nothing is left behind.
    """
    write_csv(path, ("case", "state", "reason"), (map(_text, row) for row in failures))


def _text(value: str) -> str:
    """Text that spreadsheets do not take for a formula, even if a name begins like one."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
