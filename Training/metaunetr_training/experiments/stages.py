"""Four stages and a bottleneck block, as published, against three stages without.

Lyu et al., MICCAI 2024: by CKA the bottom of the network is redundant, and without it there are
"about 80% fewer parameters". Here the parameters are counted, and both networks are trained.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from metaunetr.network.sizes import FAMILY
from metaunetr_training.data.prepared import Prepared
from metaunetr_training.experiments import costs, runner, variants
from metaunetr_training.experiments.table import VariantResult
from metaunetr_training.experiments.variants import Report
from metaunetr_training.recipe import Recipe

SIZES = {"four-stages-and-bottleneck": "published", "three-stages": "efficient"}
PAPER = {"feature_size": 48, "classes": 14, "patch": (96, 96, 96)}  # BTCV
SWIN = "SwinUNETR"


def compare_stages(
    recipe: Recipe, prepared: Prepared, fold: int, folder: Path, baselines: bool = False,
    device: str = "auto", report: Report = lambda event: None,
) -> list[VariantResult]:
    """Trains both with the recipe's mixer; arguments, files and errors as in `compare_mixers`."""
    chosen_variants = [variants.variant(recipe, name, family=FAMILY, size=size)
            for name, size in SIZES.items()]
    if baselines:
        chosen_variants += variants.baselines(recipe)
    return runner.compare(
        chosen_variants, prepared, fold, folder, device, f"Stages, {recipe.network.mixer}", report,
        remarks=lambda: [reduction(recipe), reduction(recipe, **PAPER)])


def reduction(
    recipe: Recipe, feature_size: int | None = None, classes: int | None = None, patch=None,
) -> str:
    """A sentence about the numbers of parameters, at the size of the recipe or the given one."""
    feature_size = feature_size or recipe.network.feature_size
    classes = classes or len(recipe.organs) + 1
    network = replace(recipe.network, feature_size=feature_size, family=FAMILY)
    kinds = {size: replace(network, size=size) for size in SIZES.values()}
    if feature_size % 12 == 0:  # what SwinUNETR can be built with
        kinds[SWIN] = replace(network, family=SWIN)
    patch = patch or recipe.training.patch
    counts = {name: costs.parameters(kind, classes, patch) for name, kind in kinds.items()}
    few = counts.pop("efficient")
    against = " and ".join(f"{100 * (1 - few / many):.0f}% fewer than {name} ({many / 1e6:.2f} M)"
                           for name, many in counts.items())
    return (f"Parameters at f = {feature_size}, {classes} classes, {network.mixer}: three stages "
            f"have {few / 1e6:.2f} M, {against}.")
