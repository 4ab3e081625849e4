"""The training loop, from the first step or the last checkpoint to the end."""

from __future__ import annotations

import copy
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
from metaunetr_training.data.datasets.pairs import join_ids
from metaunetr_training.data.folds import Fold
from metaunetr_training.data.prepared import Prepared, PreparedCase
from metaunetr_training.recipe import Recipe
from metaunetr_training.training import checkpoint
from metaunetr_training.training.average import moving_average
from metaunetr_training.training.checkpoint import TrainState
from metaunetr_training.training.distributed import ProcessGroup, process_group
from metaunetr_training.training.finetune import initial_weights, require_same_preprocessing
from metaunetr_training.training.log import PICTURED_CASES, TrainingLog, read_csv_log
from metaunetr_training.training.memory import keep_freed_memory
from metaunetr_training.training.networks import build_network
from metaunetr_training.training.requirements import require_compatible
from metaunetr_training.training.run import Run
from metaunetr_training.training.sampler import PatchDataset, batches, explain_shared_memory
from metaunetr_training.training.schedule import Schedule
from metaunetr_training.training.step import Step
from metaunetr_training.training.validate import (
    Scores,
    interleave,
    mean_dice,
    organ_means,
    validate,
)

Report = Callable[[dict[str, Any]], None]

HALF_WAY = 0.5  # share of the schedule after which an adapting run is validated
FALL = 0.01  # of held-out Dice since the start, with which it ends


def train(
    recipe: Recipe, prepared: Prepared, fold: Fold, folder: Path, start: Bundle | None = None,
    device: str = "auto", report: Report | None = None, adapt: bool = False,
) -> Run:
    """Trains on all folds but `fold` (NO_FOLD: on all), or continues the run in `folder`.

    Args:
        start: a bundle with the initial weights; not needed to continue from a checkpoint.
        report: called with events, dictionaries with the key `event`: "train", "validation" or
            "warning".
        adapt: keep what `start` knows: it is the teacher for organs that a case does not annotate
            (see `losses`), and training ends half-way if it has lowered Dice on held-out cases.
            `start` is needed to continue as well.

    Raises:
        BundleError: the recipe describes no valid network, or not that of `start`.
        DeviceError: the workers have too little shared memory.
        InputError: recipe and cases do not match, or `folder` holds another run.
        OutputError: `folder` cannot be written to; the last checkpoint is kept.
        TrainingError: loss or gradient is not finite.
    """
    require_compatible(recipe, prepared, fold)
    if start is not None:
        require_same_preprocessing(recipe.preprocessing, start)
    keep_freed_memory()
    with process_group(device) as group:
        return _Trainer(recipe, prepared, fold, folder, start, group, report or _ignore,
                        adapt).run()


def _ignore(event: dict[str, Any]) -> None:
    pass


