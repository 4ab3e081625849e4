"""Comparison of two evaluations of the same cases.

    differences.csv   one line per case and organ
    comparison.json, table.md, table.tex
    differences.png
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan
from pathlib import Path
from typing import Any

import numpy as np

from metaunetr import io
from metaunetr.errors import InputError
from metaunetr.evaluation import write_csv
from metaunetr.outputs import make_folder
from metaunetr_training.data.datasets.pairs import join_ids
from metaunetr_training.evaluation import plots, table
from metaunetr_training.evaluation.cases import CaseScores, record_path
from metaunetr_training.evaluation.scores import Score, by_organ, read_csv
from metaunetr_training.evaluation.statistics import FEWEST_FOR_TEST, Paired, holm, paired
from metaunetr_training.evaluation.table import MEAN

LEVEL = 0.05
HEAD = ("organ", "n", "Dice A", "Dice B", "B − A", "p", "p (Holm)", "effect")


@dataclass(frozen=True)
class Evaluation:
    """The results of one evaluation.

    Attributes:
        references: hash of each case's reference by key.
        failed: keys of the cases that could not be measured.
    """

    folder: Path
    name: str
    scores: tuple[Score, ...]
    references: dict[str, str]
    failed: frozenset[str]

    @classmethod
    def read(cls, folder: Path) -> Evaluation:
        """
        Args:
            folder: of an evaluation, or of a run that has one.

        Raises:
            InputError: there is none, or a part of it is missing.
        """
        if not (folder / "results.csv").is_file() and (folder / "evaluation").is_dir():
            folder = folder / "evaluation"
        rows = read_csv(folder / "results.csv")
        failed = frozenset(row.key for row in rows if not row.organ)
        listed = {(row.key, row.organ): row for row in rows if row.organ}
        scores, references = [], {}
        for key in sorted({key for key, _ in listed}):
            path = record_path(folder, key)
            measured = CaseScores.read(path)
            exact = {} if measured is None else {s.organ: s for s in measured.scores}
            for row in (row for (mine, _), row in listed.items() if mine == key):
                score = exact.get(row.organ)
                if score is None or not _agree(score.dice, row.dice):
                    raise InputError(f"{path}: is not what {folder / 'results.csv'} was made of; "
                                     "run `evaluate` again")
                scores.append(score)
            references[key] = measured.reference
        try:
            name = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["model"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{folder / 'summary.json'}: cannot be read; run `evaluate` "
                             "again") from error
        return cls(folder, name, tuple(scores), references, failed)


@dataclass(frozen=True)
class Difference:
    """One organ of one case in both evaluations; NaN where one of them has no score."""

    dataset: str
    case: str
    organ: str
    dice_a: float
    dice_b: float
    nsd_2mm_a: float
    nsd_2mm_b: float
    hd95_mm_a: float
    hd95_mm_b: float


@dataclass(frozen=True)
class Line:
    """Dice of one organ, or of the mean of organs, in both evaluations.

    Attributes:
        p_holm: p-value corrected for the number of organs; NaN where there is no test.
        unpaired: cases scored in one evaluation only: absent organs that one model found.
    """

    name: str
    first: np.ndarray
    second: np.ndarray
    test: Paired
    p_holm: float
    unpaired: int = 0

    def to_json(self) -> dict[str, Any]:
        numbers = {"dice_a": self.first.mean(), "dice_b": self.second.mean(),
                   "difference": self.test.mean, "p": self.test.p, "p_holm": self.p_holm,
                   "effect": self.test.effect}
        plain = {key: None if isnan(value) else float(value) for key, value in numbers.items()}
        interval = self.test.interval and list(self.test.interval)
        return {"n": self.test.n, **plain, "difference_ci95": interval, "unpaired": self.unpaired}


def compare(first: Evaluation, second: Evaluation) -> tuple[list[Line], list[str]]:
    """A line per organ that both have scored, one for their mean, and notes on the result.

    Raises:
        InputError: the evaluations differ in cases or references, or share no organ.
    """
    require_same_cases(first, second)
    a, b = ({(s.key, s.organ): s for s in side.scores} for side in (first, second))
    notes, lines = [], []
    for name in [n for n in by_organ(first.scores) if n in by_organ(second.scores)]:
        places = [place for place in a if place[1] == name and place in b]
        both = [place for place in places if a[place].scored and b[place].scored]
        one = sum(a[place].scored != b[place].scored for place in places)
        if both:
            values = [np.array([side[place].dice for place in both]) for side in (a, b)]
            lines.append(Line(name, *values, paired(*values), nan, one))
    if not lines:
        raise InputError(f"{first.folder} and {second.folder} have scored no organ in common")
    corrected = holm([line.test.p for line in lines])
    lines = [Line(line.name, line.first, line.second, line.test, p, line.unpaired)
             for line, p in zip(lines, corrected, strict=True)]
    if alone := set(by_organ(first.scores)) ^ set(by_organ(second.scores)):
        notes.append(f"Scored by one of the two only, and left out: {', '.join(sorted(alone))}.")
    if unpaired := [f"{line.name} ({line.unpaired})" for line in lines if line.unpaired]:
        notes.append("Left out, because the reference lacks the organ and only one of the two "
                     f"found it: {', '.join(unpaired)}.")
    lines.append(_mean_line(a, b, [line.name for line in lines]))
    return lines, [*notes, *_tests(lines)]


def require_same_cases(first: Evaluation, second: Evaluation) -> None:
    """Checks that both evaluations have the same cases and references.

    Raises:
        InputError: the cases or their references differ.
    """
    a, b = first.references, second.references
    if a.keys() != b.keys():
        parts = [f"{join_ids(mine.keys() - other.keys())} only in {side.folder}"
                 + (" (failed in the other)" if mine.keys() - other.keys() <= rival.failed else "")
                 for mine, other, side, rival in ((a, b, first, second), (b, a, second, first))
                 if mine.keys() - other.keys()]
        raise InputError("both evaluations must be of the same cases: " + "; ".join(parts))
    if different := {key for key in a if a[key] != b[key]}:
        raise InputError(f"both evaluations must have the same references: those of "
                         f"{join_ids(different)} differ in {first.folder} and {second.folder}")


def write(output: Path, first: Evaluation, second: Evaluation) -> str:
    """Compares and writes all files; the Markdown table is returned.

    Raises:
        InputError: see `compare`.
        OutputError: the files cannot be written.
    """
    lines, notes = compare(first, second)
    make_folder(output)
    title = f"A: {first.name} ({_place(first)}), B: {second.name} ({_place(second)})"
    write_csv(output / "differences.csv", _rows(first, second))
    io.write_text(output / "comparison.json", json.dumps({
        "a": first.name, "b": second.name, "cases": len(first.references),
        "organs": {line.name: line.to_json() for line in lines[:-1]},
        "mean": lines[-1].to_json(), "notes": notes,
    }, indent=1, allow_nan=False))
    cells = [list(HEAD), *map(_cells, lines)]
    text = table.markdown_of(cells, title, notes)
    io.write_text(output / "table.md", text)
    io.write_text(output / "table.tex", table.latex_of(cells, title, notes))
    organs = lines[:-1]
    plots.differences(
        output / "differences.png", {line.name: (line.first, line.second) for line in organs},
        {line.name: line.test.interval for line in organs}, f"A {first.name}",
        f"B {second.name}", f"{len(first.references)} cases: {title}")
    return text


def _mean_line(a: dict, b: dict, names: Sequence[str]) -> Line:
    """Each case's mean Dice over the organs that both have scored in it."""
    values: dict[str, list[tuple[float, float]]] = {}
    for (key, organ), score in a.items():
        rival = b.get((key, organ))
        if organ in names and score.scored and rival is not None and rival.scored:
            values.setdefault(key, []).append((score.dice, rival.dice))
    means = np.array([np.mean(pairs, axis=0) for pairs in values.values()])
    return Line(MEAN, means[:, 0], means[:, 1], paired(means[:, 0], means[:, 1]), nan)


