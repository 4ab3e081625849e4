"""Training from the first step to the last, or from the last checkpoint on."""

from __future__ import annotations

import os
import platform
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import torch

from metaunetr import __version__
from metaunetr.bundle import Bundle
from metaunetr.errors import InputError, OutputError
from metaunetr.io.atomic import PREFIX
from metaunetr_training.data.datasets.pairs import listed
from metaunetr_training.data.folds import Fold
from metaunetr_training.data.prepared import Prepared, PreparedCase
from metaunetr_training.recipe import Recipe
from metaunetr_training.training import checkpoint
from metaunetr_training.training.average import moving_average
from metaunetr_training.training.checkpoint import Moment
from metaunetr_training.training.finetune import check_preprocessing, initial_weights
from metaunetr_training.training.fit import check_fit
from metaunetr_training.training.journal import PICTURED, Journal
from metaunetr_training.training.memory import keep_freed_memory
from metaunetr_training.training.networks import build_network
from metaunetr_training.training.processes import Processes, processes
from metaunetr_training.training.run import Run
from metaunetr_training.training.sampler import Patches, batches, enough_shared_memory
from metaunetr_training.training.schedule import Schedule
from metaunetr_training.training.step import Step
from metaunetr_training.training.validate import Scores, in_turns, mean_dice, organ_means, validate

Report = Callable[[dict[str, Any]], None]


def train(
    recipe: Recipe, prepared: Prepared, fold: Fold, folder: Path, start: Bundle | None = None,
    device: str = "auto", report: Report | None = None,
) -> Run:
    """Trains on all folds but `fold` (NO_FOLD: on all); goes on where `folder` holds a part of the
    same run.

    Args:
        start: a bundle whose weights are begun with; not needed to go on from a checkpoint.
        report: told what happens, as small dictionaries with the key `event`: "train",
            "validation", "warning".

    Raises:
        BundleError: the recipe describes no network, or not one that `start` can begin.
        DeviceError: the workers have too little shared memory.
        InputError: the recipe and the cases do not fit, or `folder` holds another run.
        OutputError: `folder` cannot be written to; the last checkpoint is kept.
        TrainingError: loss or gradient is not finite.
    """
    check_fit(recipe, prepared, fold)
    if start is not None:
        check_preprocessing(recipe.preprocessing, start)
    keep_freed_memory()
    with processes(device) as mine:
        return _Training(recipe, prepared, fold, folder, start, mine, report or _ignore).run()


def _ignore(event: dict[str, Any]) -> None:
    pass


class _Training:
    def __init__(
        self, recipe: Recipe, prepared: Prepared, fold: Fold, folder: Path, start: Bundle | None,
        mine: Processes, report: Report,
    ) -> None:
        self.recipe, self.mine, self.report = recipe, mine, report if mine.first else _ignore
        self.patches = Patches(prepared.training(fold), recipe)
        self.held_out = in_turns(prepared.held_out(fold), recipe.training.validation_cases)
        origin = {"start": start.name if start is not None else None,
                  "training": sorted(case.key for case in self.patches.cases)}
        self.run_folder = _begin(Run(folder, recipe, prepared.folder, fold, origin), mine)
        torch.manual_seed(recipe.training.seed)
        network = build_network(recipe.network, len(recipe.organs) + 1, recipe.training.patch)
        if start is not None:
            initial_weights(network, recipe.classes, start)
        self.step = Step(network, recipe, mine)
        self.average = moving_average(self.step.network, recipe.training.ema)
        self.schedule = Schedule.of(recipe.training)
        self.moment = Moment()
        if self.run_folder.checkpoint.exists():
            self.moment = checkpoint.restore(self.run_folder.checkpoint, self.step, self.average)
        self.before = self.moment  # where this process began
        self.started = time.perf_counter()
        self.validation_seconds = 0.0
        self.record = self.run_folder.record | _record(self)

    def run(self) -> Run:
        if self.run_folder.record.get("finished"):
            return self.run_folder
        journal = Journal(self.run_folder.folder, self.recipe, self.moment.iteration) \
            if self.mine.first else None
        try:
            with enough_shared_memory():
                self._steps(journal)
            self._validate(journal, last=True)
        finally:
            if journal:
                journal.close()
        return self.mine.agree(self.run_folder)  # only the first process has the record

    def _steps(self, journal: Journal | None) -> None:
        training = self.recipe.training
        patches = batches(self.patches, self.recipe, self.mine, self.moment.iteration)
        progress = self._progress()
        while progress < 1:
            began = time.perf_counter()
            batch = next(patches)
            waited = time.perf_counter() - began
            rate = self.schedule.learning_rate(progress)
            values = self.step(batch, rate)
            iteration = self.moment.iteration + 1
            self.average.update_parameters(self.step.network)
            values |= {"learning_rate": rate, "waited": waited,
                       "seconds": time.perf_counter() - began}
            self.moment = Moment(iteration, self._seconds())
            if journal:
                journal.step(iteration, values)
            progress = self._progress()
            self.report({"event": "train", "iteration": iteration, "progress": progress,
                         "remaining_s": self._remaining(progress), **values})
            if iteration % training.validate_every == 0 and progress < 1:
                self._validate(journal)
            elif iteration % training.checkpoint_every == 0:
                self._save()

    def _validate(self, journal: Journal | None, last: bool = False) -> None:
        """Looks at the held-out cases with the averaged weights, and saves."""
        self._save()
        began = time.perf_counter()
        iteration = self.moment.iteration
        mine = self.held_out[self.mine.rank :: self.mine.count]
        pictured = {case.key for case in self.held_out[:PICTURED]}

        def look(case: PreparedCase, found) -> None:
            if journal and case.key in pictured:
                journal.picture(case, found, iteration)

        part = validate(self.average.module.eval(), mine, self.recipe, self.mine.device,
                        self.step.dtype, look)
        scores: Scores = {}
        for some in self.mine.gather(part):
            scores |= some
        self.validation_seconds = time.perf_counter() - began
        if journal:
            if scores:
                journal.validation(iteration, scores)
            self._write_record(scores, last)
        if journal and scores:
            self.report({"event": "validation", "iteration": iteration, "cases": len(scores),
                         "mean": mean_dice(scores), "organs": organ_means(scores)})

    def _save(self) -> None:
        self.moment = replace(self.moment, seconds=self._seconds())
        if self.mine.first:
            checkpoint.save(self.run_folder.checkpoint, self.step, self.average, self.moment)

    def _write_record(self, scores: Scores, finished: bool) -> None:
        record = self.record | {
            "iterations": self.moment.iteration,
            "minutes": round(self._seconds() / 60, 2),
            "finished": finished,
        }
        if scores:
            record["validation"] = {"cases": sorted(scores),
                                    "mean_dice": round(mean_dice(scores), 4)}
        self.run_folder = replace(self.run_folder, record=record)
        self.run_folder.write()

    def _seconds(self) -> float:
        return self.before.seconds + time.perf_counter() - self.started

    def _progress(self) -> float:
        """The first process's clock counts for all."""
        if self.schedule.seconds == float("inf"):
            return self.schedule.progress(self.moment.iteration, 0.0)
        return self.mine.agree(self.schedule.progress(
            self.moment.iteration, self._seconds(), self.validation_seconds))

    def _remaining(self, progress: float) -> float:
        """Seconds until the schedule ends, from the progress since this process began."""
        gained = progress - self.schedule.progress(self.before.iteration, self.before.seconds)
        spent = self._seconds() - self.before.seconds
        return spent / gained * (1 - progress) if gained > 0 else float("inf")


