"""Dice of whole cases at the model spacing: what training looks at while it goes on.

The numbers that count are those of `evaluate`, on the original grid.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest

import numpy as np
import torch
from torch import nn

from metaunetr.engine.backends import Backend
from metaunetr.engine.runner import Runner
from metaunetr.engine.windows import blend_windows, sliding_windows, window_size
from metaunetr.metrics import dice
from metaunetr_training.data.prepared import BRIGHTEST, PreparedCase
from metaunetr_training.recipe import Recipe

Scores = dict[str, dict[int, float]]  # Dice by case key and organ number
Look = Callable[[PreparedCase, np.ndarray], None]


def in_turns(cases: Sequence[PreparedCase], count: int) -> list[PreparedCase]:
    """At most `count` of the cases, from every data set in turn, each in its order."""
    by_dataset: dict[str, list[PreparedCase]] = {}
    for case in cases:
        by_dataset.setdefault(case.source.dataset, []).append(case)
    turns = zip_longest(*by_dataset.values())
    return [case for turn in turns for case in turn if case is not None][:count]


def validate(
    network: nn.Module, cases: list[PreparedCase], recipe: Recipe, device: torch.device,
    dtype: torch.dtype, look: Look | None = None,
) -> Scores:
    """Dice of the organs that a case annotates and the recipe knows; those that neither the case
    nor the prediction has are left out.

    Args:
        network: in evaluation mode.
        look: is given each case with its predicted organ numbers (D, H, W).
    """
    scores: Scores = {}
    for case in cases:
        found = predict(network, case, recipe, device, dtype)
        if look is not None:
            look(case, found)
        truth = case.labels()
        of_organs = {
            organ.number: dice(found == organ.number, truth == organ.number)
            for organ in recipe.classes if organ.number in case.annotated
        }
        scores[case.key] = {n: float(d) for n, d in of_organs.items() if not np.isnan(d)}
    return scores


def predict(
    network: nn.Module, case: PreparedCase, recipe: Recipe, device: torch.device,
    dtype: torch.dtype,
) -> np.ndarray:
    """Organ numbers (D, H, W) at the model spacing, from windows like the engine's."""
    volume = torch.from_numpy(case.image() / np.float32(BRIGHTEST))
    stride, windows = network.stride, recipe.inference
    size = tuple(
        window_size(n, patch, smallest, largest, stride)
        for n, patch, smallest, largest in zip(
            volume.shape, recipe.training.patch, windows.smallest_window, windows.largest_window,
            strict=True)
    )
    looks = sliding_windows(tuple(slice(0, n) for n in volume.shape), size, windows.overlap)
    runner = Runner(network, [Backend(device, dtype, 1, torch.device("cpu"))],
                    warn=lambda text: None)
    numbers = np.array([0] + [organ.number for organ in recipe.classes], np.uint8)
    found = np.empty(looks.size, np.uint8)
    with torch.no_grad():
        for first, slab in blend_windows(volume, looks, len(numbers), runner):
            found[first : first + slab.shape[1]] = numbers[slab.argmax(0).numpy()]
    inside = tuple(slice(-o, -o + n) for o, n in zip(looks.origin, volume.shape, strict=True))
    return found[inside]


def mean_dice(scores: Scores) -> float:
    """Mean over the organs of each organ's mean over cases; NaN for none."""
    values = list(organ_means(scores).values())
    return sum(values) / len(values) if values else float("nan")


def organ_means(scores: Scores) -> dict[int, float]:
    by_organ: dict[int, list[float]] = {}
    for case in scores.values():
        for number, value in case.items():
            by_organ.setdefault(number, []).append(value)
    return {number: sum(v) / len(v) for number, v in sorted(by_organ.items())}
