"""Results of networks that were trained with one recipe: tables and a plot."""

from __future__ import annotations

import csv
import io
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from metaunetr.io.atomic import atomic, write_text
from metaunetr_training.experiments.costs import Costs
from metaunetr_training.experiments.variants import budget, network_name
from metaunetr_training.training.log import read_csv_log
from metaunetr_training.training.run import Run

DPI = 130
ZOOMED = 8  # number of validations from which on the end of the curves is enlarged
FIRST_STEPS = 3  # left out of the speed: kernels are selected and memory is allocated


@dataclass(frozen=True)
class VariantResult:
    """The run and the costs of one variant."""

    name: str
    run: Run
    costs: Costs

    @property
    def dice(self) -> float:
        """Mean Dice over organs and held-out cases at the model spacing, at the end of training."""
        return self.run.record["validation"]["mean_dice"]

    @property
    def patches_per_second(self) -> float | None:
        """Training speed without validation, median over the steps; None for too few steps."""
        steps = read_csv_log(self.run.folder / "log.csv")
        if len(steps) <= FIRST_STEPS + 1:
            return None
        column = steps[0].index("seconds")
        seconds = statistics.median(float(step[column]) for step in steps[1 + FIRST_STEPS :])
        return self.run.recipe.training.batch_size / seconds

    def curve(self) -> tuple[list[int], list[float]]:
        """Iterations and mean Dice of the validations."""
        rows = read_csv_log(self.run.folder / "validation.csv")[1:]
        return [int(float(row[0])) for row in rows], [float(row[1]) for row in rows]


# header in the CSV, header in the Markdown, value, format
_COLUMNS = (
    ("parameters", "parameters (M)", lambda r: r.costs.parameters, lambda v: f"{v / 1e6:.2f}"),
    ("gflops", "GFLOPs per patch", lambda r: r.costs.gflops, "{:.1f}".format),
    ("cpu_seconds", "CPU (s)", lambda r: r.costs.cpu.seconds, "{:.2f}".format),
    ("cpu_inference_mb", "CPU memory (MB)", lambda r: r.costs.cpu.inference_mb, "{:.0f}".format),
    ("cpu_training_mb", "CPU memory, training (MB)", lambda r: r.costs.cpu.training_mb,
     "{:.0f}".format),
    ("gpu_seconds", "GPU (ms)", lambda r: r.costs.gpu and r.costs.gpu.seconds,
     lambda v: f"{1e3 * v:.1f}"),
    ("gpu_inference_mb", "GPU memory (MB)", lambda r: r.costs.gpu and r.costs.gpu.inference_mb,
     "{:.0f}".format),
    ("gpu_training_mb", "GPU memory, training (MB)",
     lambda r: r.costs.gpu and r.costs.gpu.training_mb, "{:.0f}".format),
    ("patches_per_second", "training (patches/s)", lambda r: r.patches_per_second,
     "{:.2f}".format),
    ("iterations", "iterations", lambda r: r.run.record["iterations"], str),
    ("minutes", "minutes", lambda r: r.run.record["minutes"], "{:.1f}".format),
    ("dice", "Dice", lambda r: r.dice, "{:.3f}".format),
)


def write(
    folder: Path, title: str, rows: Sequence[VariantResult], remarks: Sequence[str] = ()
) -> None:
    """Writes table.csv, table.md and dice.png.

    Args:
        remarks: sentences to print below the table.

    Raises:
        OutputError: a file cannot be written.
    """
    write_text(folder / "table.csv", _csv(rows))
    text = [f"# {title}", "", *_markdown(rows), "", *(f"- {line}" for line in remarks),
            *(f"- {line}" for line in conditions(rows))]
    write_text(folder / "table.md", "\n".join(text) + "\n")
    draw_curves(folder / "dice.png", rows)


