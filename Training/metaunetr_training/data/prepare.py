"""The cases of data sets → the folder that training reads.

Repeated, it prepares only what is missing or has changed. Prepared cases stay until their folder is
deleted, also those of data sets that are not named again, so that data sets can be added later.
folds.json keeps the fold of every case that was ever prepared.
"""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from metaunetr.bundle import Preprocessing
from metaunetr.errors import InputError, OutputError, explain
from metaunetr.io.atomic import discard_abandoned
from metaunetr.text import duration
from metaunetr_training.data import resources
from metaunetr_training.data.case import Case
from metaunetr_training.data.checks import inspect_dataset
from metaunetr_training.data.folds import Fold, assign_folds, hold_out
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
from metaunetr_training.data.resources import Resources
from metaunetr_training.data.store import prepare_case, read_complete, update_source
from metaunetr_training.data.workers import run_parallel

Report = Callable[[str], None]


@dataclass
class Plan:
    """The work to do, see `plan`.

    Attributes:
        work: resources by key, of the cases to prepare.
        moved: prepared cases whose files lie elsewhere now, with their new source.
        previous: folds of an earlier call, by key.
        disk, free: bytes: needed at most, and free.
        failed: reason by key, of cases that could not be prepared.
    """

    folder: Path
    preprocessing: Preprocessing
    cases: list[Case]
    folds: int
    jobs: int
    work: dict[str, Resources]
    moved: list[tuple[PreparedCase, Case]]
    previous: dict[str, Fold]
    disk: int
    free: int
    failed: dict[str, str] = field(default_factory=dict)

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
    """Determines the work to do and the resources it needs; writes nothing.

    Args:
        jobs: number of processes; None is by processors and memory.
        held_out: keys of the cases in fold 0, all others are in fold 1; empty for `folds` of equal
            size.

    Raises:
        InputError: two cases have the same name, the folds contradict earlier ones, or the folder
            was prepared with other preprocessing.
    """
    previous = _previous(folder, preprocessing)
    if held_out:
        cases = hold_out(cases, held_out, previous)
    assign_folds(cases, previous, folds)  # raises before hours of work
    todo, moved = {}, []
    for case in cases:
        try:
            done = read_complete(case, folder, preprocessing)
        except InputError:  # preparation will report it
            done = None
        if done is None:
            todo[case.key] = resources.estimate(case, preprocessing)
        elif done.source != case:
            moved.append((done, case))
    jobs = min(jobs or resources.worker_count(todo.values()), resources.MAX_PROCESSES)
    return Plan(
        folder, preprocessing, list(cases), folds, jobs, todo, moved, previous,
        sum(need.disk for need in todo.values()), resources.free_disk(folder),
    )


def prepare(plan: Plan, report: Report) -> Prepared:
    """Prepares the cases of a plan; cases that fail are reported, and listed in `plan.failed`.

    Raises:
        InputError: no case could be prepared.
        OutputError: the disk is too small, or cannot be written.
    """
    if plan.disk > plan.free:
        raise OutputError(f"{plan.folder}: preparing takes at most {plan.disk / 1e6:,.0f} MB, only "
                          f"{plan.free / 1e6:,.0f} MB are free on this disk")
    _begin(plan)
    for done, case in plan.moved:
        update_source(done, case)
    _work(plan, report)
    found = [PreparedCase.read(path.parent)
             for path in sorted((plan.folder / "cases").glob("*/*/case.json"))]
    ready = [case for case in found if case is not None]
    if not ready:
        raise InputError(f"{plan.folder}: no case could be prepared; the first: "
                         f"{next(iter(plan.failed.values()), 'there is none')}")
    same_images = duplicates(ready)
    folds = assign_folds([case.source for case in ready], plan.previous, plan.folds,
                         {case.key: same[0].key for same in same_images for case in same})
    write_folds(plan.folder, plan.previous | folds)
    prepared = Prepared.read(plan.folder)
    notices = _notices(prepared, same_images, {case.key: case.fold for case in plan.cases})
    for text in notices:
        report(f"warning: {text}")
    write_report(prepared, notices, plan.failed)
    return prepared


def duplicates(cases: Sequence[PreparedCase]) -> list[list[PreparedCase]]:
    """Groups of cases with identical images, which must be in the same fold.

    Identical are images with the same voxels, and those that are equal once they are prepared, such
    as a CT and its copy at the model spacing (see `adapt.remember`).
    """
    groups: list[tuple[set[str], list[PreparedCase]]] = []  # digests, and cases that have them
    for case in cases:
        digests = {case.voxels, hashlib.sha256(case.image()).hexdigest()}
        same = [group for group in groups if group[0] & digests]
        groups = [group for group in groups if group not in same]
        groups.append((digests.union(*(known for known, _ in same)),
                       [*chain.from_iterable(members for _, members in same), case]))
    return [members for _, members in groups if len(members) > 1]


def _previous(folder: Path, preprocessing: Preprocessing) -> dict[str, Fold]:
    """The folds of an earlier run, by key."""
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
        for key in plan.work:  # prepared from other files
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
    with closing(run_parallel(prepare_case, tasks, plan.jobs)) as results:
        for count, (number, result) in enumerate(results, start=1):
            key = work[number].key
            try:
                outcome = _summary(result())
            except OutputError:  # the next case could not be written either
                raise
            except Exception as error:
                plan.failed[key], _ = explain(error)
                outcome = f"FAILED: {plan.failed[key]}"
            voxels += plan.work[key].voxels
            left = (time.perf_counter() - started) * (total / max(1, voxels) - 1)
            report(f"[{count}/{len(work)}] {key}: {outcome}; {duration(left)} left")


def _summary(case: PreparedCase) -> str:
    size = " × ".join(map(str, reversed(case.shape)))
    return "; ".join([f"{size} voxels, {len(case.volumes_ml)} organs",
                      *(f"warning: {text.rstrip('.')}" for text in case.warnings)])


def _notices(
    prepared: Prepared, same_images: Sequence[Sequence[PreparedCase]],
    wanted: Mapping[str, Fold | None],
) -> list[str]:
    """Warnings about more than one case.

    Args:
        wanted: folds by key that were asked for.
    """
    warnings = defaultdict(list)
    for case in prepared.cases:
        warnings[case.source.dataset].append(case.warnings)
    mirrored = [text for name, texts in warnings.items() for text in inspect_dataset(name, texts)]
    return mirrored + [_notice(same, prepared.folds, wanted) for same in same_images]


def _notice(
    same: Sequence[PreparedCase], folds: Mapping[str, Fold], wanted: Mapping[str, Fold | None]
) -> str:
    text = f"{', '.join(case.key for case in same)} are one image; they are kept in one fold"
    for case in same:
        fold = wanted.get(case.key)
        if fold not in (None, folds[case.key]):
            text += f", so {case.key} is in fold {folds[case.key]}, not in fold {fold}"
    return f"{text}."
