"""Trains contenders, measures what they cost and keeps the tables up to date."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from metaunetr.errors import InputError, MetaUNETRError
from metaunetr_training.data.prepared import Prepared
from metaunetr_training.experiments import table
from metaunetr_training.experiments.contenders import Contender, Report, check, train_all
from metaunetr_training.experiments.costs import costs
from metaunetr_training.experiments.table import Row
from metaunetr_training.training.processes import processes


def compare(
    contenders: Sequence[Contender], prepared: Prepared, fold: int, folder: Path, device: str,
    title: str, report: Report, remarks: Callable[[], list[str]] = list,
) -> list[Row]:
    """A row for each network whose training ended well; the tables in `folder` are written anew
    after each. The same call again goes on where it was interrupted.

    Args:
        remarks: gives sentences below the table.

    Raises:
        InputError: a network cannot be trained by this recipe, or several processes were started.
        OutputError: `folder` cannot be written to.
        DeviceError: there is no such device.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        raise InputError("experiments run in one process, so that times and memory are those of "
                         "one; start them without torchrun")
    check(contenders)
    said = remarks()
    rows: list[Row] = []
    with processes(device) as mine:  # raises here rather than once for each
        for contender, run in train_all(contenders, prepared, fold, folder, device, report):
            if run is None:
                continue
            try:
                measured = costs(contender.recipe, run.folder, mine.device)
            except MetaUNETRError as error:
                report({"event": "failed", "text": f"{contender.name}: {error}"})
                continue
            rows.append(Row(contender.name, run, measured))
            table.write(folder, title, rows, said)
    return rows
