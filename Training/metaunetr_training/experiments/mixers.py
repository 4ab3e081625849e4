"""Every token mixer under one recipe: Lyu et al., MICCAI 2024, section 3."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from metaunetr.network import mixer, mixers
from metaunetr_training.data.prepared import Prepared
from metaunetr_training.experiments import contenders, runner
from metaunetr_training.experiments.contenders import Report
from metaunetr_training.experiments.table import Row
from metaunetr_training.recipe import Recipe


def compare_mixers(
    recipe: Recipe, prepared: Prepared, fold: int, folder: Path, names: Sequence[str] = (),
    baselines: bool = False, device: str = "auto", report: Report = lambda event: None,
) -> list[Row]:
    """Trains MetaUNETR with each mixer (all registered ones, or those in `names`).

    Into `folder`: a run for each, table.csv, table.md, dice.png.

    Args:
        baselines: whether SwinUNETR and the U-Net are trained as well.
        report: told what `train` reports, and {"event": "contender", "name", "number", "all"}.

    Raises:
        BundleError: there is no such mixer.
        InputError, OutputError: as `runner.compare`.
    """
    chosen = [mixer(name) for name in names] or mixers()
    some = [contenders.mixer(recipe, each.name) for each in chosen]
    if baselines:
        some += contenders.baselines(recipe)
    return runner.compare(some, prepared, fold, folder, device, "Token mixers", report)
