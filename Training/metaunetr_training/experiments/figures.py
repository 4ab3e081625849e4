"""Tables and figures of `experiment mixers`, made from its CSV files alone.

    results.md        networks: costs, accuracy by group of organs; the tests of the claim
    dice.png          Dice over steps and over time
    differences.png   differences of Dice, with their intervals
    cka_within.png, cka_between.png
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isnan, nan
from pathlib import Path

import numpy as np

from metaunetr.errors import InputError
from metaunetr.io.atomic import write_text
from metaunetr_training.evaluation.canvas import INK, QUIET
from metaunetr_training.evaluation.plots import figure
from metaunetr_training.evaluation.statistics import RESAMPLES
from metaunetr_training.evaluation.table import figure as rounded
from metaunetr_training.evaluation.table import markdown_of, p_value, with_interval
from metaunetr_training.experiments import claim, results
from metaunetr_training.experiments.heat_maps import COLOURS, HIGHEST, LOWEST
from metaunetr_training.experiments.plan import (
    ARCHITECTURE,
    ARCHITECTURES,
    FOUR_STAGES,
    IDENTITY,
    MIXER,
    NO_MIXER,
    PUBLISHED,
    REFERENCE,
    USUAL,
)

GROUPS = {  # of organs, in which results are shown
    "large organs": ("spleen", "right kidney", "left kidney", "liver", "stomach"),
    "vessels": ("aorta", "inferior vena cava", "portal and splenic vein"),
    "small organs": ("gallbladder", "esophagus", "pancreas", "duodenum", "right adrenal gland",
                     "left adrenal gland", "urinary bladder", "prostate or uterus"),
}
LINES = {  # by kind of network
    MIXER: "-", NO_MIXER: ":", PUBLISHED: "--", ARCHITECTURE: "-.", USUAL: (0, (1, 1)),
}
CELL = 1.35  # inches of a heat map


@dataclass(frozen=True)
class Network:
    """The results of a network, over all seeds.

    Attributes:
        rows: its lines in networks.csv, one for each seed.
        tables: Dice and NSD, (seeds, cases, organs); NaN where not scored.
        organs: names of the organs.
        curves: iterations and Dice of the validations, one pair for each seed.
    """

    name: str
    rows: Sequence[Mapping[str, str]]
    tables: Mapping[str, np.ndarray]
    organs: Sequence[str]
    curves: Sequence[tuple[np.ndarray, np.ndarray]]

    @property
    def kind(self) -> str:
        return self.rows[0]["kind"]

    def value(self, column: str) -> float:
        """The value in networks.csv, mean over seeds; NaN for none."""
        values = [float(row.get(column) or nan) for row in self.rows]
        return float(np.mean(values))

    @property
    def step_seconds(self) -> float:
        """Seconds of a training step, on the GPU if it was trained there."""
        on_gpu = self.value("gpu_step_seconds")
        return self.value("cpu_step_seconds") if isnan(on_gpu) else on_gpu

    @property
    def seconds(self) -> float:
        """Seconds of all training steps."""
        return self.value("iterations") * self.step_seconds

    def dice_at(self, seconds: float) -> float:
        """Dice of the validations after so many seconds of training, mean over seeds.

        Interpolated between validations; NaN before the first.
        """
        steps = seconds / self.step_seconds
        return float(np.mean([
            np.interp(steps, iterations, dice, left=nan) for iterations, dice in self.curves]))

    @cached_property
    def runs(self) -> list[float]:
        """Mean Dice of each seed."""
        return [claim.mean(table[None]) for table in self.tables["dice"]]


def load(folder: Path) -> list[Network]:
    """The networks in the CSV files of `folder`.

    Raises:
        InputError: there is none.
    """
    lines = results.read(folder / results.NETWORKS)
    if not lines:
        raise InputError(f"{folder / results.NETWORKS}: holds no network; `experiment mixers` "
                         "writes it")
    scores = results.read(folder / results.SCORES)
    curves = results.read(folder / results.CURVES)
    cases = sorted({(row["dataset"], row["case"]) for row in scores})
    present = {row["organ"] for row in scores}
    organs = [organ for group in GROUPS.values() for organ in group if organ in present]
    networks = []
    for name in dict.fromkeys(line["network"] for line in lines):
        mine = [line for line in lines if line["network"] == name]
        places = {line["seed"]: number for number, line in enumerate(mine)}
        tables = {metric: np.full((len(mine), len(cases), len(organs)), nan)
                  for metric in ("dice", "nsd_2mm")}
        for row in scores:
            if row["network"] == name and row["seed"] in places:
                place = (places[row["seed"]], cases.index((row["dataset"], row["case"])),
                         organs.index(row["organ"]))
                for metric, table in tables.items():
                    table[place] = float(row[metric])
        of_seeds = [[row for row in curves if (row["network"], row["seed"]) == (name, seed)]
                    for seed in places]
        networks.append(Network(name, mine, tables, organs, [
            (_column(rows, "iteration"), _column(rows, "mean")) for rows in of_seeds]))
    return networks


def _column(rows: Sequence[Mapping[str, str]], name: str) -> np.ndarray:
    return np.array([float(row[name]) for row in rows])


def make(folder: Path, output: Path | None = None) -> list[Path]:
    """Makes all tables and figures of the CSV files in `folder`.

    Args:
        output: folder for them; None is `folder`.

    Returns:
        the files.

    Raises:
        InputError: there are no results.
        OutputError: a file cannot be written.
    """
    output = output or folder
    networks = load(folder)
    compared = _compared(networks)
    found = claim.differences({each.name: each.tables["dice"] for each in networks}, compared) \
        if compared else []
    written = [output / "results.md", output / "dice.png"]
    write_text(written[0], "\n".join([*_table(networks), *_claim(networks, found)]))
    _curves(written[1], networks)
    if found:
        written.append(output / "differences.png")
        _differences(written[-1], found)
    lines = results.read(folder / results.CKA)
    for kind in ("within", "between"):
        mine = [row for row in lines
                if (row["network"] == row["other network"]) == (kind == "within")]
        if mine:
            written.append(output / f"cka_{kind}.png")
            _heat_maps(written[-1], mine, kind)
    return written


def _compared(networks: Sequence[Network]) -> list[tuple[str, str]]:
    """Mixers against identity; architectures against the one with the same mixer."""
    names = [each.name for each in networks]
    pairs = [(each.name, IDENTITY) for each in networks
             if each.kind in (MIXER, NO_MIXER, PUBLISHED) and each.name != IDENTITY]
    pairs += [(each.name, FOUR_STAGES.get(each.name, REFERENCE)) for each in networks
              if each.kind in (ARCHITECTURE, USUAL)]
    return [(name, other) for name, other in pairs if other in names]


# --- tables

def _table(networks: Sequence[Network]) -> list[str]:
    equal = min(each.seconds for each in networks)
    organs = networks[0].organs
    groups = {group: [n for n, organ in enumerate(organs) if organ in members]
              for group, members in GROUPS.items()}
    groups = {"all organs": list(range(len(organs)))} | {g: n for g, n in groups.items() if n}
    costs = [["network", "seeds", "parameters (M)", "GFLOPs", "latency (s)", "memory (MB)",
              "training step (s)", "training memory (MB)", "steps",
              f"Dice after {equal / 60:.1f} min"]]
    for each in networks:
        device = "cpu" if isnan(each.value("gpu_seconds")) else "gpu"
        costs.append([
            _label(each.name), str(len(each.rows)), f"{each.value('parameters') / 1e6:.2f}",
            f"{each.value('gflops'):.1f}", rounded(each.value("cpu_seconds"), 2),
            rounded(each.value("cpu_inference_mb"), 0), rounded(each.step_seconds, 2),
            rounded(each.value(f"{device}_training_mb"), 0), f"{each.value('iterations'):.0f}",
            rounded(each.dice_at(equal), 3)])
    first, cases = networks[0].rows[0], networks[0].tables["dice"].shape[1]
    by_organ = (~np.isnan(networks[0].tables["dice"]).all(axis=0)).sum(axis=0)
    notes = [
        f"Trained on {first['training_cases']} cases ({first['device']}, {first['precision']}, "
        f"threads: {first['threads']}). GFLOPs and latency: a patch, on the CPU. Times are the "
        "fastest of several. "
        f"Dice after {equal / 60:.1f} min of training steps, the time of the fastest network: of "
        "the validations, at the model spacing.",
    ]
    scored = ", ".join(f"{organ} {n}" for organ, n in zip(organs, by_organ, strict=True))
    below = [f"On the grids of {cases} test cases; cases by organ: {scored}. In brackets, 95 % "
             f"intervals: bootstrap over cases ({RESAMPLES} resamples), and the SD of seeds."]
    return [markdown_of(costs, "Networks", notes),
            markdown_of(_accuracy(networks, "dice", groups), "Dice", below),
            markdown_of(_accuracy(networks, "nsd_2mm", groups), "NSD at 2 mm", [])]


def _accuracy(
    networks: Sequence[Network], metric: str, groups: Mapping[str, list[int]]
) -> list[list[str]]:
    """A line for each network, a column for each group of organs (their places)."""
    rows = [["network"], *([_label(each.name)] for each in networks)]
    for group, columns in groups.items():
        tables = {each.name: each.tables[metric][..., columns] for each in networks}
        draws = claim.resampled(tables)
        cells = [with_interval(claim.mean(table), claim.interval(draws[name]), 3)
                 for name, table in tables.items()]
        for row, cell in zip(rows, [group, *cells], strict=True):
            row.append(cell)
    return rows


def _claim(networks: Sequence[Network], found: Sequence[claim.Difference]) -> list[str]:
    """The tables of the tests, and a verdict on each statement of Training/EXPERIMENTS.md."""
    kinds = {each.name: each.kind for each in networks}
    mixers = [name for name, kind in kinds.items() if kind == MIXER]
    text, verdicts = [], []
    if len(mixers) > 1:
        sets = {"TriCruci mixers": (MIXER,), "and no mixer": (MIXER, NO_MIXER)}
        spreads = {name: claim.spread(_common_runs([n for n in networks if n.kind in some]))
                   for name, some in sets.items()}
        text.append(_spreads(spreads))
        verdicts.append("Mixers differ no more than seeds: "
                        f"{spreads['TriCruci mixers'].verdict}.")
    if found:
        text.append(_differences_table(found))
    against_identity = [d for d in found if kinds[d.name] in (MIXER, PUBLISHED)]
    if against_identity:
        verdicts.append(f"No mixer is better than identity by more than {claim.MARGIN}: "
                        f"{claim.none_above_margin(against_identity)}.")
    others = [name for name in ARCHITECTURES if name in kinds]
    if len(mixers) > 1 and REFERENCE in mixers and others:
        contest = claim.contest({each.name: each.tables["dice"] for each in networks},
                                [REFERENCE, *others], mixers)
        low, high = contest.interval
        verdicts.append(
            f"Architectures differ more than mixers: {contest.verdict}. The SD of mean Dice is "
            f"{contest.architectures:.4f} among {len(others) + 1} architectures and "
            f"{contest.mixers:.4f} among {len(mixers)} TriCruci mixers; 95 % interval of the "
            f"difference: {low:.4f} to {high:.4f}.")
    stages = [d for d in found if d.name in FOUR_STAGES]
    if stages:
        verdicts.append(f"Four stages and a bottleneck block are not better by more than "
                        f"{claim.MARGIN}: {claim.none_above_margin(stages)}.")
    if max(len(each.rows) for each in networks) == 1:
        verdicts = ["Undecided, all of them: every network has one seed."] * bool(verdicts)
    return text + (["**Statements**", "", *(f"- {each}" for each in verdicts), ""]
                   if verdicts else [])


def _common_runs(networks: Sequence[Network]) -> list[list[float]]:
    """Mean Dice of the seeds that all networks have, a list for each network."""
    found = [dict(zip((row["seed"] for row in each.rows), each.runs, strict=True))
             for each in networks]
    seeds = [seed for seed in found[0] if all(seed in runs for runs in found)]
    return [[runs[seed] for seed in seeds] for runs in found]


def _spreads(spreads: Mapping[str, claim.Spread]) -> str:
    cells = [["networks", "n", "runs", "SD between networks", "SD between seeds",
              "share due to the network", "F", "p"]]
    cells += [[name, str(s.networks), str(s.runs), rounded(s.between, 4), rounded(s.seeds, 4),
               with_interval(s.share, s.interval, 2), rounded(s.f, 2), p_value(s.p)]
              for name, s in spreads.items()]
    return markdown_of(cells, "Between mixers and between seeds", [
        "Analysis of variance of the mean Dice of runs, by network and seed; in brackets, the 95 % "
        "interval."])


def _differences_table(found: Sequence[claim.Difference]) -> str:
    rows = [["network", "compared with", "difference", "p (Holm)", "effect"]]
    rows += [[_label(d.name), _label(d.other),
              f"{d.mean:+.3f} ({d.interval[0]:+.3f} to {d.interval[1]:+.3f})",
              p_value(d.p), rounded(d.effect, 2)] for d in found]
    return markdown_of(rows, "Differences of Dice", [
        "In brackets, 95 % intervals as above; p: Wilcoxon's signed-rank test of "
        " the cases' means; effect: rank-biserial correlation."])


# --- figures

def _curves(path: Path, networks: Sequence[Network]) -> None:
    """Dice of the validations over steps, and over minutes; the mean of the seeds."""
    styles = _styles(networks)
    with figure(path, 1, 2, (12, 5.6), sharey=True) as (drawn, (axes,)):
        for each in sorted(networks, key=lambda each: -np.mean(each.runs)):
            steps = each.curves[0][0]
            dice = np.mean([np.interp(steps, *curve) for curve in each.curves], axis=0)
            for ax, scale in zip(axes, (1, each.step_seconds / 60), strict=True):
                ax.plot(steps * scale, dice, label=_label(each.name), linewidth=1.4,
                        **styles[each.name])
        axes[1].axvline(min(each.seconds for each in networks) / 60, color=QUIET, linewidth=0.8)
        axes[0].set_xlabel("training steps")
        axes[1].set_xlabel("minutes of training steps (line: the fastest network has ended)")
        axes[0].set_ylabel("Dice of validations (0 to 1)")
        handles, labels = axes[0].get_legend_handles_labels()
        drawn.legend(handles, labels, loc="outside right upper", frameon=False, fontsize=8,
                     handlelength=4)


def _styles(networks: Sequence[Network]) -> dict[str, dict]:
    """A colour for each mixer or baseline, and a line style for its role."""
    def root(name: str) -> str:
        for prefix in ("tricruci_", "published_", "four_stages_"):
            name = name.removeprefix(prefix)
        return name.partition("_nearest")[0].partition("_usual")[0]

    roots = list(dict.fromkeys(root(each.name) for each in networks))
    return {each.name: {"color": f"C{roots.index(root(each.name)) % 10}",
                        "linestyle": LINES[each.kind]} for each in networks}


def _differences(path: Path, found: Sequence[claim.Difference]) -> None:
    with figure(path, 1, 1, (8, 1.2 + 0.26 * len(found))) as (_, axes):
        ax = axes[0, 0]
        rows = range(len(found))[::-1]
        for row, each in zip(rows, found, strict=True):
            ax.plot(each.interval, (row, row), color=INK, linewidth=1.5)
            ax.plot(each.mean, row, "o", color=INK, markersize=4)
        ax.axvline(0, color=QUIET, linewidth=0.8)
        ax.set_yticks(rows, [f"{_label(each.name)} − {_label(each.other)}" for each in found])
        ax.set_xlabel("difference of mean Dice; 95 % interval over cases and seeds")


def _heat_maps(path: Path, lines: Sequence[Mapping[str, str]], kind: str) -> None:
    """A row for each point of training, a column for each network."""
    points = sorted({int(row["iteration"]) for row in lines})
    columns = list(dict.fromkeys(row["other network"] for row in lines))
    size = (CELL * len(columns) + 2.2, CELL * len(points) + 1.4)
    with figure(path, len(points), len(columns), size) as (drawn, axes):
        image = None
        for (row, column), ax in np.ndenumerate(axes):
            mine = [line for line in lines if line["iteration"] == str(points[row])
                    and line["other network"] == columns[column]]
            ax.grid(visible=False)
            ax.set_axis_off()
            if not mine:
                continue
            own = list(dict.fromkeys(line["map"] for line in mine))
            other = list(dict.fromkeys(line["other map"] for line in mine))
            values = np.full((len(own), len(other)), nan)
            for line in mine:
                values[own.index(line["map"]), other.index(line["other map"])] = line["cka"]
            image = ax.imshow(values, origin="lower", cmap=COLOURS, vmin=LOWEST, vmax=HIGHEST)
            if row == 0:
                ax.set_title(_label(columns[column]).replace(" ", "\n"), fontsize=7)
            if column == 0:
                ax.text(-0.12, 0.5, f"{points[row]} steps", rotation=90, va="center", ha="right",
                        fontsize=8, transform=ax.transAxes)
        drawn.colorbar(image, ax=axes, label="CKA", extend="min", fraction=0.03)
        what = "each network with itself" if kind == "within" else \
            f"{_label(lines[0]['network'])} (upward) with others (to the right)"
        drawn.supxlabel(f"{what}; from the input (lower left) to the scores", fontsize=8)


def _label(name: str) -> str:
    return name.replace("_", " ")
