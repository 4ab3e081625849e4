"""The statistics of all cases in one CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from metaunetr.batch.case import Case
from metaunetr.batch.finished import Finished
from metaunetr.io.atomic import atomic
from metaunetr.report.statistics import COLUMNS, statistics_row


def write_table(path: Path, cases: Iterable[tuple[Case, Finished]]) -> None:
    """Write one line per case and organ: name, what the statistics of one case have, input.

    Args:
        cases: the finished ones with their records.

    Raises:
        OutputError: the file cannot be written; nothing is left behind.
    """
    with atomic(path) as temporary, open(
        temporary, "w", encoding="utf-8", errors="backslashreplace", newline=""
    ) as file:
        writer = csv.writer(file)
        writer.writerow(("case", *COLUMNS, "input"))
        for case, finished in cases:
            for item in finished.organs:
                writer.writerow([case.name, *statistics_row(item), case.input])
