"""Whether a recipe, and cases for it, can end as a model: found out before anything is trained."""

from __future__ import annotations

from metaunetr.errors import InputError
from metaunetr_training.data.folds import NO_FOLD, Fold
from metaunetr_training.data.prepared import Prepared
from metaunetr_training.recipe import Recipe
from metaunetr_training.training.networks import build_network

COUNTS = ("iterations", "batch_size", "validate_every", "checkpoint_every")
# of a bundle's card: voxels of a window, and the overlap of windows
SHORTEST, LONGEST, MOST_OVERLAP = 8, 512, 0.9


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
        InputError: the network cannot take the patch, a count is below 1, or windows or overlap
            are none that a bundle's card may have (see `metaunetr.bundle`).
    """
    training, inference = recipe.training, recipe.inference
    for name in COUNTS:
        if getattr(training, name) < 1:
            raise InputError(f"training.{name} must be at least 1: {getattr(training, name)}")
    if not 0 <= inference.overlap <= MOST_OVERLAP:
        raise InputError(f"inference.overlap must be from 0 to {MOST_OVERLAP}: "
                         f"{inference.overlap}")
    stride = build_network(recipe.network, len(recipe.organs) + 1, training.patch).stride
    windows = {"inference.smallest_window": inference.smallest_window,
               "training.patch": training.patch,
               "inference.largest_window": inference.largest_window}
    for name, window in windows.items():
        if any(not SHORTEST <= n <= LONGEST or n % stride for n in window):
            raise InputError(f"{name} must be from {SHORTEST} to {LONGEST} voxels long, divisible "
                             f"by {stride}: {window}")
    if any(not a <= b <= c for a, b, c in zip(*windows.values(), strict=True)):
        raise InputError(f"{' <= '.join(windows)} must hold along every axis: "
                         f"{', '.join(map(str, windows.values()))}")
