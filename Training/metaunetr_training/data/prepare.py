"""The cases of data sets → the folder that training reads. Done again, it does what is missing.

What has been prepared stays until its folder is deleted, also cases of data sets that are not
named again, so a data set can be added later; folds.json keeps the fold of every case there ever
was.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from metaunetr.bundle import Preprocessing
from metaunetr.errors import InputError, OutputError, explain
from metaunetr.io.atomic import discard_abandoned
from metaunetr.text import duration
from metaunetr_training.data import needs
from metaunetr_training.data.case import Case
from metaunetr_training.data.checks import inspect_dataset
from metaunetr_training.data.folds import Fold, assign, hold_out
from metaunetr_training.data.needs import Need
from metaunetr_training.data.prepared import (
    Prepared,
    PreparedCase,
    case_folder,
    read_folds,
    read_preprocessing,
    write_folds,
    write_preprocessing,
)
from metaunetr_training.data.report import write_report
from metaunetr_training.data.store import complete, move, prepare_case
from metaunetr_training.data.workers import attempts

Report = Callable[[str], None]


@dataclass
class Plan:
    """What there is to do, see `plan`."""

    folder: Path
    preprocessing: Preprocessing
    cases: list[Case]
    folds: int
    jobs: int
    work: dict[str, Need]  # by key, what is yet to be done
    moved: list[tuple[PreparedCase, Case]]  # what was done, and where its files lie now
    previous: dict[str, Fold]
    disk: int  # bytes, at most
    free: int  # bytes
    failed: dict[str, str] = field(default_factory=dict)  # by key, why

    def __str__(self) -> str:
        done = len(self.cases) - len(self.work)
        if not self.work:
            return f"{done} cases, all of them prepared already"
        return (f"{len(self.cases)} cases, {done} of them prepared already; the others take at "
                f"most {self.disk / 1e6:,.0f} MB, {self.free / 1e6:,.0f} MB are free; "
                f"{self.jobs} at a time")


def plan(
    folder: Path, preprocessing: Preprocessing, cases: Sequence[Case], folds: int = 5,
    jobs: int | None = None, held_out: Sequence[str] = (),
) -> Plan:
    """Finds out what is to be done and what it takes; writes nothing.

    Args:
        jobs: cases at a time; None is by processors and memory.
        held_out: keys of the cases that are fold 0, all others being fold 1; none for `folds`
            of equal size.

    Raises:
        InputError: two cases have one name, the folds contradict earlier ones, or the folder was
            prepared with another preprocessing.
    """
    previous = _previous(folder, preprocessing)
    if held_out:
        cases = hold_out(cases, held_out, previous)
    assign(cases, previous, folds)  # raises now rather than after hours
    todo, moved = {}, []
    for case in cases:
        try:
            done = complete(case, folder, preprocessing)
        except InputError:  # preparing it will tell
            done = None
        if done is None:
            todo[case.key] = needs.need(case, preprocessing)
        elif done.source != case:
            moved.append((done, case))
    jobs = min(jobs or needs.processes(todo.values()), needs.MOST_PROCESSES)
    return Plan(
        folder, preprocessing, list(cases), folds, jobs, todo, moved, previous,
        sum(need.disk for need in todo.values()), needs.free_disk(folder),
    )


def prepare(plan: Plan, report: Report) -> Prepared:
    """Does what is planned. Cases that fail are told, and stand in `plan.failed`.

    Raises:
        InputError: no case could be prepared.
        OutputError: there is not enough room on the disk, or it cannot be written.
    """
    if plan.disk > plan.free:
        raise OutputError(f"{plan.folder}: preparing takes at most {plan.disk / 1e6:,.0f} MB, only "
                          f"{plan.free / 1e6:,.0f} MB are free on this disk")
    _begin(plan)
    for done, case in plan.moved:
        move(done, case)
    _work(plan, report)
    found = [PreparedCase.read(path.parent)
             for path in sorted((plan.folder / "cases").glob("*/*/case.json"))]
    ready = [case for case in found if case is not None]
    if not ready:
        raise InputError(f"{plan.folder}: no case could be prepared; the first: "
                         f"{next(iter(plan.failed.values()), 'there is none')}")
    twins = _twins(ready)
    folds = assign([case.source for case in ready], plan.previous, plan.folds,
                   {case.key: case.voxels for same in twins for case in same})
    write_folds(plan.folder, plan.previous | folds)
    prepared = Prepared.read(plan.folder)
    notices = _notices(prepared, twins)
    for text in notices:
        report(f"warning: {text}")
    write_report(prepared, notices, plan.failed)
    return prepared


def _previous(folder: Path, preprocessing: Preprocessing) -> dict[str, Fold]:
    """The folds that an earlier run has given."""
    try:
        before, _ = read_preprocessing(folder)
        folds = read_folds(folder) if (folder / "folds.json").exists() else {}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: prepared.json or folds.json is damaged ({error}); choose "
                         "another folder") from None
    if before != preprocessing:
        raise InputError(f"{folder}: was prepared with {before}, the recipe says {preprocessing}; "
                         "choose another folder")
    return folds


def _begin(plan: Plan) -> None:
    folder = plan.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for key in plan.work:  # what was there is not what is wanted now
            (case_folder(folder, key) / "case.json").unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}") from None
    for place in (folder, *folder.glob("cases/*/*"), *folder.glob("pictures/*")):
        discard_abandoned(place, now=0)
    write_preprocessing(folder, plan.preprocessing)


def _work(plan: Plan, report: Report) -> None:
    work = [case for case in plan.cases if case.key in plan.work]
    tasks = [(case, plan.folder, plan.preprocessing) for case in work]
    total = max(1, sum(need.voxels for need in plan.work.values()))
    started, voxels = time.perf_counter(), 0
    with closing(attempts(prepare_case, tasks, plan.jobs)) as results:
        for count, (number, result) in enumerate(results, start=1):
            key = work[number].key
            try:
                told = _told(result())
            except OutputError:  # the next could not be written either
                raise
            except Exception as error:
                plan.failed[key], _ = explain(error)
                told = f"FAILED: {plan.failed[key]}"
            voxels += plan.work[key].voxels
            left = (time.perf_counter() - started) * (total / max(1, voxels) - 1)
            report(f"[{count}/{len(work)}] {key}: {told}; {duration(left)} left")


def _told(case: PreparedCase) -> str:
    size = " × ".join(map(str, reversed(case.shape)))
    return "; ".join([f"{size} voxels, {len(case.volumes_ml)} organs",
                      *(f"warning: {text.rstrip('.')}" for text in case.warnings)])


def _twins(cases: Sequence[PreparedCase]) -> list[list[PreparedCase]]:
    """Cases with identical images: they must not part into training and held-out cases."""
    same = defaultdict(list)
    for case in cases:
        same[case.voxels].append(case)
    return [group for group in same.values() if len(group) > 1]


def _notices(prepared: Prepared, twins: Sequence[Sequence[PreparedCase]]) -> list[str]:
    """Warnings that are about more than one case."""
    warnings = defaultdict(list)
    for case in prepared.cases:
        warnings[case.source.dataset].append(case.warnings)
    mirrored = [text for name, texts in warnings.items() for text in inspect_dataset(name, texts)]
    return mirrored + [
        f"{', '.join(case.key for case in same)} are one image; they are kept in one fold."
        for same in twins
    ]