def _tests(lines: Sequence[Line]) -> list[str]:
    *organs, mean = lines
    tested = sum(not isnan(line.test.p) for line in organs)
    notes = [
        "B − A: mean difference of Dice with its 95 % bootstrap interval over cases. p: Wilcoxon's "
        "signed-rank test, two-sided; p (Holm): corrected for the number of organs tested. Effect: "
        "matched-pairs rank-biserial correlation, −1 (A always better) to 1. The last line "
        "compares the mean of each case's organs."]
    if few := [line.name for line in lines if isnan(line.test.p)]:
        notes.append(f"No test, because fewer than {FEWEST_FOR_TEST} pairs differ and none could "
                     f"reach p < {LEVEL}: {', '.join(few)}.")
    smallest = 2.0 ** (1 - mean.test.n)  # all differences of one sign
    if tested and smallest * tested > LEVEL:
        notes.append(f"With {mean.test.n} cases, p is at least {smallest:.2g}; corrected for "
                     f"{tested} organs it cannot fall below {LEVEL}, whatever the differences: "
                     "more cases are needed before an organ's p says anything.")
    return notes


def _rows(first: Evaluation, second: Evaluation) -> list[Difference]:
    b = {(s.key, s.organ): s for s in second.scores}
    return [
        Difference(s.dataset, s.case, s.organ, s.dice, rival.dice, s.nsd_2mm, rival.nsd_2mm,
                   s.hd95_mm, rival.hd95_mm)
        for s in first.scores if (rival := b.get((s.key, s.organ)))
    ]


def _cells(line: Line) -> list[str]:
    test = line.test
    return [line.name, str(test.n), f"{line.first.mean():.3f}", f"{line.second.mean():.3f}",
            _signed(test), table.p_value(test.p), table.p_value(line.p_holm),
            table.figure(test.effect, 2)]


def _signed(test: Paired) -> str:
    if test.interval is None:
        return f"{test.mean:+.3f}"
    low, high = test.interval
    return f"{test.mean:+.3f} ({low:+.3f} to {high:+.3f})"


def _place(evaluation: Evaluation) -> str:
    """The folder by which a person knows an evaluation."""
    folder = evaluation.folder.resolve()
    return folder.parent.name if folder.name == "evaluation" else folder.name


def _agree(exact: float, rounded: float) -> bool:
    return (isnan(exact) and isnan(rounded)) or abs(exact - rounded) < 1e-4
