"""CKA as heat maps and as a CSV file."""

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
LABELLED_CELLS = 16  # maps along an axis, up to which the cells show their values
CELL, MARGIN = 0.5, 1.5  # inches
SMALLEST = 3.2  # inches of a heat map
COLUMNS = 3
LETTERS_PER_INCH = 14  # of the note
DPI = 130


@dataclass(frozen=True)
class HeatMap:
    """CKA (rows, columns) of the feature maps of one network and another, or the same."""

    row_network: str
    rows: Sequence[str]
    column_network: str
    columns: Sequence[str]
    values: np.ndarray


def write_table(path: Path, heat_maps: Sequence[HeatMap]) -> None:
    """Writes a line for each pair of feature maps.

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
    """Draws heat maps in the colours of the paper, with the input at the lower left.

    If names have a dot, as those of layers, only stages are labelled, as in the paper.

    Raises:
        OutputError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    columns = min(len(heat_maps), COLUMNS)
    rows = -(-len(heat_maps) // columns)
    longest = max(max(heat.values.shape) for heat in heat_maps)
    side = SMALLEST if _layered(heat_maps[0].rows) else max(SMALLEST, CELL * longest)
    width = columns * (side + MARGIN) + MARGIN / 2
    figure = Figure((width, rows * (side + MARGIN) + MARGIN / 2), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for ax, heat in zip(axes, heat_maps, strict=False):
        image = _draw_one(ax, heat)
    for ax in axes[len(heat_maps) :]:
        ax.set_visible(False)
    figure.colorbar(image, ax=list(axes), label="CKA", extend="min", fraction=0.05, pad=0.01)
    figure.supxlabel(fill(note, int(LETTERS_PER_INCH * width)), fontsize=8, color="0.35")
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=DPI)


def _draw_one(ax, heat: HeatMap):
    image = ax.imshow(heat.values, origin="lower", cmap=COLOURS, vmin=LOWEST, vmax=HIGHEST)
    _label_axis(ax.xaxis, heat.columns, ax.axvline)
    _label_axis(ax.yaxis, heat.rows, ax.axhline)
    ax.set_xlabel(heat.column_network.replace("_", " "))
    ax.set_ylabel(heat.row_network.replace("_", " "))
    if max(heat.values.shape) <= LABELLED_CELLS and not _layered(heat.rows):
        ax.tick_params("x", rotation=45)
        for (row, column), value in np.ndenumerate(heat.values):
            ax.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8,
                    color="black" if value > BRIGHT else "white")
    return image


def _label_axis(axis, names: Sequence[str], line) -> None:
    """A tick for each map or, for layers, one for each stage and a line between stages."""
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
