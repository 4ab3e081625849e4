"""Trains, tests and measures the networks of the plan, one after the other.

    runs/NAME-SEED/        the run, and its evaluation on the test cases
    costs/NAME/            time and memory of the network
    log.txt                a line for each network
    *.csv                  see `results`
"""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from metaunetr.errors import DeviceError, InputError, MetaUNETRError, explain
from metaunetr.outputs import make_folder
from metaunetr_training.data.case import TEST
from metaunetr_training.data.prepared import Prepared, PreparedCase
from metaunetr_training.errors import TrainingError
from metaunetr_training.evaluation.cases import measure
from metaunetr_training.evaluation.scores import Score, by_organ
from metaunetr_training.evaluation.selection import choose
from metaunetr_training.experiments import results, similarity
from metaunetr_training.experiments.costs import MeasurementError, costs
from metaunetr_training.experiments.plan import MIXER, NO_MIXER, Planned
from metaunetr_training.experiments.unattended import Clock, Report, log
from metaunetr_training.recipe import Recipe
from metaunetr_training.training.checkpoint import load_average
from metaunetr_training.training.distributed import process_group
from metaunetr_training.training.loop import train
from metaunetr_training.training.networks import build_network
from metaunetr_training.training.run import Run
from metaunetr_training.training.sampler import PatchDataset

FIRST = "tricruci_self_attention"  # whose features are compared with those of the others
ALSO_COMPARED = "four_stages_convolution"
PATCHES = 32  # for CKA


def run_all(
    planned: Sequence[Planned], prepared: Prepared, fold: int, folder: Path, device: str,
    clock: Clock, report: Report,
) -> list[str]:
    """Trains, tests and measures all networks that are not finished, and computes their CKA.

    Args:
        fold: held out of training; the test cases are those of the test set if there is one, else
            those of this fold.
        report: called with the events of `train` and `similarity.compute`,
            {"event": "network", "name", "number", "all"} and {"event": "line", "text"}.

    Returns:
        a sentence for each network that failed.

    Raises:
        Cancelled: the time is over.
        InputError: recipe and cases do not match, or several processes were started.
        OutputError: `folder` cannot be written to.
        DeviceError: the device does not exist.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        raise InputError("experiments run in one process, so that times and memory are those of "
                         "one; start them without torchrun")
    failed = []
    with process_group(device) as group:  # raises here, not once for each network
        _measure_costs(planned, folder, group.device, clock)
        for number, each in enumerate(planned, 1):
            if (each.name, str(each.seed)) in results.finished(folder):
                continue
            clock.check()
            report({"event": "network", "name": each.folder, "number": number,
                    "all": len(planned)})
            line = f"{number} of {len(planned)}: {each.folder}: "
            try:
                line += _one(each, prepared, fold, folder, group.device, clock, report)
            except (MetaUNETRError, MemoryError, RuntimeError) as error:
                text, code = explain(error)
                of_one = type(error) in (TrainingError, MeasurementError)
                if not of_one and code != DeviceError.exit_code:  # of memory too
                    raise
                failed.append(f"{each.folder}: {text}")
                line += f"failed: {text}"
            log(folder, line, report)
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
        _similarities(planned, prepared, fold, folder, group.device, clock, report)
    return failed


def setting(recipe: Recipe, prepared: Prepared, fold: int) -> dict[str, Any]:
    """What must be the same for all networks in one folder of results."""
    return {"recipe": recipe.to_json(), "fold": fold,
            "training": [case.key for case in prepared.training(fold)],
            "test": [case.key for case in _test_cases(prepared, fold)]}


def _test_cases(prepared: Prepared, fold: int) -> list[PreparedCase]:
    return prepared.held_out(TEST) or prepared.held_out(fold)


def points(recipe: Recipe) -> tuple[int, ...]:
    """Steps at which features are compared: after the first validation, half-way, at the end."""
    every, last = recipe.training.validate_every, recipe.training.iterations
    half = max(every, round(last / 2 / every) * every)
    return tuple(sorted({point for point in (every, half, last) if point <= last}))


def _measure_costs(
    planned: Sequence[Planned], folder: Path, device: torch.device, clock: Clock
) -> None:
    """Measures all networks one after the other, before hours in which the machine's load changes.

    One that cannot be measured is reported after its training.
    """
    for name, each in {each.name: each for each in reversed(planned)}.items():
        place = folder / "costs" / name
        if not (place / "costs.json").exists():
            clock.check()
            make_folder(place)
            with suppress(MeasurementError):
                costs(each.recipe, place, device)


def _one(
    each: Planned, prepared: Prepared, fold: int, folder: Path, device: torch.device,
    clock: Clock, report: Report,
) -> str:
    """Trains, tests and measures a network; a text about it."""
    place = folder / "runs" / each.folder

    def watched(event: dict[str, Any]) -> None:
        report(event)
        if (event["event"] == "validation" and event["iteration"] in points(each.recipe)
                and _is_compared(each)):
            shutil.copy(place / "checkpoint.safetensors", _snapshot(place, event["iteration"]))
        clock.check()

    run = train(each.recipe, prepared, fold, place, device=str(device), report=watched)
    scores = _test(run, prepared, place / "evaluation", str(device), clock, report)
    clock.check()
    measured = costs(each.recipe, folder / "costs" / each.name, device)
    results.add(folder, each, run, scores, measured)
    dice = np.mean([np.mean([score.dice for score in mine])
                    for mine in by_organ(scores).values()])
    cases = len({score.key for score in scores})
    return (f"{run.record['iterations']} steps in {run.record['minutes']:.1f} min, Dice {dice:.3f} "
            f"(n = {cases}), {measured.parameters / 1e6:.2f} M parameters")


def _test(
    run: Run, prepared: Prepared, output: Path, device: str, clock: Clock, report: Report
) -> list[Score]:
    """The scores of the test cases, on their own grids.

    Raises:
        InputError: a case cannot be scored.
    """
    test = bool(prepared.held_out(TEST))
    selection = choose(run.folder, prepared.folder, None if test else run.fold, test)

    def watched(line: str) -> None:
        report({"event": "line", "text": line})
        clock.check()

    scores, failed = measure(selection, output, device, report=watched,
                             precision=run.recipe.training.precision)
    if failed:  # networks must be compared on the same cases
        key, text = next(iter(failed.items()))
        raise InputError(f"{key}: {text}")
    return scores


def _is_compared(each: Planned) -> bool:
    """Whether the network's features are compared with those of FIRST."""
    return each.kind in (MIXER, NO_MIXER) or each.name == ALSO_COMPARED