def _begin(run: Run, mine: Processes) -> Run:
    """The folder of a new run, or of the same one that was interrupted."""
    if mine.first:
        _claim(run)
    mine.agree(None)  # the others wait until the folder is there
    held = Run.open(run.folder)
    return replace(held, record=run.record | held.record)  # older ones lack start and training


def _claim(run: Run) -> None:
    if (run.folder / "run.json").exists():
        _check_same(Run.open(run.folder), run)
        return
    try:
        run.folder.mkdir(parents=True, exist_ok=True)
        # killed while it was begun, a run has left its recipe and temporary files at most
        occupied = any(path.name != "recipe.yaml" and not path.name.startswith(PREFIX)
                       for path in run.folder.iterdir())
    except OSError as error:
        raise OutputError(f"{run.folder}: cannot be made: {error.strerror}") from error
    if occupied:
        raise OutputError(f"{run.folder}: is not empty and holds no run; choose a new folder")
    run.write()


def _check_same(old: Run, new: Run) -> None:
    """Whether `new` goes on with what `old` began: recipe, data, start and cases."""
    if old.recipe != new.recipe or (old.prepared, old.fold) != (new.prepared, new.fold):
        raise InputError(f"{old.folder}: holds a run with {_difference(old, new)}; choose another "
                         "folder, or continue it with the same")
    start, given = old.record.get("start"), new.record["start"]
    if start and not given and not old.checkpoint.exists():
        raise InputError(f"{old.folder}: was begun with the model {start} and has no checkpoint "
                         "yet; name the model again with --from")
    if given and old.record.get("start", given) != given:
        raise InputError(f"{old.folder}: was begun with {start or 'fresh weights'}, not with the "
                         f"model {given}; choose another folder, or leave --from out")
    cases = set(new.record["training"])
    if different := cases ^ set(old.record.get("training", cases)):
        raise InputError(f"{old.folder}: was begun on other cases than {old.prepared} holds now "
                         f"({listed(different)}); train in another folder, or prepare the same "
                         "cases again")


def _difference(old: Run, new: Run) -> str:
    """The first thing in which two runs differ, as a text."""
    pairs = [("prepared", str(old.prepared), str(new.prepared)), ("fold", old.fold, new.fold)]
    mine, theirs = old.recipe.to_json(), new.recipe.to_json()
    for key, value in mine.items():
        if isinstance(value, dict):
            pairs += [(f"{key}.{name}", v, theirs[key].get(name)) for name, v in value.items()]
        else:
            pairs.append((key, value, theirs[key]))
    return next(f"{key} = {a}, not {b}" for key, a, b in pairs if a != b)


def _record(training: _Training) -> dict[str, Any]:
    device = training.mine.device
    return {
        "software": f"MetaUNETR {__version__}",
        "cases": dict(Counter(case.source.dataset for case in training.patches.cases)),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU",
        "processes": training.mine.count,
        "threads": torch.get_num_threads(),
        "precision": str(training.step.dtype).removeprefix("torch."),
        "parameters": sum(p.numel() for p in training.step.network.parameters()),
        "versions": {"python": platform.python_version(), "torch": torch.__version__,
                     "numpy": numpy.__version__, "platform": platform.platform()},
        "cores": os.cpu_count(),
    }
