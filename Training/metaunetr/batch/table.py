"""What became of all cases, as CSV: UTF-8, comma-separated, decimal points."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from metaunetr.batch.case import Case
from metaunetr.batch.finished import Finished
from metaunetr.batch.privacy import IDENTIFIERS
from metaunetr.io.atomic import atomic
from metaunetr.report.statistics import COLUMNS, statistics_row


def write_table(
    path: Path, cases: Iterable[tuple[Case, Finished]],
    identities: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Write one line per case and organ: name, what the statistics of one case have, input, id.

    Args:
        cases: the finished ones with their records.
        identities: where patients may be named, columns of `IDENTIFIERS` by the name of the case.

    Raises:
        OutputError: the file cannot be written; nothing is left behind.
    """
    more = () if identities is None else tuple(IDENTIFIERS)

    def rows() -> Iterator[Sequence[object]]:
        for case, finished in cases:
            known = identities.get(case.name, {}) if identities else {}
            who = [known.get(column, "") for column in more]
            for item in finished.organs:
                yield (_text(case.name), *statistics_row(item), _text(case.told), case.id,
                       *map(_text, who))

    _write(path, ("case", *COLUMNS, "input", "id", *more), rows())


def write_failures(path: Path, failures: Iterable[tuple[str, str, str]]) -> None:
    """Write one line per case without a result or with a reason to look at its input, and per file
    or series that was left out.

    Args:
        failures: name or path, state, reason.

    Raises:
        OutputError: the file cannot be written; nothing is left behind.
    """
    _write(path, ("case", "state", "reason"), (map(_text, row) for row in failures))


def _text(value: str) -> str:
    """What spreadsheets do not take for a formula; names of patients and files may begin so."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with atomic(path) as temporary, open(
        temporary, "w", encoding="utf-8", errors="backslashreplace", newline=""
    ) as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
