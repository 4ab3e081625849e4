"""CKA as heat maps and as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill

import numpy as np

from metaunetr.io.atomic import atomic, write_text

COLOURS = "magma"
LOWEST, HIGHEST = 0.4, 1.0  # of the colour scale, as in the paper
BRIGHT = 0.75  # CKA above which black letters are legible
LEGIBLE = 16  # maps along an axis, up to which the values are written into the cells
CELL, MARGIN = 0.5, 1.5  # inches
LEAST = 3.2  # inches of a heat map
IN_A_ROW = 3
LETTERS = 14  # of the note, an inch
DPI = 130


@dataclass(frozen=True)
class HeatMap:
    """CKA (rows, columns) of the maps of one network against those of another, or its own."""

    row_network: str
    rows: Sequence[str]
    column_network: str
    columns: Sequence[str]
    values: np.ndarray


def write_table(path: Path, heat_maps: Sequence[HeatMap]) -> None:
    """One line a pair: network, map, other network, its map, CKA.

    Raises:
        OutputError: the file cannot be written.
    """
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(("network", "map", "other network", "other map", "cka"))
    for heat in heat_maps:
        for row, line in zip(heat.rows, heat.values, strict=True):
            for column, value in zip(heat.columns, line, strict=True):
                lines.writerow((heat.row_network, row, heat.column_network, column,
                                f"{value:.6f}"))
    write_text(path, text.getvalue())


def draw(path: Path, heat_maps: Sequence[HeatMap], note: str) -> None:
    """Heat maps on the colour scale of the paper, each with the input at its lower left.

    Maps whose names have a dot are layers of a stage: as in the paper, only stages are named then.

    Raises:
        OutputError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    columns = min(len(heat_maps), IN_A_ROW)
    rows = -(-len(heat_maps) // columns)
    longest = max(max(heat.values.shape) for heat in heat_maps)
    side = LEAST if _layered(heat_maps[0].rows) else max(LEAST, CELL * longest)
    width = columns * (side + MARGIN) + MARGIN / 2
    figure = Figure((width, rows * (side + MARGIN) + MARGIN / 2), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for ax, heat in zip(axes, heat_maps, strict=False):
        image = _one(ax, heat)
    for ax in axes[len(heat_maps) :]:
        ax.set_visible(False)
    figure.colorbar(image, ax=list(axes), label="CKA", extend="min", fraction=0.05, pad=0.01)
    figure.supxlabel(fill(note, int(LETTERS * width)), fontsize=8, color="0.35")
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=DPI)


def _one(ax, heat: HeatMap):
    image = ax.imshow(heat.values, origin="lower", cmap=COLOURS, vmin=LOWEST, vmax=HIGHEST)
    _name(ax.xaxis, heat.columns, ax.axvline)
    _name(ax.yaxis, heat.rows, ax.axhline)
    ax.set_xlabel(heat.column_network.replace("_", " "))
    ax.set_ylabel(heat.row_network.replace("_", " "))
    if max(heat.values.shape) <= LEGIBLE and not _layered(heat.rows):
        ax.tick_params("x", rotation=45)
        for (row, column), value in np.ndenumerate(heat.values):
            ax.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8,
                    color="black" if value > BRIGHT else "white")
    return image


def _name(axis, names: Sequence[str], line) -> None:
    """A tick for each map; or, for layers, one for each stage and a line between stages."""
    if not _layered(names):
        axis.set_ticks(range(len(names)), names)
        return
    stages = [name.partition(".")[0] for name in names]
    starts = [n for n, stage in enumerate(stages) if n == 0 or stage != stages[n - 1]]
    ends = [*starts[1:], len(stages)]
    middles = [(start + end - 1) / 2 for start, end in zip(starts, ends, strict=True)]
    axis.set_ticks(middles, [f"stage {stages[start]}" for start in starts])
    axis.set_tick_params(length=0)
    if axis.axis_name == "y":
        axis.set_tick_params(rotation=90)
        for label in axis.get_ticklabels():
            label.set_verticalalignment("center")
    for start in starts[1:]:
        line(start - 0.5, color="white", linewidth=0.8)


def _layered(names: Sequence[str]) -> bool:
    return any("." in name for name in names)
