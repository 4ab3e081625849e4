"""The summary of an evaluation: as JSON for programs, as Markdown and LaTeX for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import Any

import numpy as np

from metaunetr_training.evaluation.scores import RULES, Score, by_case, by_organ
from metaunetr_training.evaluation.statistics import (
    FEWEST_FOR_INTERVAL,
    RESAMPLES,
    Interval,
    bootstrap,
)

MEAN = "mean of organs"
METRICS = ("dice", "nsd_2mm", "hd95_mm")


@dataclass(frozen=True)
class Line:
    """One organ, or the mean of all.

    Attributes:
        n: cases. missed: those of them where only one of reference and result has the organ.
        means, intervals: of METRICS over cases; an interval is None for fewer than three cases.
        ceiling: mean Dice of a perfect mask at the model spacing; NaN unless it was asked for.
    """

    name: str
    n: int
    missed: int
    means: tuple[float, ...]
    intervals: tuple[Interval | None, ...]
    ceiling: float

    def to_json(self) -> dict[str, Any]:
        values: dict[str, Any] = {"n": self.n, "missed": self.missed}
        for metric, mean, interval in zip(METRICS, self.means, self.intervals, strict=True):
            values[metric] = _rounded(mean)
            values[f"{metric}_ci95"] = interval and [_rounded(end) for end in interval]
        if not isnan(self.ceiling):
            values["ceiling"] = _rounded(self.ceiling)
        return values


def summarize(scores: Sequence[Score]) -> tuple[Line, ...]:
    """A line for each organ that was scored, and the mean of organs last."""
    organs = by_organ(scores)
    keys = list(by_case(scores))
    lines = []
    tables = {metric: np.full((len(keys), len(organs)), nan) for metric in METRICS}
    for column, (name, mine) in enumerate(organs.items()):
        for score in mine:
            for metric, table in tables.items():
                value = getattr(score, metric)
                table[keys.index(score.key), column] = value if np.isfinite(value) else nan
        intervals = tuple(bootstrap(table[:, column]) for table in tables.values())
        lines.append(Line(
            name, len(mine), sum(score.missed for score in mine),
            tuple(_mean(table[:, column]) for table in tables.values()), intervals,
            _mean([score.ceiling for score in mine]),
        ))
    lines.append(Line(
        MEAN, len(keys), sum(line.missed for line in lines),
        tuple(_mean([line.means[n] for line in lines]) for n in range(len(METRICS))),
        tuple(bootstrap(table) for table in tables.values()),
        _mean([line.ceiling for line in lines]),
    ))
    return tuple(lines)


def markdown(lines: Sequence[Line], title: str, notes: Sequence[str]) -> str:
    return markdown_of(_cells(lines), title, notes)


def latex(lines: Sequence[Line], title: str, notes: Sequence[str]) -> str:
    return latex_of(_cells(lines), title, notes)


def markdown_of(cells: Sequence[Sequence[str]], title: str, notes: Sequence[str]) -> str:
    """A head and rows of cells, the first of each a name."""
    head, *rows = ([cell.replace("|", r"\|") for cell in row] for row in cells)
    rule = ["---"] + ["--:"] * (len(head) - 1)
    body = [f"| {' | '.join(row)} |" for row in (head, rule, *rows)]
    return "\n".join([f"**{title}**", "", *body, "", *(f"{note}\n" for note in notes)])


def latex_of(cells: Sequence[Sequence[str]], title: str, notes: Sequence[str]) -> str:
    """The same for LaTeX, with the package booktabs; the last row is set apart."""
    head, *rows = ([escape(cell) for cell in row] for row in cells)
    *organs, mean = (" & ".join(row) + r" \\" for row in rows)
    return "\n".join([
        r"% \usepackage{booktabs}",
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{escape(' '.join((title + '.', *notes)))}}}",
        rf"  \begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
        r"    \toprule",
        "    " + " & ".join(head) + r" \\",
        r"    \midrule",
        *("    " + line for line in organs),
        r"    \midrule",
        "    " + mean,
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
        "",
    ])


def caption(lines: Sequence[Line]) -> list[str]:
    """What must stand below the figures of a table."""
    intervals = (f"In brackets, 95 % bootstrap intervals over cases ({RESAMPLES} resamples); none "
                 f"for fewer than {FEWEST_FOR_INTERVAL} cases.")
    notes = [RULES, "NSD: within 2 mm; HD95: 95th percentile of the surface distance in mm.",
             intervals]
    if any(not isnan(line.ceiling) for line in lines):
        notes.append("Ceiling: Dice of the reference itself after the model spacing and back.")
    return notes


ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "–": "--", "−": "$-$",
    "×": r"$\times$", "…": r"\ldots{}",
}


def escape(text: str) -> str:
    """`text` as LaTeX sets it, letter by letter."""
    return "".join(ESCAPES.get(letter, letter) for letter in text)


def _cells(lines: Sequence[Line]) -> list[list[str]]:
    """The head and a row for each line; a column only where it says something."""
    ceiling = any(not isnan(line.ceiling) for line in lines)
    rows = [["organ", "n", "missed", "Dice", "NSD 2 mm", "HD95 mm"] + ["ceiling"] * ceiling]
    for line in lines:
        figures = [
            with_interval(mean, interval, 1 if metric == "hd95_mm" else 3)
            for metric, mean, interval in zip(METRICS, line.means, line.intervals, strict=True)
        ]
        rows.append([line.name, str(line.n), str(line.missed), *figures]
                    + [figure(line.ceiling, 3)] * ceiling)
    return rows


def with_interval(mean: float, interval: Interval | None, digits: int) -> str:
    """Such as "0.912 (0.880–0.934)"."""
    if interval is None or isnan(mean):
        return figure(mean, digits)
    return f"{mean:.{digits}f} ({interval[0]:.{digits}f}–{interval[1]:.{digits}f})"


def p_value(p: float) -> str:
    return "–" if isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def figure(value: float, digits: int) -> str:
    return "–" if isnan(value) else f"{value:.{digits}f}"


def _rounded(value: float) -> float | None:
    return None if isnan(value) else round(value, 4)


def _mean(values) -> float:
    values = [value for value in values if not isnan(value)]
    return float(np.mean(values)) if values else nan
