"""Networks that are trained under one recipe, so that nothing but the network differs."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from metaunetr.errors import DeviceError, InputError, explain
from metaunetr.network.sizes import FAMILY
from metaunetr_training.data.prepared import Prepared
from metaunetr_training.errors import TrainingError
from metaunetr_training.experiments.baselines import FAMILIES
from metaunetr_training.recipe import Network, Recipe
from metaunetr_training.training.fit import check_recipe
from metaunetr_training.training.loop import train
from metaunetr_training.training.run import Run

ENDLESS = 10**9  # iterations, where minutes decide
Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Contender:
    """A network with its recipe; `name` is the name of its run's folder."""

    name: str
    recipe: Recipe


def contender(recipe: Recipe, name: str, **network: Any) -> Contender:
    """The recipe with some values of its network replaced."""
    changed = replace(recipe, name=f"{recipe.name} {name}",
                      network=replace(recipe.network, **network))
    return Contender(name, changed)


def mixer(recipe: Recipe, name: str) -> Contender:
    """MetaUNETR in the recipe's size with that mixer; its options are the recipe's if it is the
    recipe's mixer, else the mixer's own defaults."""
    options = recipe.network.mixer_options if name == recipe.network.mixer else {}
    return contender(recipe, name, family=FAMILY, mixer=name, mixer_options=options)


def baselines(recipe: Recipe) -> list[Contender]:
    """Each baseline, at the recipe's feature size."""
    return [contender(recipe, family, family=family) for family in FAMILIES]


def with_budget(recipe: Recipe, minutes: float | None, iterations: int | None) -> Recipe:
    """The recipe with an equal budget for all: by the clock, or by iterations."""
    if minutes is None and iterations is None:
        return recipe
    training = replace(recipe.training, max_minutes=minutes, iterations=iterations or ENDLESS)
    return replace(recipe, training=training)


def budget(recipe: Recipe) -> str:
    training = recipe.training
    if training.max_minutes is None:
        return f"{training.iterations} iterations"
    minutes = f"{training.max_minutes:g} minutes"
    if training.iterations == ENDLESS:
        return minutes
    return f"{minutes} or {training.iterations} iterations, whichever ends first"


def check(contenders: Sequence[Contender]) -> None:
    """Finds out what cannot be trained before anything is.

    Raises:
        InputError: a network cannot be built, or not for the recipe's patch and windows; the
            message names it.
    """
    for each in contenders:
        try:
            check_recipe(each.recipe)
        except (InputError, ValueError) as error:
            raise InputError(f"{each.name}: {error}") from error


def train_all(
    contenders: Sequence[Contender], prepared: Prepared, fold: int, folder: Path, device: str,
    report: Report,
) -> Iterator[tuple[Contender, Run | None]]:
    """Trains one after the other, into a folder each; finished runs are not trained again, and
    interrupted ones go on.

    Yields each with its run; None for a run that ran out of memory or whose loss was not finite,
    of which `report` is told {"event": "failed", "text"}.
    """
    for number, each in enumerate(contenders, 1):
        report({"event": "contender", "name": each.name, "number": number,
                "all": len(contenders)})
        run = None
        try:
            run = train(each.recipe, prepared, fold, folder / each.name, device=device,
                        report=report)
        except (TrainingError, DeviceError, MemoryError, RuntimeError) as error:
            text, code = explain(error)
            if code not in (TrainingError.exit_code, DeviceError.exit_code):  # of memory
                raise
            report({"event": "failed", "text": f"{each.name}: {text}"})
        gc.collect()  # the GPU is to be free for what costs are measured on, and for the next
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        yield each, run


def describe(network: Network) -> str:
    """A network in a few words."""
    if network.family != FAMILY:
        return f"{network.family}, f = {network.feature_size}"
    return f"{FAMILY}, {network.size} size, {network.mixer}, f = {network.feature_size}"