class _Trainer:
    def __init__(
        self, recipe: Recipe, prepared: Prepared, fold: Fold, folder: Path, start: Bundle | None,
        group: ProcessGroup, report: Report, adapt: bool,
    ) -> None:
        self.recipe, self.group, self.report = recipe, group, report if group.is_main else _ignore
        self.patches = PatchDataset(prepared.training(fold), recipe)
        self.held_out = interleave(prepared.held_out(fold), recipe.training.validation_cases)
        origin = {"start": start.name if start is not None else None,
                  "training": sorted(case.key for case in self.patches.cases)}
        self.output = _open_run(Run(folder, recipe, prepared.folder, fold, origin), group)
        torch.manual_seed(recipe.training.seed)
        network = build_network(recipe.network, len(recipe.organs) + 1, recipe.training.patch)
        if start is not None:
            initial_weights(network, recipe.classes, start)
        self.adapt = adapt
        teacher = copy.deepcopy(network).eval() if adapt else None
        self.step = Step(network, recipe, group, teacher)
        self.average = moving_average(self.step.network, recipe.training.ema)
        self.schedule = Schedule.of(recipe.training)
        self.state = TrainState()
        if self.output.checkpoint.exists():
            self.state = checkpoint.restore(self.output.checkpoint, self.step, self.average)
        self.resumed = self.state  # at the start of this process
        self.started = time.perf_counter()
        self.validation_seconds = 0.0
        self.record = self.output.record | _record(self)

    def run(self) -> Run:
        if self.output.record.get("finished"):
            return self.output
        log = TrainingLog(self.output.folder, self.recipe, self.state.iteration,
                          files_only=self.adapt) if self.group.is_main else None
        datasets = {case.source.dataset for case in self.patches.cases}
        if unknown := sorted(set(self.recipe.training.dataset_weights) - datasets):
            self.report({"event": "warning", "text":
                         f"training.dataset_weights: no case to train on is of "
                         f"{', '.join(unknown)}; there are {', '.join(sorted(datasets))}."})
        try:
            with explain_shared_memory():
                self._steps(log)
            self._validate(log, last=True)
        finally:
            if log:
                log.close()
        return self.group.broadcast(self.output)  # only the main process has the record

    def _steps(self, log: TrainingLog | None) -> None:
        patches = batches(self.patches, self.recipe, self.group, self.state.iteration)
        training, progress = self.recipe.training, self._progress()
        if self._lacks_validation(progress):
            self._validate(log)
        fallen = self._has_fallen()
        while progress < 1 and not fallen:
            began = time.perf_counter()
            batch = next(patches)
            waited = time.perf_counter() - began
            rate = self.schedule.learning_rate(progress)
            values = self.step(batch, rate)
            iteration = self.state.iteration + 1
            self.average.update_parameters(self.step.network)
            values |= {"learning_rate": rate, "waited": waited,
                       "seconds": time.perf_counter() - began}
            self.state = TrainState(iteration, self._seconds())
            if log:
                log.step(iteration, values)
            progress = self._progress()
            self.report({"event": "train", "iteration": iteration, "progress": progress,
                         "remaining_s": self._remaining(progress), **values})
            if self._lacks_validation(progress):
                self._validate(log)
                fallen = self._has_fallen()
            elif iteration % training.checkpoint_every == 0:
                self._save()

    def _validate(self, log: TrainingLog | None, last: bool = False) -> None:
        """Saves a checkpoint, and measures the averaged weights on the held-out cases.

        The last weights of an adapting run are not measured: `adapt` does so on the original grids.
        Validations of an adapting run take none of its minutes, so that a run with held-out cases
        trains as long as one without.
        """
        self._save()
        began = time.perf_counter()
        iteration = self.state.iteration
        share = [] if last and self.adapt else self.held_out[self.group.rank :: self.group.count]
        pictured = {case.key for case in self.held_out[:PICTURED_CASES] if not self.adapt}

        def draw(case: PreparedCase, predicted: numpy.ndarray) -> None:
            if log and case.key in pictured:
                log.picture(case, predicted, iteration)

        part = validate(self.average.module.eval(), share, self.recipe, self.group.device,
                        self.step.dtype, draw)
        scores: Scores = {}
        for some in self.group.gather(part):
            scores |= some
        seconds = time.perf_counter() - began
        if self.adapt:
            self.started += seconds
        else:
            self.validation_seconds = seconds
        if log:
            if scores:
                log.validation(iteration, scores)
            self._write_record(scores, last)
        if log and scores:
            self.report({"event": "validation", "iteration": iteration, "cases": len(scores),
                         "mean": mean_dice(scores), "organs": organ_means(scores)})

    def _lacks_validation(self, progress: float) -> bool:
        """Whether an adapting run begins, or the run was ended in the validation that is due."""
        iteration = self.state.iteration
        if not self.held_out or progress == 1:
            return False
        if self.adapt:
            return len(self._validations()) < (2 if progress >= HALF_WAY else 1)
        if iteration == 0 or iteration % self.recipe.training.validate_every:
            return False
        return iteration not in (int(row[0]) for row in self._validations())

    def _has_fallen(self) -> bool:
        """Whether an adapting run has lowered held-out Dice, by the last validation."""
        rows = self._validations() if self.adapt else []
        return len(rows) > 1 and float(rows[-1][1]) < float(rows[0][1]) - FALL

    def _validations(self) -> list[list[str]]:
        """Iteration, mean Dice and Dice of each organ."""
        return read_csv_log(self.output.folder / "validation.csv")[1:]

    def _save(self) -> None:
        self.state = replace(self.state, seconds=self._seconds())
        if self.group.is_main:
            checkpoint.save(self.output.checkpoint, self.step, self.average, self.state)

    def _write_record(self, scores: Scores, finished: bool) -> None:
        record = self.record | {
            "iterations": self.state.iteration,
            "minutes": round(self._seconds() / 60, 2),
            "finished": finished,
        }
        if scores:
            record["validation"] = {"cases": sorted(scores),
                                    "mean_dice": round(mean_dice(scores), 4)}
        self.output = replace(self.output, record=record)
        self.output.write()

    def _seconds(self) -> float:
        return self.resumed.seconds + time.perf_counter() - self.started

    def _progress(self) -> float:
        """The completed share of the schedule, by the clock of the main process."""
        if self.schedule.seconds == float("inf"):
            return self.schedule.progress(self.state.iteration, 0.0)
        return self.group.broadcast(self.schedule.progress(
            self.state.iteration, self._seconds(), self.validation_seconds))

    def _remaining(self, progress: float) -> float:
        """Estimated seconds until the schedule ends, by the progress of this process so far."""
        gained = progress - self.schedule.progress(self.resumed.iteration, self.resumed.seconds)
        spent = self._seconds() - self.resumed.seconds
        return spent / gained * (1 - progress) if gained > 0 else float("inf")


