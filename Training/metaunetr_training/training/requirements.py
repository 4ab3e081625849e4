"""Checks of a recipe and its cases, before training starts."""

from __future__ import annotations

from metaunetr.bundle import WINDOW
from metaunetr.errors import InputError
from metaunetr_training.data.folds import NO_FOLD, Fold
from metaunetr_training.data.prepared import Prepared
from metaunetr_training.recipe import Recipe
from metaunetr_training.training.networks import build_network


def require_compatible(recipe: Recipe, prepared: Prepared, fold: Fold) -> None:
    """Checks that prepared cases and fold fit the recipe.

    Raises:
        BundleError, InputError: as `require_trainable`.
        InputError: the cases were prepared with other preprocessing, or the fold has no cases.
    """
    if recipe.preprocessing != prepared.preprocessing:
        raise InputError(
            f"{prepared.folder}: was prepared with {prepared.preprocessing}, the recipe says "
            f"{recipe.preprocessing}; prepare the cases with this recipe")
    folds = sorted({f for f in prepared.folds.values() if isinstance(f, int)})
    if fold not in (*folds, NO_FOLD):
        raise InputError(f"{prepared.folder}: the fold must be one of "
                         f"{', '.join(map(str, folds))} or {NO_FOLD}: {fold}")
    require_trainable(recipe)


def require_trainable(recipe: Recipe) -> None:
    """Checks that the recipe's network can be built, trained and exported.

    Raises:
        BundleError: the recipe describes no valid network.
        InputError: the network cannot process the patch, or a window size is not allowed in a
            bundle's card (see `metaunetr.bundle`).
    """
    training, inference = recipe.training, recipe.inference
    stride = build_network(recipe.network, len(recipe.organs) + 1, training.patch).stride
    windows = {"inference.smallest_window": inference.smallest_window,
               "training.patch": training.patch,
               "inference.largest_window": inference.largest_window}
    low, high = WINDOW
    further = [("training.more_patches", patch) for patch in training.more_patches]
    for name, window in (*windows.items(), *further):
        if any(not low <= n <= high or n % stride for n in window):
            raise InputError(f"{name} must be from {low} to {high} voxels long, divisible by "
                             f"{stride}: {window}")
    if any(not a <= b <= c for a, b, c in zip(*windows.values(), strict=True)):
        raise InputError(f"{' <= '.join(windows)} must hold along every axis: "
                         f"{', '.join(map(str, windows.values()))}")
