"""All token mixers with one recipe: Lyu et al., MICCAI 2024, section 3."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from metaunetr.network import mixer, mixers
from metaunetr_training.data.prepared import Prepared
from metaunetr_training.experiments import runner, variants
from metaunetr_training.experiments.table import VariantResult
from metaunetr_training.experiments.variants import Report
from metaunetr_training.recipe import Recipe


def compare_mixers(
    recipe: Recipe, prepared: Prepared, fold: int, folder: Path, names: Sequence[str] = (),
    baselines: bool = False, device: str = "auto", report: Report = lambda event: None,
) -> list[VariantResult]:
    """Trains MetaUNETR with each mixer (all registered ones, or those in `names`).

    Writes a run for each, table.csv, table.md and dice.png into `folder`.

    Args:
        baselines: whether to train SwinUNETR and the U-Net as well.
        report: called with the events of `variants.train_all`.

    Raises:
        BundleError: a mixer is unknown.
        InputError, OutputError: as `runner.compare`.
    """
    chosen = [mixer(name) for name in names] or mixers()
    chosen_variants = [variants.mixer(recipe, each.name) for each in chosen]
    if baselines:
        chosen_variants += variants.baselines(recipe)
    return runner.compare(chosen_variants, prepared, fold, folder, device, "Token mixers", report)
