"""The numbers of a result as a CSV file."""

from __future__ import annotations

from math import isnan
from os import PathLike

from metaunetr.io.atomic import write_csv
from metaunetr.result import OrganResult, Result

COLUMNS = (
    "organ", "snomed_code", "snomed_side", "voxels", "volume_ml", "mean_hu", "sd_hu", "confidence",
    "flags",
)


def write_statistics(path: str | PathLike[str], result: Result) -> None:
    """Write one line per organ asked for, after a line with the names of COLUMNS.

    UTF-8, comma-separated, decimal points; volumes in mL, HU, confidence 0 to 1. What an organ
    that was not found does not have is left empty; several flags are joined by "; ".

    Raises:
        OutputError: the file cannot be written; nothing is left behind.
    """
    write_csv(path, COLUMNS, map(statistics_row, result.organs))


def statistics_row(item: OrganResult) -> list[str]:
    """The values of COLUMNS for one organ."""
    organ = item.organ
    return [
        organ.name, organ.code[1], organ.side[1] if organ.side else "", str(item.voxels),
        f"{item.volume_ml:.3f}", _number(item.hu_mean, 1), _number(item.hu_sd, 1),
        _number(item.confidence, 4), "; ".join(item.flags),
    ]


def _number(value: float, decimals: int) -> str:
    return "" if isnan(value) else f"{value:.{decimals}f}"
