"""All steps from corrected CTs to a model; a run that was killed goes on where it was.

The state lies beside the model, in the folder NAME.adapting, until the model is written:

    state.json          what it was made from, the time spent; later the time for each training,
                        and the whole time that was divided
    labels/NUMBER.nrrd  corrected organs on the grids of the images
    prepared/           see `data.prepared`
    fold0/, …, all/     runs, see `training.run`
    before/, after/     scores of the held-out cases, see `evaluation.cases`

Events are dictionaries with the key `event`, and a `line` of text for people:

    cases     cases [{image, labels, organs}], organs {name: number of cases}, line
    estimate  seconds, trainings, disk_mb, memory_mb, line
    stage     stage "prepare", "before", "train", "after", "final" or "write", line
    progress  stage, progress (0 to 1), remaining_s
    warning   text
    result    written, output, cases, organs {name: {n, dice, nsd_2mm}} and mean, each with the
              values before and after, reason (why the model is not better), calibration, line
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from metaunetr import io
from metaunetr.bundle import Bundle, load
from metaunetr.errors import InputError, OutputError
from metaunetr.io.atomic import PREFIX, write_text
from metaunetr.organs import BY_NUMBER
from metaunetr.outputs import make_folder
from metaunetr.schema import read_json
from metaunetr.text import counted, duration
from metaunetr_training.adapt import settings
from metaunetr_training.adapt.cases import Correction
from metaunetr_training.adapt.files import FEWEST, state_folder
from metaunetr_training.adapt.gain import Gain
from metaunetr_training.data import prepare
from metaunetr_training.data.case import Case
from metaunetr_training.data.folds import NO_FOLD, Fold
from metaunetr_training.data.prepared import Prepared, PreparedCase
from metaunetr_training.evaluation import calibration
from metaunetr_training.evaluation.cases import measure
from metaunetr_training.evaluation.scores import Score
from metaunetr_training.evaluation.selection import Selection
from metaunetr_training.export.bundle import CardTexts, make_card, write_bundle
from metaunetr_training.export.target import refuse_existing
from metaunetr_training.training.loop import train
from metaunetr_training.training.run import Run

Report = Callable[[dict[str, Any]], None]

LEAVE_ONE_OUT = 6  # cases; more are divided into FOLDS
FOLDS = 3
WRITING = 0.05  # share of the time that is kept for writing and trying the model
SLOWER = 1.1  # measuring may take this much longer after training than before
SHORTEST = 20.0  # seconds of a training; in less, a model learns nothing on a CPU
SAVED = 5.0  # seconds between two writings of state.json
DATASET = "corrected"
# Bytes of memory, at most: of Python with PyTorch, and for each voxel of a patch in float32.
# Twice the peak of two steps of abdomen13-2mm (64 × 96 × 144 voxels) in bfloat16 on a CPU.
PROCESS, VOXEL = 700e6, 3200


@dataclass(frozen=True)
class Request:
    """What to adapt to what.

    Attributes:
        output: folder of the model to write.
        minutes: for everything.
        keep_anyway: write the model even if it is not better.
        seed: of patches and augmentation.
    """

    cases: Sequence[Correction]
    start: Bundle
    output: Path
    minutes: float
    device: str = "auto"
    keep_anyway: bool = False
    seed: int = 0


def adapt(request: Request, report: Report, dry_run: bool = False) -> bool:
    """Adapts a model; returns whether it was written.

    Args:
        report: called with every event.
        dry_run: only say what was found, and the time and space it takes.

    Raises:
        BundleError: the network of the start model cannot be trained.
        InputError: there are fewer than three cases, one cannot be used, or the time is too
            short.
        OutputError: the model exists, or cannot be written; the disk is too small.
        TrainingError: a loss is not finite.
    """
    return _Adapter(request, report).run(dry_run)


class _Adapter:
    def __init__(self, request: Request, report: Report) -> None:
        self.request, self.start, self.report = request, request.start, report
        self.folder = state_folder(request.output)
        self.made_from = _made_from(request)
        self.stage = ""
        self.state = _read_state(self.folder)

    def run(self, dry_run: bool) -> bool:
        output = self.request.output
        resumed = self.state.get("made_from") == self.made_from and (
            "minutes" not in self.state or self.state.get("of") == self.request.minutes)
        if resumed and output.exists() and (adapted := load(output).card.get("adapted")):
            self._finish(adapted)  # it was killed after the model was written
            return True
        self.report(_cases_event(self.request.cases))
        if len(self.request.cases) < FEWEST:
            raise InputError(f"at least {FEWEST} corrected CTs are needed, so that some can be "
                             f"held out to measure the gain; there are {len(self.request.cases)}")
        refuse_existing(output)
        training = settings.recipe_of(self.start, 1).training
        self.sizes = (training.patch, *training.more_patches)
        self.report(self._estimate())
        if dry_run:
            return False
        if not resumed:
            self._begin()
        self.last = self.saved = time.monotonic()
        prepared = self._prepare()
        before = self._measure("before", replace(self.start, calibration=None), prepared.cases)
        folds = sorted({prepared.folds[case.key] for case in prepared.cases})
        self._divide_time(len(prepared.cases))
        after: list[Score] = []
        for count, fold in enumerate(folds, start=1):
            self._stage("train", f"Training {count} of {len(folds) + 1}, "
                                 f"{duration(60 * self.state['minutes'])} at most.")
            run = self._train(fold, f"fold{fold}")
            after += self._measure("after", run.bundle(), prepared.held_out(fold))
        gain, fit = Gain.of(before, after), calibration.fit(after)
        adapted = {
            "from": self.start.name, "from_sha256": self.start.sha256,
            "date": datetime.now(timezone.utc).date().isoformat(),
            "cases": len(prepared.cases), **gain.to_json(), "calibration": fit.sentence(),
        }
        if gain.reason and not self.request.keep_anyway:
            self._result(adapted, gain.table(), False)
            return False
        self._stage("final", f"Training {len(folds) + 1} of {len(folds) + 1}, on all cases.")
        run = self._train(NO_FOLD, "all")
        self._stage("write", "Writing the model, and trying it in a new process.")
        write_bundle(run, output, _card(run, self.start, output.name, adapted, fit))
        self._finish(adapted, gain.table())
        return True

    def _estimate(self) -> dict[str, Any]:
        """
        Raises:
            OutputError: the disk is too small.
        """
        count = len(self.request.cases)
        trainings = _folds(count) + 1
        plan = prepare.plan(self.folder / "prepared", self.start.preprocessing,
                            [_source(n, case, case.labels) for n, case in
                             enumerate(self.request.cases, start=1)], _folds(count), jobs=1)
        weights = sum(p.numel() for p in self.start.network().parameters())
        disk = plan.disk + trainings * 16 * weights  # float32: weights, average, two of AdamW
        if disk > plan.free and not self.state:
            raise OutputError(f"{self.folder}: adapting takes at most {disk / 1e6:,.0f} MB, only "
                              f"{plan.free / 1e6:,.0f} MB are free on this disk")
        memory = PROCESS + VOXEL * max(map(math.prod, self.sizes))
        return {"event": "estimate", "seconds": 60 * self.request.minutes, "trainings": trainings,
                "disk_mb": round(disk / 1e6), "memory_mb": round(memory / 1e6),
                "line": f"At most {duration(60 * self.request.minutes)} for {trainings} trainings "
                        f"and their measurement, {memory / 1e9:.1f} GB of memory and "
                        f"{disk / 1e9:.1f} GB of disk."}

    def _begin(self) -> None:
        """Makes the state folder, or empties that of other cases, another model or time."""
        if self.state:
            self.report({"event": "warning", "text": "The cases, the model or the time are not "
                         "those of the interrupted run; it begins again."})
            _remove(self.folder)
        make_folder(self.folder)
        if any(not path.name.startswith(PREFIX) for path in self.folder.iterdir()):
            raise OutputError(f"{self.folder}: exists and is no state of an interrupted run; "
                              "remove it, or choose another name for the model")
        self.state = {"made_from": self.made_from, "spent": 0.0}
        self._save()

    def _prepare(self) -> Prepared:
        """
        Raises:
            InputError: a case cannot be used, or fewer than three CTs are different.
        """
        self._stage("prepare", "Preparing the cases.")
        make_folder(self.folder / "labels")
        sources = []
        for number, case in enumerate(self.request.cases, start=1):
            path = self.folder / "labels" / f"{number:03d}.nrrd"
            if not path.is_file():
                io.write_image(path, case.read())
            sources.append(_source(number, case, path))
            self._tick()
        plan = prepare.plan(self.folder / "prepared", self.start.preprocessing, sources,
                            _folds(len(sources)), jobs=1)
        prepared = prepare.prepare(plan, lambda line: self._tick())
        for case in sources:
            if case.key in plan.failed:
                raise InputError(f"{case.image}: {plan.failed[case.key]}")
        same_cts = prepare.duplicates(prepared.cases)
        for same in same_cts:
            files = " and ".join(str(case.source.image) for case in same)
            self.report({"event": "warning", "text": f"{files} are one CT; they are held out "
                         "together."})
        different = len(prepared.cases) - sum(len(same) - 1 for same in same_cts)
        if different < FEWEST:
            raise InputError(f"at least {FEWEST} different CTs are needed, these are {different}, "
                             "some of them several times")
        return prepared

    def _divide_time(self, cases: int) -> None:
        """Determines the minutes of each training: those that measuring leaves.

        Raises:
            InputError: it leaves too few.
        """
        if "minutes" in self.state:
            return
        left = self._left(cases, cases)
        self.state |= {"minutes": left / (_folds(cases) + 1) / 60, "of": self.request.minutes}
        self._save()

    def _left(self, measured: int, cases: int) -> float:
        """Seconds that measuring leaves, when some cases have been measured once.

        All cases are measured twice, and the validations of each training measure up to
        `validation_cases` of its fold twice.

        Raises:
            InputError: it leaves less than SHORTEST for each training.
        """
        measuring = (self.state["spent"] - self.state["prepared"]) / measured * cases
        folds = _folds(cases)
        validated = min(cases, folds * settings.TRAINING.validation_cases) / cases
        needed = self.state["prepared"] + (1 + SLOWER + 2 * validated) * measuring
        left = 60 * self.request.minutes * (1 - WRITING) - needed
        trainings = folds + 1
        if left < SHORTEST * trainings:
            wanted = math.ceil((needed / 60 + trainings) / (1 - WRITING))
            raise InputError(f"{self.request.minutes:g} minutes are too few: to prepare {cases} "
                             f"cases and measure them twice takes {duration(needed)} on this "
                             f"computer; give --max-minutes {wanted} or more, it goes on from here")
        return left

    def _train(self, fold: Fold, name: str) -> Run:
        prepared = Prepared.read(self.folder / "prepared")
        recipe = settings.recipe_of(self.start, self.state["minutes"], self.request.seed)
        return train(recipe, prepared, fold, self.folder / name, self.start, self.request.device,
                     lambda event: self._tick(), adapt=True)

    def _measure(
        self, name: str, bundle: Bundle, cases: Sequence[PreparedCase]
    ) -> list[Score]:
        """Scores of whole CTs on their own grids.

        Raises:
            InputError: a CT cannot be segmented, or the time will be too short.
        """
        self._stage(name, f"Measuring {counted(len(cases), 'case')} {name} training.")
        if name == "before":
            self.state.setdefault("prepared", self.state["spent"])
        selection = Selection(bundle, tuple(case.source for case in cases), "held out", None)
        done = itertools.count(1)

        def report(line: str) -> None:
            self._tick()
            # not after the first case, during which the model is loaded
            if (measured := next(done)) > 1 and "minutes" not in self.state:
                self._left(measured, len(cases))

        scores, failed = measure(selection, self.folder / name, self.request.device, report=report)
        if failed:
            raise InputError(next(iter(failed.values())))
        return scores

    def _finish(self, adapted: dict[str, Any], table: str = "") -> None:
        self._result(adapted, table, True)
        _remove(self.folder)

    def _result(self, adapted: dict[str, Any], table: str, written: bool) -> None:
        lines = [table] if table else []
        if adapted["reason"]:
            lines.append(f"The model is not better: {adapted['reason']}.")
        lines.append(
            f"{self.request.output}: model {self.request.output.name}, used with --model."
            if written else
            f"No model was written. --keep-anyway writes it, from what is kept in {self.folder}; "
            "remove that folder if you do not need it.")
        self.report({"event": "result", "written": written, "output": str(self.request.output),
                     **{key: adapted[key] for key in ("cases", "organs", "mean", "reason",
                                                      "calibration")},
                     "line": "\n".join(lines)})

    def _stage(self, stage: str, line: str) -> None:
        self.stage = stage
        self.report({"event": "stage", "stage": stage, "line": line})
        self._tick()

    def _tick(self) -> None:
        """Adds the time since the last call, and reports the progress."""
        now = time.monotonic()
        self.state["spent"] += now - self.last
        self.last = now
        if now - self.saved >= SAVED:
            self._save()
        total = 60 * self.request.minutes
        self.report({"event": "progress", "stage": self.stage,
                     "progress": round(min(1.0, self.state["spent"] / total), 4),
                     "remaining_s": round(max(0.0, total - self.state["spent"]), 1)})

    def _save(self) -> None:
        self.saved = time.monotonic()
        write_text(self.folder / "state.json", json.dumps(self.state, indent=1))


def _made_from(request: Request) -> str:
    what = [request.start.sha256, [case.state() for case in request.cases], request.seed]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()


def _read_state(folder: Path) -> dict[str, Any]:
    """The content of state.json; {} where there is none."""
    try:
        values = read_json(folder / "state.json")
        return values if "made_from" in values and "spent" in values else {}
    except (OSError, ValueError, TypeError):
        return {}


def _remove(folder: Path) -> None:
    """Removes the state, state.json last, so that a state half removed is known as one."""
    for path in folder.iterdir():
        if path.name != "state.json":
            shutil.rmtree(path, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _folds(cases: int) -> int:
    return cases if cases <= LEAVE_ONE_OUT else FOLDS


def _source(number: int, case: Correction, labels: Path) -> Case:
    return Case(DATASET, f"{number:03d}", case.image, labels,
                {organ: (organ,) for organ in sorted(case.organs)})


def _cases_event(cases: Sequence[Correction]) -> dict[str, Any]:
    """What was found. File names are for the user alone: the model does not hold them."""
    counts = Counter(number for case in cases for number in case.organs)
    organs = {BY_NUMBER[number].name: counts[number] for number in sorted(counts)}
    names = ", ".join(f"{name} in {count}" for name, count in organs.items())
    return {
        "event": "cases", "organs": organs,
        "cases": [{"image": str(case.image), "labels": str(case.labels),
                   "organs": [BY_NUMBER[number].name for number in sorted(case.organs)]}
                  for case in cases],
        "line": f"{counted(len(cases), 'corrected case')}: {names}.",
    }


def _card(
    run: Run, start: Bundle, name: str, adapted: dict[str, Any], fit: calibration.Fit
) -> dict[str, Any]:
    """The card of the adapted model; it names no case."""
    cases, texts = adapted["cases"], start.card
    note = (f"Adapted by its user to {counted(cases, 'corrected CT')}; only the Dice under "
            "accuracy was measured.")
    if adapted["reason"]:
        note += f" Kept although it is not better: {adapted['reason']}."
    card = make_card(run, name, CardTexts(
        title=f"{texts.get('title') or start.name}, adapted to {counted(cases, 'corrected CT')}",
        data_licence=f"{texts.get('data_licence', 'of the start model: unknown.')} "
                     "The corrected CTs belong to the user.",
        weights_licence=texts.get("weights_licence", "of the start model: not stated"),
        intended_use=" ".join(filter(None, (texts.get("intended_use"), note)))))
    card["training"] |= {
        "data": f"{start.name}, then {counted(cases, 'corrected CT')}",
        "loss": "cross-entropy - log Dice of corrected organs; the start model's probabilities are "
                "the target for all others",
    }
    card["adapted"] = adapted
    card["accuracy"] = {"metric": "Dice on the original grid by this engine"} | {
        split: {organ: round(line["dice"][place], 3)
                for organ, line in (*adapted["organs"].items(), ("mean", adapted["mean"]))}
        for place, split in ((1, f"corrected CTs, held out in turn (n={cases})"),
                             (0, f"the same CTs by {start.name} (n={cases})"))}
    if fit.calibration:
        card["calibration"] = fit.to_card()
    return card
