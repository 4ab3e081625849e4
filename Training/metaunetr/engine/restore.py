"""Class scores at the model spacing become labels on the input grid, slice by slice.

Scores are interpolated, not labels, so borders follow the anatomy and not the coarse grid. Two
facts make that cheap and stay exact, because an interpolated score is a weighted mean of the
scores around it: where background wins at all surrounding model voxels it wins in between, so
only the box around the organs is interpolated; and a class that nowhere beats background cannot
win, so it is left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from metaunetr.engine.resample import interpolation_matrix

Triple = tuple[int, int, int]
# receives an output slice's number, its first row and column, and class numbers (rows, columns)
Sink = Callable[[int, int, int, Tensor], None]


class Axis:
    """Linear interpolation along one axis, from a box of model voxels to output voxels.

    Args:
        count: output voxels.
        step: output voxels per model voxel.
        origin: model voxel at which the box begins.
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
        """Where an output voxel lies, in model voxels of the box."""
        return min(max((voxel + 0.5) / self.step - 0.5 - self.origin, 0.0), self.length - 1.0)

    def between(self, model: slice) -> tuple[int, Tensor]:
        """The first output voxel among the chosen model voxels, and the weights of all these."""
        low = math.ceil((self.origin + model.start + 0.5) * self.step - 0.5) - self.first
        high = math.floor((self.origin + model.stop - 0.5) * self.step - 0.5) - self.first
        start = 0 if model.start == 0 else max(0, low)
        stop = self.count if model.stop == self.length else min(self.count, high + 1)
        return self.first + start, self.weights[start:stop, model]


def axes(
    shape: Triple, steps: tuple[float, float, float], origin: Triple, size: Triple
) -> list[Axis]:
    """One `Axis` for each of D, H and W."""
    return [Axis(*values) for values in zip(shape, steps, origin, size, strict=True)]


def restore(
    scores: Tensor, shape: Triple, steps: tuple[float, float, float], origin: Triple, sink: Sink
) -> None:
    """Sends the labels of every output slice that holds an organ to `sink`.

    Args:
        scores: of a box of the model grid (C, D, H, W), any floating type, on the CPU.
        shape: voxels (D, H, W) of the output, a canonical view of the input grid.
        steps: output voxels per model voxel along (D, H, W).
        origin: the box's first model voxel (D, H, W).
    """
    depth, rows, columns = axes(shape, steps, origin, tuple(scores.shape[1:]))
    found = scores[1:] > scores[:1]  # (C - 1, D, H, W)
    present = found.flatten(2).any(2).T.tolist()  # [slice][class - 1]
    for z in range(depth.first, depth.first + depth.count):
        position = depth.position(z)
        low = math.floor(position)
        high = min(low + 1, depth.length - 1)
        beside = zip(present[low], present[high], strict=True)
        classes = [0] + [c for c, either in enumerate(beside, start=1) if any(either)]
        if len(classes) == 1:
            continue
        box = found[:, low].any(0) | found[:, high].any(0)
        in_rows, in_columns = _grown(box.any(1)), _grown(box.any(0))
        first_row, across_rows = rows.between(in_rows)
        first_column, across_columns = columns.between(in_columns)
        if len(across_rows) and len(across_columns):
            below, above = (scores[classes, n, in_rows, in_columns].float() for n in (low, high))
            coarse = torch.lerp(below, above, position - low)
            fine = across_rows @ (coarse @ across_columns.T)
            sink(z, first_row, first_column, _winners(fine, classes))


def _winners(scores: Tensor, classes: list[int]) -> Tensor:
    """The class with the highest of the scores (C, H, W); several times faster than argmax."""
    best = scores[0]
    winner = torch.full(best.shape, classes[0], dtype=torch.uint8)
    for rival, number in zip(scores[1:], classes[1:], strict=True):
        winner.masked_fill_(rival > best, number)
        torch.maximum(best, rival, out=best)
    return winner


def restore_map(
    values: Tensor, view: np.ndarray, steps: tuple[float, float, float], origin: Triple
) -> None:
    """Interpolates a map (D, H, W) of a box of the model grid into an output view."""
    depth, rows, columns = axes(view.shape, steps, origin, tuple(values.shape))
    in_depth = (depth.weights @ values.flatten(1)).view(-1, *values.shape[1:])
    here = (slice(rows.first, rows.first + rows.count),
            slice(columns.first, columns.first + columns.count))
    for z, plane in enumerate(in_depth, start=depth.first):
        view[(z, *here)] = (rows.weights @ plane @ columns.weights.T).round().numpy()


def _grown(used: Tensor) -> slice:
    """The range of the true entries, widened by one on both sides."""
    where = used.nonzero().flatten()
    return slice(max(0, int(where[0]) - 1), min(len(used), int(where[-1]) + 2))
