"""The results of `experiment mixers` as CSV files, from which all tables and figures are made.

    networks.csv   a line for each trained network: costs, steps, time
    scores.csv     Dice and NSD of every organ of every test case, on the grid of the CT; what a
                   network finds of an organ that a case lacks is not scored, so that all
                   networks have the same lines
    curves.csv     Dice of the validations during training, at the model spacing
    cka.csv        CKA of the levels of the networks, at three points of training
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from metaunetr.errors import InputError
from metaunetr.io.atomic import write_text
from metaunetr_training.evaluation.scores import Score
from metaunetr_training.experiments.costs import Costs, OnDevice
from metaunetr_training.experiments.heat_maps import HeatMap
from metaunetr_training.experiments.plan import Planned
from metaunetr_training.training.log import read_csv_log
from metaunetr_training.training.run import Run

NETWORKS, SCORES, CURVES, CKA = "networks.csv", "scores.csv", "curves.csv", "cka.csv"
Row = dict[str, Any]


def read(path: Path) -> list[dict[str, str]]:
    """The lines of a file; none where it does not exist.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError:
        return []
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Replaces the file.

    Raises:
        OutputError: it cannot be written.
    """
    rows = list(rows)
    text = io.StringIO()
    lines = csv.DictWriter(text, list(dict.fromkeys(key for row in rows for key in row)),
                           restval="", lineterminator="\n")
    lines.writeheader()
    lines.writerows(rows)
    write_text(path, text.getvalue())


def replace_rows(path: Path, of: Row, rows: Iterable[Row]) -> None:
    """Replaces the lines of one network, or of whatever `of` describes.

    Args:
        of: values of the first columns, which `rows` lack.
    """
    kept = [row for row in read(path)
            if any(row[column] != str(value) for column, value in of.items())]
    write(path, [*kept, *(of | row for row in rows)])


def finished(folder: Path) -> set[tuple[str, str]]:
    """Name and seed of the networks whose results are complete."""
    return {(row["network"], row["seed"]) for row in read(folder / NETWORKS)}


def add(
    folder: Path, planned: Planned, run: Run, scores: Sequence[Score], costs: Costs
) -> None:
    """Adds a network; the line in networks.csv is written last."""
    of = {"network": planned.name, "seed": planned.seed}
    replace_rows(folder / SCORES, of, rows_of(scores))
    head, *validations = read_csv_log(run.folder / "validation.csv")
    replace_rows(folder / CURVES, of, [dict(zip(head, row, strict=True)) for row in validations])
    replace_rows(folder / NETWORKS, of, [_network(planned, run, costs)])


def rows_of(scores: Sequence[Score]) -> list[Row]:
    """Lines of scores.csv, of the organs that the cases have."""
    return [{"dataset": score.dataset, "case": score.case, "organ": score.organ,
             "dice": f"{score.dice:.4f}", "nsd_2mm": f"{score.nsd_2mm:.4f}"}
            for score in scores if score.reference_ml > 0]


def _network(planned: Planned, run: Run, costs: Costs) -> Row:
    network, record = run.recipe.network, run.record
    return {
        "kind": planned.kind, "family": network.family,
        "feature_size": network.feature_size, "parameters": costs.parameters,
        "gflops": f"{costs.gflops:.2f}",
        **_on("cpu", costs.cpu), **(_on("gpu", costs.gpu) if costs.gpu else {}),
        "iterations": record["iterations"], "minutes": record["minutes"],
        "device": record["device"], "precision": record["precision"],
        "threads": record["threads"],
        "training_cases": sum(record["cases"].values()),
    }


def _on(device: str, measured: OnDevice) -> Row:
    values = {key: "" if value is None else value for key, value in asdict(measured).items()}
    seconds = {key: f"{values[key]:.4f}" for key in ("seconds", "step_seconds")}
    return {f"{device}_{key}": value for key, value in (values | seconds).items()
            if key not in ("name", "precision")}


def add_similarities(folder: Path, iteration: int, heat_maps: Sequence[HeatMap]) -> None:
    """Adds the CKA of networks after `iteration` steps."""
    path = folder / CKA
    kept = [row for row in read(path) if row["iteration"] != str(iteration)]
    write(path, [*kept, *(
        {"iteration": iteration, "network": heat.row_network, "map": row,
         "other network": heat.column_network, "other map": column, "cka": f"{value:.3f}"}
        for heat in heat_maps
        for row, values in zip(heat.rows, heat.values, strict=True)
        for column, value in zip(heat.columns, values, strict=True))])
