"""What `metaunetr-training adapt` brings on a source of CTs that the start model has not seen.

The start model is adapted to a few cases of the source, by the whole command and in its time, so
that the models are those that a user gets; they are also kept where the command would write none.
Dice and NSD are measured before and after, on other cases of the source and on known ones, which
show what is forgotten. A seed draws the cases and seeds the training. The sets of a seed contain
each other and have the same test cases: those outside the largest set.

Corrections are simulated with the labels: of all annotated organs ("all"), or of the three in which
the start model's result of the case is worst ("worst"), so that the others are unknown.

    setting.json       the start model, the cases and the minutes
    start/             the start model's results, see `evaluation.cases`
    runs/NAME/model/   an adapted model
    runs/NAME/after/   its results
    runs.csv           a line for each adapted model
    scores.csv         Dice and NSD of every organ in every test case, before and after
    results.md         tables, from the CSV files alone
    log.txt            a line for each adapted model
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan, nan
from pathlib import Path
from typing import Any

import numpy as np

from metaunetr.bundle import Bundle, load
from metaunetr.errors import InputError
from metaunetr.io.atomic import write_text
from metaunetr.organs import BY_NAME, BY_NUMBER
from metaunetr.outputs import make_folder
from metaunetr_training.adapt.cases import Correction
from metaunetr_training.adapt.files import FEWEST, state_folder
from metaunetr_training.adapt.gain import Gain, Line
from metaunetr_training.adapt.run import Request, adapt
from metaunetr_training.data.case import Case
from metaunetr_training.evaluation.cases import measure
from metaunetr_training.evaluation.scores import Score
from metaunetr_training.evaluation.selection import Selection
from metaunetr_training.evaluation.table import markdown_of
from metaunetr_training.experiments import results
from metaunetr_training.experiments.unattended import Clock, Report, begin, log

RUNS, SCORES = "runs.csv", "scores.csv"
ALL, WORST = "all", "worst"  # which organs of a case are corrected
WORST_ORGANS = 3
YES, NO = "yes", "no"
METRICS, WHEN = ("dice", "nsd_2mm"), ("before", "after")


@dataclass(frozen=True)
class Setting:
    """What is the same for all runs of an experiment.

    Attributes:
        start: the model that is adapted.
        source: cases of the source, with an organ that the model knows.
        known: cases of the kind that the model was made for.
        counts: numbers of cases to adapt to.
        minutes: of each adaptation.
    """

    start: Bundle
    source: tuple[Case, ...]
    known: tuple[Case, ...]
    counts: tuple[int, ...]
    minutes: float

    @property
    def organs(self) -> frozenset[int]:
        """Numbers of the organs that the model knows."""
        return frozenset(organ.number for organ in self.start.classes)

    def to_json(self) -> dict[str, Any]:
        return {"start": self.start.sha256, "minutes": self.minutes, "counts": list(self.counts),
                "source": [case.key for case in self.source],
                "known": [case.key for case in self.known]}


@dataclass(frozen=True)
class Planned:
    """One adaptation.

    Attributes:
        corrections: ALL or WORST.
        corrected, tested: different cases of the source.
    """

    corrections: str
    seed: int
    corrected: tuple[Correction, ...]
    tested: tuple[Case, ...]

    @property
    def of(self) -> dict[str, Any]:
        """The first columns of the CSV files."""
        return {"corrections": self.corrections, "adapted_to": len(self.corrected),
                "seed": self.seed}

    @property
    def name(self) -> str:
        return "-".join(map(str, self.of.values()))

    @property
    def organs(self) -> frozenset[int]:
        """Numbers of the organs that are corrected in a case at least."""
        return frozenset().union(*(case.organs for case in self.corrected))


def choose(
    start: Bundle, cases: Sequence[Case], source: str, known: Sequence[str],
    counts: Sequence[int], minutes: float,
) -> Setting:
    """The setting with cases of data sets.

    Args:
        source: name of the data set to adapt to.
        known: keys of cases of other data sets.

    Raises:
        InputError: the source or a case does not exist, or the source is too small.
    """
    by_key = {case.key: case for case in cases}
    if unknown := [key for key in known if key not in by_key]:
        raise InputError(f"{unknown[0]}: there is no such case; the first of the {len(cases)} "
                         f"cases is {min(by_key, default='')}")
    if inside := [key for key in known if by_key[key].dataset == source]:
        raise InputError(f"{inside[0]}: is a case of the source {source}; cases that show what is "
                         "forgotten must be of other data sets")
    organs = {organ.number for organ in start.classes}
    mine = tuple(case for case in cases if case.dataset == source and case.annotated & organs)
    if not mine:
        names = ", ".join(sorted({case.dataset for case in cases}))
        raise InputError(f"{source}: no data set of this name has an organ that {start.name} "
                         f"knows; there are {names}")
    if min(counts) < FEWEST:
        raise InputError(f"a model can be adapted to {FEWEST} cases at least, not to {min(counts)}")
    if max(counts) >= len(mine):
        raise InputError(f"{source}: has {len(mine)} cases with an organ that {start.name} knows; "
                         f"after {max(counts)} to adapt to, none is left to test")
    return Setting(start, mine, tuple(by_key[key] for key in known), tuple(sorted(set(counts))),
                   minutes)


def run_all(
    setting: Setting, seeds: int, folder: Path, device: str, clock: Clock, report: Report
) -> Path:
    """Adapts and measures all models that are not finished; returns the file with the tables.

    Args:
        report: called with {"event": "line", "text"}.

    Raises:
        Cancelled: the time is over.
        InputError: `folder` holds another experiment, a case cannot be used, or the minutes are too
            few.
        OutputError: `folder` cannot be written.
    """
    begin(folder, setting.to_json())
    cases = (*setting.source, *setting.known)
    before = _measure(setting.start, cases, folder / "start", device, clock, report)
    planned, path = plan(setting, seeds, before), folder / "results.md"
    finished = {tuple(row[column] for column in planned[0].of)
                for row in results.read(folder / RUNS)}
    for number, each in enumerate(planned, start=1):
        if tuple(map(str, each.of.values())) in finished:
            continue
        clock.check()
        report({"event": "line", "text": f"{number} of {len(planned)}: {each.name}"})
        log(folder, _one(each, setting, before, folder, device, clock, report), report)
        write_text(path, tables(folder))
    write_text(path, tables(folder))
    return path


def plan(setting: Setting, seeds: int, before: Sequence[Score]) -> list[Planned]:
    """All adaptations in their order, all organs corrected first.

    With WORST, sets of cases of which none annotates more organs are left out.

    Args:
        before: scores of the start model, of all cases of the source.
    """
    planned = []
    for corrections in (ALL, WORST):
        for seed in range(seeds):
            drawn = [setting.source[number] for number in
                     np.random.default_rng(seed).permutation(len(setting.source))]
            for count in setting.counts:
                every = [_correct(case, setting.organs) for case in drawn[:count]]
                chosen = every if corrections == ALL else [
                    replace(correction, organs=_worst(case, before, correction.organs))
                    for case, correction in zip(drawn, every, strict=False)]
                if corrections == ALL or chosen != every:
                    planned.append(Planned(corrections, seed, tuple(chosen),
                                           tuple(drawn[setting.counts[-1]:])))
    return planned


def _correct(case: Case, known: frozenset[int]) -> Correction:
    return Correction(case.image, case.labels, case.annotated & known, case.mapping)


def _worst(case: Case, before: Sequence[Score], organs: frozenset[int]) -> frozenset[int]:
    """The WORST_ORGANS of `organs` with the lowest Dice; all where there are no more."""
    if len(organs) <= WORST_ORGANS:
        return organs
    scored = [score for score in before if score.key == case.key and score.scored]
    worst = sorted(scored, key=lambda score: score.dice)[:WORST_ORGANS]
    return frozenset(BY_NAME[score.organ].number for score in worst)


def _one(
    each: Planned, setting: Setting, before: Sequence[Score], folder: Path, device: str,
    clock: Clock, report: Report,
) -> str:
    """Adapts and measures a model; a text about it."""
    place = folder / "runs" / each.name
    model = place / "model"

    def watched(event: dict[str, Any]) -> None:
        if event["event"] in ("stage", "warning"):
            report({"event": "line", "text": event.get("line", event.get("text"))})
        clock.check()

    make_folder(place)
    if not model.exists() or state_folder(model).exists():
        adapt(Request(each.corrected, setting.start, model, setting.minutes, device,
                      keep_anyway=True, seed=each.seed), watched)
    adapted = load(model)
    after = _measure(adapted, (*each.tested, *setting.known), place / "after", device, clock,
                     report)
    results.replace_rows(folder / SCORES, each.of, _rows(each, before, after))
    record, held_out = adapted.card["training"], adapted.card["adapted"]
    results.replace_rows(folder / RUNS, each.of, [{
        "source": setting.source[0].dataset,
        "organs": "; ".join(BY_NUMBER[number].name for number in sorted(each.organs)),
        "minutes": setting.minutes, "steps": record["iterations"],
        "training_minutes": record["minutes"], "precision": record["precision"],
        "threads": record["threads"],
        **{f"held_out_{metric}_{when}": value for metric in METRICS
           for when, value in zip(WHEN, held_out["mean"][metric], strict=True)},
        "better": NO if held_out["reason"] else YES,
    }])
    corrected = (row for row in results.read(folder / SCORES)
                 if row["corrected"] == YES and _is_of(row, each.of))
    return (f"{each.name}: {record['iterations']} steps; corrected organs on "
            f"{len(each.tested)} other cases: Dice {_mean(corrected, 'dice')}")


def _measure(
    bundle: Bundle, cases: Sequence[Case], output: Path, device: str, clock: Clock, report: Report
) -> list[Score]:
    """
    Raises:
        InputError: a case cannot be measured.
    """
    def watched(line: str) -> None:
        report({"event": "line", "text": line})
        clock.check()

    selection = Selection(replace(bundle, calibration=None), tuple(cases), "test cases", None)
    scores, failed = measure(selection, output, device, report=watched)
    if failed:  # models must be compared on the same cases
        key, text = next(iter(failed.items()))
        raise InputError(f"{key}: {text}")
    return scores


def _rows(
    each: Planned, before: Sequence[Score], after: Sequence[Score]
) -> Iterable[dict[str, Any]]:
    old = {(score.key, score.organ): score for score in before}
    tested = {case.key for case in each.tested}
    for new in after:
        corrected = new.key in tested and BY_NAME[new.organ].number in each.organs
        yield {
            "dataset": new.dataset, "case": new.case, "organ": new.organ,
            "corrected": YES if corrected else NO,
            **{f"{metric}_{when}": "" if isnan(value := getattr(score, metric)) else f"{value:.4f}"
               for metric in METRICS
               for when, score in zip(WHEN, (old[new.key, new.organ], new), strict=True)},
        }


def _is_of(row: Mapping[str, str], of: Mapping[str, Any]) -> bool:
    return all(row[column] == str(value) for column, value in of.items())


def _gain(rows: Iterable[Mapping[str, str]]) -> Gain:
    rows = list(rows)

    def scores(when: str) -> list[Score]:
        # the seed makes the key unique where rows of several seeds are averaged
        return [Score(f"{row['case']} {row['seed']}", row["organ"], dataset=row["dataset"],
                      **{metric: float(row[f"{metric}_{when}"] or nan) for metric in METRICS})
                for row in rows]

    return Gain.of(*map(scores, WHEN))


def _mean(rows: Iterable[Mapping[str, str]], metric: str) -> str:
    """The change of the mean of organs; "–" where nothing was scored."""
    gain = _gain(rows)
    return _change(*gain.mean.to_json()[metric]) if gain.organs else "–"


def _change(before: float, after: float) -> str:
    """Such as "0.712 → 0.801 (+0.089)"."""
    return f"{before:.3f} → {after:.3f} ({after - before:+.3f})"


# --- tables

def tables(folder: Path) -> str:
    """The results as Markdown: a row for each run, and one for each organ, over all seeds.

    Raises:
        InputError: there are none.
    """
    runs, scores = results.read(folder / RUNS), results.read(folder / SCORES)
    if not runs:
        raise InputError(f"{folder / RUNS}: holds no run; `experiment adapt` writes it")
    return "\n".join([_run_table(runs, scores), _organ_table(runs, scores)])


def _columns(run: Mapping[str, str]) -> dict[str, str]:
    return {column: run[column] for column in ("corrections", "adapted_to", "seed")}


def _run_table(runs: Sequence[Mapping[str, str]], scores: Sequence[Mapping[str, str]]) -> str:
    source = runs[0]["source"]
    known = list(dict.fromkeys(row["dataset"] for row in scores if row["dataset"] != source))
    cells = [["corrections", "CTs", "seed", "steps", "corrected organs", f"Dice, {source}",
              f"NSD 2 mm, {source}", "Dice, held out in turn",
              *(f"Dice, {name}" for name in known)]]
    for run in runs:
        mine = [row for row in scores if _is_of(row, _columns(run))]
        corrected = [row for row in mine if row["corrected"] == YES]
        cells.append([
            run["corrections"], run["adapted_to"], run["seed"], run["steps"],
            str(len(run["organs"].split("; "))), *(_mean(corrected, each) for each in METRICS),
            _change(*(float(run[f"held_out_dice_{when}"]) for when in WHEN))
            + ("" if run["better"] == YES else " *"),
            *(_mean((row for row in mine if row["dataset"] == name), "dice") for name in known)])
    cases = {name: len({row["case"] for row in scores if row["dataset"] == name
                        and _is_of(row, _columns(runs[0]))}) for name in (source, *known)}
    counted = ", ".join(f"{name} {count}" for name, count in cases.items())
    first = runs[0]
    return markdown_of(cells, f"Adapted to {source} in {float(first['minutes']):g} minutes", [
        f"Mean of organs, before → after, on the grids of the CTs; of {source}, the organs that "
        f"were corrected in a case at least. Test cases: {counted}. Held out in turn: what the "
        "command measured by itself on the cases that it adapted to; with *, it would not have "
        "written the model. An organ that is not there, and found by one of both models only, "
        f"counts as 1 for the other one. Steps: of the last training; {first['precision']}, "
        f"threads: {first['threads']}."])


def _organ_table(runs: Sequence[Mapping[str, str]], scores: Sequence[Mapping[str, str]]) -> str:
    kinds = list(dict.fromkeys((run["corrections"], run["adapted_to"]) for run in runs))
    gains: dict[tuple[str, str], dict[tuple[str, str], Line]] = {}
    for kind in kinds:
        mine = [row for row in scores if (row["corrections"], row["adapted_to"]) == kind]
        for name in dict.fromkeys(row["dataset"] for row in mine):
            for line in _gain(row for row in mine if row["dataset"] == name).organs:
                gains.setdefault((name, line.name), {})[kind] = line
    cells = [["data set", "organ",
              *(f"{corrections}, {count} CTs" for corrections, count in kinds)]]
    cells += [[name, organ, *(
        f"{_change(*lines[kind].to_json()['dice'])}, n = {lines[kind].n}" if kind in lines else "–"
        for kind in kinds)] for (name, organ), lines in gains.items()]
    return markdown_of(cells, "Dice of each organ, over all seeds", [
        "n: pairs of a test case and a seed, so most cases count once for each seed."])
