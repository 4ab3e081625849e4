"""The model and the cases of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from metaunetr import bundle as bundles
from metaunetr.bundle import Bundle
from metaunetr.errors import InputError
from metaunetr_training.data.case import TEST, Case
from metaunetr_training.data.prepared import Prepared


@dataclass(frozen=True)
class Selection:
    """A model and the cases on which it is measured.

    Attributes:
        bundle: without calibration, so that the uncalibrated confidence is measured.
        split: description of the cases, for the tables.
        trained_on: keys of the cases that the model was trained on; None where it is unknown.
        start: name of the initial model of a run, whose training cases are unknown.
    """

    bundle: Bundle
    cases: tuple[Case, ...]
    split: str
    trained_on: frozenset[str] | None
    start: str | None = None


def choose(
    model: str | Path, prepared: Path | None = None, fold: int | None = None, test: bool = False,
    data: Sequence[tuple[str, Path]] = (),
) -> Selection:
    """The model and its cases; for a run, by default its held-out cases.

    Args:
        model: folder of a run, or name or folder of a bundle.
        prepared: folder of prepared cases; None is that of the run.
        fold, test: cases of a fold or of the test set. Neither: the fold that the run held out,
            or of a bundle all cases.
        data: kinds and folders of raw data sets (see `data.datasets`), instead of `prepared`.

    Raises:
        InputError, BundleError: model, folder or fold do not exist, or there is no case.
    """
    run = None
    if is_run(model):
        from metaunetr_training.training.run import Run

        run = Run.open(Path(model))
    bundle = replace(bundles.find(model), calibration=None) if run is None else run.bundle()
    if data:
        cases, split = _of_data(data)
    else:
        folder = prepared or (run and run.prepared)
        if folder is None:
            raise InputError(f"{model}: a bundle has no cases of its own; name them with "
                             "--prepared or --data")
        part = TEST if test else fold if fold is not None else run and run.fold
        cases, split = _of_prepared(folder, part)
    trained = _trained_on(run) if run else None
    start = run.record.get("start") if run else None
    if trained is not None:
        trained &= frozenset(case.key for case in cases)
        if not trained and (start or data):  # other data sets may hold the same CTs
            trained = None
    return Selection(bundle, cases, _split_text(split, len(cases), trained, start), trained, start)


def is_run(model: str | Path) -> bool:
    """Whether `model` is the folder of a run."""
    return (Path(model) / "run.json").is_file()


def _of_data(data: Sequence[tuple[str, Path]]) -> tuple[tuple[Case, ...], str]:
    from metaunetr_training.data.datasets import dataset_cases

    cases = [case for kind, folder in data for case in dataset_cases(kind, folder)]
    keys = [case.key for case in cases]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise InputError(f"every case must have a name of its own: {twice[0]} occurs twice in "
                         f"{', '.join(str(folder) for _, folder in data)}")
    if not cases:
        raise InputError(f"no case in {', '.join(str(folder) for _, folder in data)}")
    return tuple(cases), " and ".join(f"{kind} in {folder.name}" for kind, folder in data)


def _of_prepared(folder: Path, part: int | str | None) -> tuple[tuple[Case, ...], str]:
    found = Prepared.read(folder)
    chosen = found.cases if part is None else found.held_out(part)
    if not chosen:
        known = ", ".join(sorted({str(fold) for fold in found.folds.values()}))
        raise InputError(f"{folder}: has no case in fold {part}; it has {known}")
    where = {None: "all cases", TEST: "test set"}.get(part, f"fold {part}")
    return tuple(case.source for case in chosen), f"{where} of {folder.resolve().name}"


def _trained_on(run) -> frozenset[str] | None:
    """Keys of the cases that a run was trained on.

    None for a run of an older version, which does not record them, without its prepared folder.
    """
    if "training" in run.record:
        return frozenset(run.record["training"])
    with suppress(InputError):
        return frozenset(case.key for case in Prepared.read(run.prepared).training(run.fold))
    return None


def _split_text(split: str, count: int, trained: frozenset[str] | None, start: str | None) -> str:
    if trained:
        return f"{split}; {len(trained)} of the {count} cases were TRAINED ON"
    if start:
        return (f"{split}; whether {start}, which training began with, was trained on some of "
                "them is unknown")
    return split if trained is None else f"{split}, none of them trained on"