def _open_run(run: Run, group: ProcessGroup) -> Run:
    """The new run in its folder, or the interrupted run that the folder holds."""
    if group.is_main:
        _create_or_resume(run)
    group.broadcast(None)  # the other processes wait for the folder
    existing = Run.open(run.folder)
    # records of older versions lack start and training
    return replace(existing, record=run.record | existing.record)


def _create_or_resume(run: Run) -> None:
    if (run.folder / "run.json").exists():
        _require_same_run(Run.open(run.folder), run)
        return
    try:
        run.folder.mkdir(parents=True, exist_ok=True)
        # a run that was killed before it wrote run.json leaves its recipe and temporary files
        occupied = any(path.name != "recipe.yaml" and not path.name.startswith(PREFIX)
                       for path in run.folder.iterdir())
    except OSError as error:
        raise OutputError(f"{run.folder}: cannot be made: {error.strerror}") from error
    if occupied:
        raise OutputError(f"{run.folder}: is not empty and holds no run; choose a new folder")
    run.write()


def _require_same_run(old: Run, new: Run) -> None:
    """Checks that recipe, cases and initial model of `new` are those of `old`."""
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
                         f"({join_ids(different)}); train in another folder, or prepare the same "
                         "cases again")


def _difference(old: Run, new: Run) -> str:
    """The first difference of two runs, as a text."""
    pairs = [("prepared", str(old.prepared), str(new.prepared)), ("fold", old.fold, new.fold)]
    old_values, new_values = old.recipe.to_json(), new.recipe.to_json()
    for key, value in old_values.items():
        if isinstance(value, dict):
            pairs += [(f"{key}.{name}", v, new_values[key].get(name)) for name, v in value.items()]
        else:
            pairs.append((key, value, new_values[key]))
    return next(f"{key} = {a}, not {b}" for key, a, b in pairs if a != b)


def _record(trainer: _Trainer) -> dict[str, Any]:
    device = trainer.group.device
    return {
        "software": f"MetaUNETR {__version__}",
        "cases": dict(Counter(case.source.dataset for case in trainer.patches.cases)),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU",
        "processes": trainer.group.count,
        "threads": torch.get_num_threads(),
        "precision": str(trainer.step.dtype).removeprefix("torch."),
        "parameters": sum(p.numel() for p in trainer.step.network.parameters()),
        "versions": {"python": platform.python_version(), "torch": torch.__version__,
                     "numpy": numpy.__version__, "platform": platform.platform()},
        "cores": os.cpu_count(),
    }
