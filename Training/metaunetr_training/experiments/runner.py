"""Trains variants, measures their costs and updates the tables."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from metaunetr.errors import InputError, MetaUNETRError
from metaunetr_training.data.prepared import Prepared
from metaunetr_training.experiments import table
from metaunetr_training.experiments.costs import costs
from metaunetr_training.experiments.table import VariantResult
from metaunetr_training.experiments.variants import (
    Report,
    Variant,
    require_all_trainable,
    train_all,
)
from metaunetr_training.training.distributed import process_group


def compare(
    variants: Sequence[Variant], prepared: Prepared, fold: int, folder: Path, device: str,
    title: str, report: Report, remarks: Callable[[], list[str]] = list,
) -> list[VariantResult]:
    """The results of all variants whose training succeeded.

    The tables in `folder` are updated after each. The same call again continues an interrupted
    one.

    Args:
        remarks: returns sentences to print below the table.

    Raises:
        InputError: a network cannot be trained with this recipe, or several processes were
            started.
        OutputError: `folder` cannot be written to.
        DeviceError: the device does not exist.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        raise InputError("experiments run in one process, so that times and memory are those of "
                         "one; start them without torchrun")
    require_all_trainable(variants)
    sentences = remarks()
    rows: list[VariantResult] = []
    with process_group(device) as group:  # raises here, not once for each variant
        for variant, run in train_all(variants, prepared, fold, folder, device, report):
            if run is None:
                continue
            try:
                measured = costs(variant.recipe, run.folder, group.device)
            except MetaUNETRError as error:
                report({"event": "failed", "text": f"{variant.name}: {error}"})
                continue
            rows.append(VariantResult(variant.name, run, measured))
            table.write(folder, title, rows, sentences)
    return rows
