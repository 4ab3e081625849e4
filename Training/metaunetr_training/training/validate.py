"""Dice of whole cases at the model spacing, for validation during training.

`evaluate` measures accuracy on the original grid of the images.
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
OnPrediction = Callable[[PreparedCase, np.ndarray], None]


def interleave(cases: Sequence[PreparedCase], count: int) -> list[PreparedCase]:
    """At most `count` cases, one from each data set in turn; the order within each is kept."""
    by_dataset: dict[str, list[PreparedCase]] = {}
    for case in cases:
        by_dataset.setdefault(case.source.dataset, []).append(case)
    rounds = zip_longest(*by_dataset.values())
    return [case for cases in rounds for case in cases if case is not None][:count]


def validate(
    network: nn.Module, cases: list[PreparedCase], recipe: Recipe, device: torch.device,
    dtype: torch.dtype, on_prediction: OnPrediction | None = None,
) -> Scores:
    """Dice of the organs that a case annotates and the recipe has.

    Organs that are neither in the labels nor in the prediction are left out.

    Args:
        network: in evaluation mode.
        on_prediction: called with each case and its predicted organ numbers (D, H, W).
    """
    scores: Scores = {}
    for case in cases:
        predicted = predict(network, case, recipe, device, dtype)
        if on_prediction is not None:
            on_prediction(case, predicted)
        reference = case.labels()
        of_organs = {
            organ.number: dice(predicted == organ.number, reference == organ.number)
            for organ in recipe.classes if organ.number in case.annotated
        }
        scores[case.key] = {n: float(d) for n, d in of_organs.items() if not np.isnan(d)}
    return scores


def predict(
    network: nn.Module, case: PreparedCase, recipe: Recipe, device: torch.device,
    dtype: torch.dtype,
) -> np.ndarray:
    """Organ numbers (D, H, W) at the model spacing, by the sliding windows of the engine."""
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
    """Mean Dice over cases, by organ number."""
    by_organ: dict[int, list[float]] = {}
    for case in scores.values():
        for number, value in case.items():
            by_organ.setdefault(number, []).append(value)
    return {number: sum(v) / len(v) for number, v in sorted(by_organ.items())}
