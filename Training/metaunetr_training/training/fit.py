"""Whether a recipe, and cases for it, can end as a model: found out before anything is trained."""

from __future__ import annotations

from metaunetr.bundle import WINDOW
from metaunetr.errors import InputError
from metaunetr_training.data.folds import NO_FOLD, Fold
from metaunetr_training.data.prepared import Prepared
from metaunetr_training.recipe import Recipe
from metaunetr_training.training.networks import build_network


def check_fit(recipe: Recipe, prepared: Prepared, fold: Fold) -> None:
    """
    Raises:
        BundleError, InputError: as `check_recipe`.
        InputError: cases prepared otherwise than the recipe says, or a fold without cases.
    """
    if recipe.preprocessing != prepared.preprocessing:
        raise InputError(
            f"{prepared.folder}: was prepared with {prepared.preprocessing}, the recipe says "
            f"{recipe.preprocessing}; prepare the cases with this recipe")
    folds = sorted({f for f in prepared.folds.values() if isinstance(f, int)})
    if fold not in (*folds, NO_FOLD):
        raise InputError(f"{prepared.folder}: the fold must be one of "
                         f"{', '.join(map(str, folds))} or {NO_FOLD}: {fold}")
    check_recipe(recipe)


def check_recipe(recipe: Recipe) -> None:
    """
    Raises:
        BundleError: the recipe describes no network.
        InputError: the network cannot take the patch, or windows are none that a bundle's card may
            have (see `metaunetr.bundle`).
    """
    training, inference = recipe.training, recipe.inference
    stride = build_network(recipe.network, len(recipe.organs) + 1, training.patch).stride
    windows = {"inference.smallest_window": inference.smallest_window,
               "training.patch": training.patch,
               "inference.largest_window": inference.largest_window}
    low, high = WINDOW
    for name, window in windows.items():
        if any(not low <= n <= high or n % stride for n in window):
            raise InputError(f"{name} must be from {low} to {high} voxels long, divisible by "
                             f"{stride}: {window}")
    if any(not a <= b <= c for a, b, c in zip(*windows.values(), strict=True)):
        raise InputError(f"{' <= '.join(windows)} must hold along every axis: "
                         f"{', '.join(map(str, windows.values()))}")
