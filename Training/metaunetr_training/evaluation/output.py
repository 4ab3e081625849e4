"""All files of an evaluation.

    results.csv      a line for each case and organ, and for each case that failed
    summary.json     means per organ with their intervals; goes into the card of a bundle
    table.md, .tex   the same for people
    boxplot.png, reliability.png, worst/
    cases/, labels/  what is kept of each case (see `cases`)
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from metaunetr import io
from metaunetr.batch.events import counted
from metaunetr.errors import InputError
from metaunetr.evaluation import write_csv
from metaunetr.organs import Organ
from metaunetr.outputs import make_folder
from metaunetr_training.evaluation import calibration, plots, table, worst
from metaunetr_training.evaluation.cases import measure
from metaunetr_training.evaluation.scores import RULES, Score, by_case
from metaunetr_training.evaluation.selection import Selection
from metaunetr_training.evaluation.table import Line


def evaluate(
    selection: Selection, output: Path, device: str = "auto", organs: Sequence[Organ] | None = None,
    ceiling: bool = False, report: Callable[[str], None] = print,
) -> tuple[dict[str, Any], str]:
    """Measures a model and writes all files.

    Args:
        organs: those that go into the files; None is all that the model knows. All are measured
            and kept in any case, and the calibration is that of all.
        ceiling: also what a perfect mask reaches at the model spacing (see `ceiling`).
        report: called with a line for each case.

    Returns:
        the summary, and the table as Markdown.

    Raises:
        InputError: no case could be scored, or the model lacks an organ.
        OutputError: nothing can be written to `output`.
    """
    _require_known_organs(selection, organs)
    _make(output / "worst")
    measured, failed = measure(selection, output, device, ceiling, report)
    wanted = {organ.name for organ in organs or selection.bundle.classes}
    scores = [score for score in measured if score.organ in wanted]
    if not by_case(scores):
        reasons = "; ".join(f"{key}: {text}" for key, text in failed.items())
        raise InputError("no case could be scored" + (f": {reasons}" if failed else
                         ": no organ is in a reference or a result"))
    fit = _calibration(selection, measured)
    lines = table.summarize(scores)
    values = summary(selection, scores, lines, failed, fit)
    text = write(output, selection, scores, lines, values, failed, fit)
    worst.draw(output / "worst", scores, {case.key: case for case in selection.cases}, output)
    return values, text


def summary(
    selection: Selection, scores: Sequence[Score], lines: Sequence[Line], failed: dict[str, str],
    fit: calibration.Fit,
) -> dict[str, Any]:
    """The content of summary.json; it holds no path."""
    *organs, mean = lines
    cases = by_case(scores)
    return {
        "model": selection.bundle.name,
        "model_sha256": selection.bundle.sha256,
        "split": selection.split,
        "cases": len(cases),
        "datasets": dict(Counter(key.partition("/")[0] for key in cases)),
        "failed": len(failed),
        "rules": RULES,
        "organs": {line.name: line.to_json() for line in organs},
        "mean": mean.to_json(),
        "mean_dice": mean.to_json()["dice"],
        "calibration": fit.to_card(),
        "calibration_note": fit.sentence(),
    }


def write(
    output: Path, selection: Selection, scores: Sequence[Score], lines: Sequence[Line],
    values: dict[str, Any], failed: dict[str, str], fit: calibration.Fit,
) -> str:
    """Writes tables and plots; the Markdown table is returned."""
    rows = [*scores, *(
        Score(key.partition("/")[2], "", note=f"failed: {text}", dataset=key.partition("/")[0])
        for key, text in failed.items())]
    write_csv(output / "results.csv", rows)
    title = f"{selection.bundle.name}: {counted(values['cases'], 'case')}, {selection.split}"
    notes = table.caption(lines)
    if failed:
        notes.insert(0, f"{counted(len(failed), 'case')} failed and counted nowhere: "
                        f"{', '.join(failed)}.")
    notes.append(values["calibration_note"])
    text = table.markdown(lines, title, notes)
    io.write_text(output / "table.md", text)
    io.write_text(output / "table.tex", table.latex(lines, title, notes))
    plots.box_plots(output / "boxplot.png", scores, title)
    plots.reliability(output / "reliability.png", fit, scores, selection.bundle.name)
    io.write_text(output / "summary.json", json.dumps(values, indent=1, allow_nan=False))
    return text


def _calibration(selection: Selection, scores: Sequence[Score]) -> calibration.Fit:
    """No calibration where cases were, or may have been, trained on: there a network is surer than
    elsewhere."""
    fit = calibration.fit(scores)
    if selection.trained_on:
        return fit.refused("some of the cases were trained on")
    if selection.start:
        return fit.refused(f"{selection.start}, which training began with, may have been trained "
                           "on some of the cases")
    return fit


def _require_known_organs(selection: Selection, organs: Sequence[Organ] | None) -> None:
    known = {organ.number for organ in selection.bundle.classes}
    if missing := [organ.name for organ in organs or () if organ.number not in known]:
        raise InputError(f"the model {selection.bundle.name} does not know {', '.join(missing)}; "
                         f"it knows {', '.join(organ.name for organ in selection.bundle.classes)}")


def _make(folder: Path) -> None:
    make_folder(folder)
    io.prepare_file(folder.parent / "results.csv")
