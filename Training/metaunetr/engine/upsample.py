"""Logits at the model spacing become labels on the grid of the image, slice by slice.

Logits are interpolated, not labels, so borders follow the anatomy and not the coarse grid. An
interpolated logit is a weighted mean of the logits around it, which saves most of the work without
changing the result: where background wins at all surrounding model voxels, it wins in between, so
only the box around the organs is interpolated; and a class that nowhere beats background cannot
win, so it is left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from metaunetr.boxes import Triple
from metaunetr.engine.resample import interpolation_matrix


class Axis:
    """Linear interpolation along one axis, from a box of model voxels to output voxels.

    Args:
        count: output voxels.
        step: output voxels per model voxel.
        origin: first model voxel of the box.
        length: model voxels of the box.
    """

    def __init__(self, count: int, step: float, origin: int, length: int) -> None:
        self.step, self.origin, self.length = step, origin, length
        # voxel v covers v - 0.5 to v + 0.5 and both grids begin at the same edge
        self.first = max(0, math.ceil(origin * step - 0.5))
        last = min(count - 1, math.floor((origin + length) * step - 0.5))
        self.count = max(0, last - self.first + 1)
        start = (self.first + 0.5) / step - 0.5 - origin
        self.weights = interpolation_matrix(start, 1 / step, self.count, length)

    def position(self, voxel: int) -> float:
        """The position of an output voxel in model voxels of the box."""
        return min(max((voxel + 0.5) / self.step - 0.5 - self.origin, 0.0), self.length - 1.0)

    def between(self, model: slice) -> tuple[int, Tensor]:
        """The first output voxel within a range of model voxels, and the weights of all of them."""
        low = math.ceil((self.origin + model.start + 0.5) * self.step - 0.5) - self.first
        high = math.floor((self.origin + model.stop - 0.5) * self.step - 0.5) - self.first
        start = 0 if model.start == 0 else max(0, low)
        stop = self.count if model.stop == self.length else min(self.count, high + 1)
        return self.first + start, self.weights[start:stop, model]


def upsample_labels(
    logits: Tensor, origin: Triple, steps: tuple[float, float, float], numbers: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the labels of the voxels where an organ wins.

    Args:
        logits: (C, D, H, W) of a box of the model grid, any floating type, on the CPU.
        origin: first model voxel (D, H, W) of the box.
        steps: output voxels per model voxel along (D, H, W).
        numbers: the label of each class.
        out: (D, H, W), zeros; a canonical view of the labels.
    """
    depth, rows, columns = _axes(out.shape, steps, origin, logits.shape[1:])

    @lru_cache(maxsize=2)
    def organs(n: int) -> Tensor:  # (C - 1, H, W): beats background in a model slice
        return logits[1:, n] > logits[0, n]

    for z in range(depth.first, depth.first + depth.count):
        position = depth.position(z)
        low = math.floor(position)
        high = min(low + 1, depth.length - 1)
        in_either = organs(low) | organs(high)
        classes = [0, *(1 + in_either.flatten(1).any(1).nonzero().flatten()).tolist()]
        if len(classes) == 1:
            continue
        plane = in_either.any(0)
        in_rows, in_columns = _widened_range(plane.any(1)), _widened_range(plane.any(0))
        first_row, across_rows = rows.between(in_rows)
        first_column, across_columns = columns.between(in_columns)
        if len(across_rows) and len(across_columns):
            below, above = (logits[classes, n, in_rows, in_columns].float() for n in (low, high))
            coarse = torch.lerp(below, above, position - low)
            fine = across_rows @ (coarse @ across_columns.T)
            out[z, first_row : first_row + fine.shape[1],
                first_column : first_column + fine.shape[2]] = numbers[winners(fine, classes)]


def upsample_map(
    values: Tensor, origin: Triple, steps: tuple[float, float, float], out: np.ndarray
) -> None:
    """Interpolate a map (D, H, W) of a box of the model grid, and write it rounded into `out`."""
    depth, rows, columns = _axes(out.shape, steps, origin, values.shape)
    in_depth = (depth.weights @ values.flatten(1)).view(-1, *values.shape[1:])
    box = (slice(rows.first, rows.first + rows.count),
           slice(columns.first, columns.first + columns.count))
    for z, plane in enumerate(in_depth, start=depth.first):
        out[(z, *box)] = (rows.weights @ plane @ columns.weights.T).round().numpy()


def _axes(
    shape: Triple, steps: tuple[float, float, float], origin: Triple, size: Triple
) -> list[Axis]:
    """One `Axis` for each of D, H and W."""
    return [Axis(*values) for values in zip(shape, steps, origin, size, strict=True)]


def winners(logits: Tensor, classes: Sequence[int]) -> np.ndarray:
    """The one of `classes` with the highest of the logits (C, ...), uint8; ties go to the first.

    On a CPU, `argmax` takes several times as long (14 classes, float16, PyTorch 2.13).
    """
    best = logits[0].clone()
    winner = torch.full(best.shape, classes[0], dtype=torch.uint8)
    for rival, number in zip(logits[1:], classes[1:], strict=True):
        winner.masked_fill_(rival > best, number)
        torch.maximum(best, rival, out=best)
    return winner.numpy()


def _widened_range(used: Tensor) -> slice:
    """The range from the first to the last true entry, widened by one on both sides."""
    where = used.nonzero().flatten()
    return slice(max(0, int(where[0]) - 1), min(len(used), int(where[-1]) + 2))