def conditions(rows: Sequence[VariantResult]) -> list[str]:
    """Sentences about the conditions and limits of the figures."""
    run, costs = rows[0].run, rows[0].costs
    training = run.recipe.training
    where = [costs.cpu] + ([costs.gpu] if costs.gpu else [])
    return [
        f"Budget of each network: {budget(run.recipe)}, batch {training.batch_size}, one run with "
        f"one seed, on {run.record['device']} ({run.record['precision']}, "
        f"threads: {run.record['threads']}).",
        f"Data: {_data(run)}.",
        "Dice: mean over the organs at the model spacing with averaged weights, on the held-out "
        f"fold {run.fold}, n = {len(run.record['validation']['cases'])}.",
        f"Operations, times and memory: a patch of {'×'.join(map(str, training.patch))} voxels; "
        + "; ".join(f"{d.name} ({d.precision})" for d in where)
        + f"; memory of training at batch {training.batch_size}.",
        "A single run on few cases does not rank networks, and a small budget, or phantoms, says "
        "nothing about real CT.",
    ]


def draw_curves(path: Path, rows: Sequence[VariantResult]) -> None:
    """Draws mean Dice of the held-out cases over iterations; the legend is sorted by Dice.

    Raises:
        OutputError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure((9, 5), layout="constrained")
    ax = figure.subplots()
    ordered = sorted(rows, key=lambda row: -row.dice)
    _draw(ax, ordered, markersize=3.5)
    if all(len(row.curve()[0]) >= ZOOMED for row in rows):
        _draw_end(ax.inset_axes((0.45, 0.1, 0.52, 0.42)), ordered)
    ax.set_xlim(left=0)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("iteration")
    ax.set_ylabel("mean Dice of held-out cases (0 to 1)")
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right upper", frameon=False, title="network, final Dice",
                  handlelength=3)
    run = rows[0].run
    figure.supxlabel(f"{_data(run)}; n = {len(run.record['validation']['cases'])} held out; "
                     f"{budget(run.recipe)} each; one run each", fontsize=8, color="0.35")
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=DPI)


def _draw(ax, rows: Sequence[VariantResult], markersize: float) -> None:
    styles = _styles(sorted(row.name for row in rows))
    for row in rows:
        colour, line = styles[row.name]
        ax.plot(*row.curve(), color=colour, linestyle=line, marker="o", markersize=markersize,
                linewidth=1.5, label=f"{row.name.replace('_', ' ')}  {row.dice:.3f}")


def _draw_end(ax, rows: Sequence[VariantResult]) -> None:
    """The last quarter of the curves, enlarged, as in the paper."""
    _draw(ax, rows, markersize=0)
    last = max(row.curve()[0][-1] for row in rows)
    shown = [dice for row in rows for iteration, dice in zip(*row.curve(), strict=True)
             if iteration >= 0.75 * last]
    ax.set_xlim(0.75 * last, last)
    ax.set_ylim(min(shown) - 0.005, max(shown) + 0.005)
    ax.tick_params(labelsize=8)
    ax.grid(alpha=0.3)


def _styles(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Colour by kind of mixer; solid lines for TriCruci, dashed for published, else dash-dotted."""
    lines = {"tricruci": "-", "published": "--"}
    kinds = [name.split("_", 1)[-1] for name in names]
    colours = {kind: f"C{n}" for n, kind in enumerate(dict.fromkeys(kinds))}
    return {name: (colours[kind], lines.get(name.split("_")[0], "-."))
            for name, kind in zip(names, kinds, strict=True)}


def _csv(rows: Sequence[VariantResult]) -> str:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(("name", "network", *(column[0] for column in _COLUMNS)))
    for row in rows:
        values = (value(row) for _, _, value, _ in _COLUMNS)
        lines.writerow((row.name, network_name(row.run.recipe.network),
                        *("" if value is None else value for value in values)))
    return text.getvalue()


def _markdown(rows: Sequence[VariantResult]) -> list[str]:
    """Lines of a Markdown table; columns without any value are left out."""
    columns = [c for c in _COLUMNS if any(c[2](row) is not None for row in rows)]
    lines = [("network", *(head for _, head, _, _ in columns)),
             (":--", *("--:" for _ in columns))]
    for row in rows:
        values = ((value(row), form) for _, _, value, form in columns)
        lines.append((row.name, *("–" if v is None else form(v) for v, form in values)))
    return [f"| {' | '.join(line)} |" for line in lines]


def _data(run: Run) -> str:
    cases = Counter(run.record["cases"])
    return "trained on " + ", ".join(f"{n} cases of {name}" for name, n in sorted(cases.items()))
