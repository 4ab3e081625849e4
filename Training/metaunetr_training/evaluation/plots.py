"""Pictures of numbers: box plots, reliability, paired differences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import isnan
from pathlib import Path
from textwrap import fill

import numpy as np

from metaunetr.organs import BY_NAME
from metaunetr_training.evaluation.calibration import Fit
from metaunetr_training.evaluation.canvas import DPI, INK, QUIET, canvas, colour
from metaunetr_training.evaluation.scores import Score, by_organ

MARKERS = "os^vDP<>p"  # many organs have nearly one colour
JITTER = 0.16  # of the points beside each other, in rows


@contextmanager
def figure(path: Path, rows: int, columns: int, size: tuple[float, float], **kwargs) -> Iterator:
    """The same of `size` inches, with axes (rows, columns)."""
    with canvas(path, DPI * size[0], DPI * size[1], layout="constrained") as drawn:
        yield drawn, drawn.subplots(rows, columns, squeeze=False, **kwargs)


def dark(organ: str) -> tuple[float, ...]:
    """The organ's colour, dark enough for a line on white."""
    return tuple(0.62 * np.array(colour(organ)))


def box_plots(path: Path, scores: Sequence[Score], title: str) -> None:
    """Dice, NSD and HD95 by organ: a box, and a point for each case."""
    organs = by_organ(scores)
    names = list(organs)
    metrics = (("dice", "Dice (0 to 1)"), ("nsd_2mm", "NSD at 2 mm (0 to 1)"),
               ("hd95_mm", "HD95 (mm)"))
    with figure(path, 1, 3, (11, 1.4 + 0.36 * len(names)), sharey=True) as (drawn, axes):
        for ax, (metric, label) in zip(axes[0], metrics, strict=True):
            for row, (name, mine) in enumerate(organs.items()):
                values = np.array([getattr(score, metric) for score in mine])
                _box(ax, row, name, values[np.isfinite(values)])
                best = [s.ceiling for s in mine if not isnan(s.ceiling)]
                if metric == "dice" and best:
                    ax.plot(np.mean(best), row, marker="D", markersize=4, color=INK,
                            markerfacecolor="none", zorder=4)
            ax.set_xlabel(label)
            ax.grid(False, axis="y")
            if metric != "hd95_mm":
                ax.set_xlim(-0.02, 1.02)
        _missed(axes[0][2], organs)
        axes[0][0].set_yticks(range(len(names)),
                              [f"{name}  (n = {len(mine)})" for name, mine in organs.items()])
        axes[0][0].set_ylim(len(names) - 0.5, -0.5)
        ceiling = any(not isnan(score.ceiling) for score in scores)
        below = "Box: quartiles and median; whiskers: all cases; points: cases."
        if ceiling:
            below += " ◇: what a perfect mask reaches at the model spacing."
        drawn.suptitle(title, fontsize=11)
        drawn.supxlabel(below, fontsize=8, color=QUIET)


def _box(ax, row: int, name: str, values: np.ndarray) -> None:
    if not len(values):
        return
    ax.boxplot(
        values, positions=[row], orientation="horizontal", widths=0.62, whis=(0, 100),
        patch_artist=True, showfliers=False, manage_ticks=False,
        boxprops={"facecolor": colour(name, 0.25), "edgecolor": dark(name), "linewidth": 0.8},
        medianprops={"color": INK, "linewidth": 1.5},
        whiskerprops={"color": dark(name), "linewidth": 0.8},
        capprops={"color": dark(name), "linewidth": 0.8},
    )
    ax.scatter(values, row + spread(len(values)), s=9, color=INK, alpha=0.65, linewidths=0,
               zorder=3)


def spread(count: int) -> np.ndarray:
    """Offsets that keep equal values apart, the same in every picture."""
    return np.random.default_rng(0).uniform(-JITTER, JITTER, count)


def _missed(ax, organs: dict[str, list[Score]]) -> None:
    """Distances from 0 on, and beside the axes how many are infinite."""
    high = max((s.hd95_mm for mine in organs.values() for s in mine if np.isfinite(s.hd95_mm)),
               default=1.0)
    ax.set_xlim(-0.02 * high, 1.05 * high)
    for row, mine in enumerate(organs.values()):
        if count := sum(score.missed for score in mine):
            ax.annotate(f"{count} missed", (1.02, row), xycoords=("axes fraction", "data"),
                        ha="left", va="center", fontsize=8, color="#a03020",
                        annotation_clip=False)