def _snapshot(place: Path, iteration: int) -> Path:
    return place / f"checkpoint-{iteration}.safetensors"


def _similarities(
    planned: Sequence[Planned], prepared: Prepared, fold: int, folder: Path,
    device: torch.device, clock: Clock, report: Report,
) -> None:
    """CKA of the networks with self-attention, other mixers and none, at every point that is not
    in cka.csv yet.

    The first seed of all, and the others of FIRST: what another seed changes.
    """
    first = next((each for each in planned if each.name == FIRST), planned[0])
    compared = [first, *(
        each for each in planned if each is not first and _is_compared(each)
        and (each.name == first.name or each.seed == first.seed))]
    known = {(row["iteration"], row["network"]) for row in results.read(folder / results.CKA)}
    for point in points(first.recipe):
        paths = {each.folder: (each, _snapshot(folder / "runs" / each.folder, point))
                 for each in compared}
        ready = {name: pair for name, pair in paths.items() if pair[1].exists()}
        if first.folder not in ready or all((str(point), name) in known for name in ready):
            continue
        networks = [load_average(path, build_network(
            each.recipe.network, len(each.recipe.organs) + 1, each.recipe.training.patch))
            for each, path in ready.values()]
        examples = PatchDataset(_test_cases(prepared, fold), first.recipe)

        def watched(event: dict[str, Any]) -> None:
            report(event)
            clock.check()

        levels, _ = similarity.compute(networks, examples, PATCHES, device, watched)
        within, between = similarity.pairs(list(ready), levels)
        results.add_similarities(folder, point, [*within, *between])
