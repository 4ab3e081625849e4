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


class AlignedRestore:
    """For input grids whose axes are the model's: one linear interpolation per axis, streaming.

    Scores come in slabs along D (`take`), output slices leave to `sink` as soon as the scores on
    both sides of them are known; `finish` sends the rest. Slices without any organ are not sent.

    Args:
        shape: voxels (D, H, W) of the output, a canonical view of the input grid.
        steps: output voxels per model voxel along (D, H, W).
        origin, size: the box of the model grid that scores come for.
    """

    def __init__(
        self, shape: Triple, steps: tuple[float, float, float], origin: Triple, size: Triple,
        sink: Sink,
    ) -> None:
        self.shape, self.steps, self.origin, self.size, self.sink = shape, steps, origin, size, sink
        self.rows = self._axis(1)
        self.columns = self._axis(2)
        self.next_slice = max(0, math.ceil(self._edge(0, origin[0])))
        self.last_slice = min(shape[0] - 1, math.floor(self._edge(0, origin[0] + size[0])))
        self.known: Tensor | None = None  # scores from model slice `first` of the box on
        self.first = 0

    def take(self, first: int, scores: Tensor) -> None:
        """The next slab of scores (C, slices, H, W), beginning at slice `first` of the box."""
        if self.known is not None:
            scores = torch.cat([self.known[:, -1:], scores], dim=1)
            first -= 1
        self.known, self.first = scores, first
        self._send(until=first + scores.shape[1] - 1)

    def finish(self) -> None:
        """Sends the slices beyond the centre of the last model slice."""
        self._send(until=math.inf)
        self.known = None

    def _send(self, until: float) -> None:
        end = self.first + self.known.shape[1] - 1
        found = (self.known[1:] > self.known[:1]).movedim(1, 0)  # (slices, C - 1, H, W)
        present = found.flatten(2).any(2).tolist()
        while self.next_slice <= self.last_slice:
            position = (self.next_slice + 0.5) / self.steps[0] - 0.5 - self.origin[0]
            if position >= until:
                return
            position = min(max(position, self.first), end)
            low = math.floor(position)
            high = min(low + 1, end)
            near = (low - self.first, high - self.first)
            classes = [0] + [
                c + 1 for c in range(found.shape[1]) if any(present[n][c] for n in near)
            ]
            if len(classes) > 1:
                box = found[near[0]].any(0) | found[near[1]].any(0)
                below, above = (self.known[classes, n] for n in near)
                scores = torch.lerp(below, above, position - low)
                self._send_slice(scores, classes, box)
            self.next_slice += 1

    def _send_slice(self, scores: Tensor, classes: list[int], box: Tensor) -> None:
        rows = _grown(box.any(1), self.size[1])
        columns = _grown(box.any(0), self.size[2])
        first_row, across_rows = self._part(1, self.rows, rows, scores.device)
        first_column, across_columns = self._part(2, self.columns, columns, scores.device)
        if not len(across_rows) or not len(across_columns):
            return
        fine = across_rows @ (scores[:, rows, columns] @ across_columns.T)
        self.sink(self.next_slice, first_row, first_column, _winners(fine, classes))

    def _axis(self, axis: int) -> tuple[int, Tensor]:
        """The first output voxel inside the box, and the weights (voxels, model voxels)."""
        first = max(0, math.ceil(self._edge(axis, self.origin[axis])))
        last = math.floor(self._edge(axis, self.origin[axis] + self.size[axis]))
        count = max(0, min(self.shape[axis] - 1, last) - first + 1)
        start = (first + 0.5) / self.steps[axis] - 0.5 - self.origin[axis]
        return first, interpolation_matrix(start, 1 / self.steps[axis], count, self.size[axis])

    def _edge(self, axis: int, voxel: float) -> float:
        """Output coordinate of the edge before model voxel `voxel`."""
        return voxel * self.steps[axis] - 0.5

    def _part(
        self, axis: int, weights: tuple[int, Tensor], model: slice, device: torch.device
    ) -> tuple[int, Tensor]:
        """The first output voxel between the chosen model voxels, and the weights of all these."""
        first, matrix = weights
        low = math.ceil((self.origin[axis] + model.start + 0.5) * self.steps[axis] - 0.5)
        high = math.floor((self.origin[axis] + model.stop - 0.5) * self.steps[axis] - 0.5)
        start = 0 if model.start == 0 else max(0, low - first)
        stop = len(matrix) if model.stop == self.size[axis] else min(len(matrix), high - first + 1)
        return first + start, matrix[start:stop, model].to(device)


def _winners(scores: Tensor, classes: list[int]) -> Tensor:
    """The class with the highest of the scores (C, H, W); several times faster than argmax."""
    best = scores[0]
    winner = torch.full(best.shape, classes[0], dtype=torch.uint8, device=best.device)
    for rival, number in zip(scores[1:], classes[1:], strict=True):
        winner.masked_fill_(rival > best, number)
        torch.maximum(best, rival, out=best)
    return winner


def restore_map(
    values: Tensor, view: np.ndarray, steps: tuple[float, float, float], origin: Triple
) -> None:
    """Interpolates a map (D, H, W) of the model grid's box at `origin` into an output view."""
    axes = [
        interpolation_matrix(0.5 / step - 0.5 - start, 1 / step, count, length)
        for step, start, count, length in zip(steps, origin, view.shape, values.shape, strict=True)
    ]
    in_depth = axes[0] @ values.flatten(1)  # (D out, H * W)
    for z, plane in enumerate(in_depth.view(-1, *values.shape[1:])):
        view[z] = (axes[1] @ plane @ axes[2].T).round().numpy()


def _grown(used: Tensor, length: int) -> slice:
    """The range of the true entries, widened by one on both sides."""
    where = used.nonzero().flatten()
    return slice(max(0, int(where[0]) - 1), min(length, int(where[-1]) + 2))