def reliability(path: Path, fit: Fit, scores: Sequence[Score], model: str) -> None:
    """Confidence against Dice: organs of cases as points, and the calibration if any."""
    pairs = {name: [s for s in mine if not isnan(s.confidence)]
             for name, mine in by_organ(scores).items()}
    with figure(path, 1, 1, (7.2, 5.4)) as (drawn, axes):
        ax = axes[0][0]
        ax.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle=(0, (4, 3)),
                label="confidence = Dice")
        for name, mine in pairs.items():
            ax.scatter([s.confidence for s in mine], [s.dice for s in mine], s=28,
                       marker=MARKERS[BY_NAME[name].number % len(MARKERS)], color=colour(name),
                       edgecolors=dark(name), linewidths=0.7, label=f"{name} ({len(mine)})",
                       zorder=3)
        if fit.calibration:
            x = np.linspace(0, 1, 101)
            for volume, dashes in ((5, ":"), (50, "--"), (500, "-")):
                ax.plot(x, fit.calibration(x, np.full_like(x, volume)), dashes, color=INK,
                        linewidth=1.6, zorder=4, label=f"calibration, {volume} mL")
        low = min(fit.confidence, default=0.0)
        ax.set_xlim(max(-0.02, np.floor(low * 20 - 0.4) / 20), 1.01)
        ax.set_ylim(-0.02, 1.02)
        ax.set_xlabel("confidence: mean probability over the organ's voxels (0 to 1)")
        ax.set_ylabel("Dice (0 to 1)")
        ax.set_title(model, fontsize=11)
        drawn.legend(loc="outside right upper", fontsize=8, frameon=False)
        drawn.supxlabel(fill(fit.sentence(), 105), fontsize=8, color=QUIET)


def differences(
    path: Path, pairs: dict[str, tuple[np.ndarray, np.ndarray]],
    intervals: dict[str, tuple[float, float] | None], first: str, second: str, title: str,
) -> None:
    """Dice of two evaluations by organ: each case joined by a line, and the differences.

    Args:
        pairs: Dice of the first and of the second by organ, case by case.
        intervals: of the mean differences.
    """
    names = list(pairs)
    size = (10.5, 1.7 + 0.42 * len(names))
    with figure(path, 1, 2, size, sharey=True, width_ratios=(3, 2)) as (drawn, axes):
        left, right = axes[0]
        for row, (name, (a, b)) in enumerate(pairs.items()):
            left.plot([a, b], [np.full(len(a), row - 0.2), np.full(len(b), row + 0.2)],
                      color=dark(name), linewidth=0.7, alpha=0.7)
            left.scatter(a, np.full(len(a), row - 0.2), s=16, facecolors="white",
                         edgecolors=dark(name), linewidths=0.9, zorder=3)
            left.scatter(b, np.full(len(b), row + 0.2), s=16, color=colour(name),
                         edgecolors=dark(name), linewidths=0.9, zorder=3)
            right.scatter(b - a, row + spread(len(a)), s=12, color=colour(name),
                          edgecolors=dark(name), linewidths=0.6, zorder=2)
            right.plot(np.mean(b - a), row, "|", color=INK, markersize=13, markeredgewidth=2,
                       zorder=4)
            if intervals[name]:
                right.plot(intervals[name], [row, row], color=INK, linewidth=1.4, zorder=3)
        right.axvline(0, color=QUIET, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
        widest = max((abs(b - a).max() for a, b in pairs.values()), default=0.0)
        right.set_xlim(-1.08 * max(widest, 0.01), 1.08 * max(widest, 0.01))
        left.set_yticks(range(len(names)),
                        [f"{name}  (n = {len(a)})" for name, (a, _) in pairs.items()])
        left.set_ylim(len(names) - 0.4, -0.6)
        left.set_xlabel("Dice (0 to 1)")
        right.set_xlabel("difference of Dice (-1 to 1)")
        for ax in (left, right):
            ax.grid(False, axis="y")
        drawn.suptitle(fill(title, 110), fontsize=11)
        below = (f"○ {first}   ● {second}. Right: second minus first; bar: mean, with its 95% "
                 "interval if there are three or more cases.")
        drawn.supxlabel(fill(below, 140), fontsize=8, color=QUIET)
