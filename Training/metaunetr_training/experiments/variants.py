"""Networks that are trained with one recipe, so that only the network differs."""

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
from metaunetr_training.training.loop import train
from metaunetr_training.training.requirements import require_trainable
from metaunetr_training.training.run import Run

UNLIMITED = 10**9  # iterations, where minutes are the budget
Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Variant:
    """A recipe that differs from the others in its network; `name` is that of its run's folder."""

    name: str
    recipe: Recipe


def variant(recipe: Recipe, name: str, **network: Any) -> Variant:
    """A variant of the recipe with some values of its network replaced."""
    changed = replace(recipe, name=f"{recipe.name} {name}",
                      network=replace(recipe.network, **network))
    return Variant(name, changed)


def mixer(recipe: Recipe, name: str) -> Variant:
    """MetaUNETR in the size of the recipe with another mixer.

    The mixer's options are those of the recipe if it is the recipe's mixer, else its defaults.
    """
    options = recipe.network.mixer_options if name == recipe.network.mixer else {}
    return variant(recipe, name, family=FAMILY, mixer=name, mixer_options=options)


def baselines(recipe: Recipe) -> list[Variant]:
    """Every baseline, with the feature size of the recipe."""
    return [variant(recipe, family, family=family) for family in FAMILIES]


def with_budget(recipe: Recipe, minutes: float | None, iterations: int | None) -> Recipe:
    """The recipe with a budget by wall clock or iterations; unchanged for neither."""
    if minutes is None and iterations is None:
        return recipe
    training = replace(recipe.training, max_minutes=minutes, iterations=iterations or UNLIMITED)
    return replace(recipe, training=training)


def budget(recipe: Recipe) -> str:
    """The budget of a recipe as a text."""
    training = recipe.training
    if training.max_minutes is None:
        return f"{training.iterations} iterations"
    minutes = f"{training.max_minutes:g} minutes"
    if training.iterations == UNLIMITED:
        return minutes
    return f"{minutes} or {training.iterations} iterations, whichever ends first"


def require_all_trainable(variants: Sequence[Variant]) -> None:
    """Checks all variants before the first is trained.

    Raises:
        InputError: a network cannot be built, or not for the recipe's patch and windows; the
            message names it.
    """
    for each in variants:
        try:
            require_trainable(each.recipe)
        except (InputError, ValueError) as error:
            raise InputError(f"{each.name}: {error}") from error


def train_all(
    variants: Sequence[Variant], prepared: Prepared, fold: int, folder: Path, device: str,
    report: Report,
) -> Iterator[tuple[Variant, Run | None]]:
    """Trains the variants one after the other, each in its folder below `folder`.

    Finished runs are not trained again; interrupted runs are continued.

    Args:
        report: called with the events of `train`, {"event": "variant", "name", "number", "all"}
            and {"event": "failed", "text"}.

    Yields:
        each variant with its run; None for one that ran out of memory or whose loss was not
        finite.
    """
    for number, each in enumerate(variants, 1):
        report({"event": "variant", "name": each.name, "number": number,
                "all": len(variants)})
        run = None
        try:
            run = train(each.recipe, prepared, fold, folder / each.name, device=device,
                        report=report)
        except (TrainingError, DeviceError, MemoryError, RuntimeError) as error:
            text, code = explain(error)
            if code not in (TrainingError.exit_code, DeviceError.exit_code):  # of memory too
                raise
            report({"event": "failed", "text": f"{each.name}: {text}"})
        gc.collect()  # frees GPU memory for the measurement of costs and the next variant
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        yield each, run


def network_name(network: Network) -> str:
    """Family, size, mixer and feature size of a network, as a text."""
    if network.family != FAMILY:
        return f"{network.family}, f = {network.feature_size}"
    return f"{FAMILY}, {network.size} size, {network.mixer}, f = {network.feature_size}"
