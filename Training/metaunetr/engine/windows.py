"""Sliding windows over the model input, and blending their logits slab by slab."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from metaunetr.boxes import Box, Triple
from metaunetr.engine.runner import Runner

BLEND_SIGMA = 0.2  # of the window size


@dataclass(frozen=True)
class Windows:
    """Windows over a box of the model input, in rows of equal position along D.

    Attributes:
        origin: first voxel (D, H, W) of the box; negative where the image is smaller than a window.
        size: voxels (D, H, W) of the box.
        window: voxels (D, H, W) of a window.
        rows: start along D, and the starts (H, W) of its windows, all relative to the box.
    """

    origin: Triple
    size: Triple
    window: Triple
    rows: tuple[tuple[int, tuple[tuple[int, int], ...]], ...]

    def __len__(self) -> int:
        return sum(len(starts) for _, starts in self.rows)

    def inside(self, shape: Triple) -> tuple[Box, Triple]:
        """The part of the box that lies in a model input of `shape`, and its first voxel there."""
        origin = tuple(max(0, first) for first in self.origin)
        part = tuple(
            slice(low - first, min(first + n, length) - first)
            for low, first, n, length in zip(origin, self.origin, self.size, shape, strict=True)
        )
        return part, origin


def window_size(length: int, patch: int, smallest: int, largest: int, multiple: int) -> int:
    """Voxels of a window along one axis of `length` voxels.

    One window covers the axis where `largest` allows it; else it is the patch of the training.
    """
    if length > largest:
        return patch
    return max(smallest, math.ceil(length / multiple) * multiple)


def window_starts(length: int, window: int, overlap: float) -> list[int]:
    """Starts of the fewest windows that overlap by at least `overlap`, evenly spaced."""
    if length <= window:
        return [0]
    count = 1 + math.ceil((length - window) / (window * (1 - overlap)) - 1e-9)
    return [round(n * (length - window) / (count - 1)) for n in range(count)]


def sliding_windows(box: Box, window: Triple, overlap: float) -> Windows:
    """Windows over `box` of the model input, which is widened to at least one window."""
    sizes = [part.stop - part.start for part in box]
    padding = [max(0, w - n) for n, w in zip(sizes, window, strict=True)]
    size = tuple(n + p for n, p in zip(sizes, padding, strict=True))
    d, h, w = (window_starts(n, m, overlap) for n, m in zip(size, window, strict=True))
    plane = tuple((y, x) for y in h for x in w)
    return Windows(
        origin=tuple(part.start - p // 2 for part, p in zip(box, padding, strict=True)),
        size=size,
        window=window,
        rows=tuple((z, plane) for z in d),
    )


def gaussian(window: Triple) -> Tensor:
    """Weights (D, H, W) of the voxels of a window: 1 at its centre, less towards its border."""
    axes = []
    for n in window:
        distance = torch.arange(n, dtype=torch.float32) - (n - 1) / 2
        axes.append(torch.exp(-0.5 * (distance / (BLEND_SIGMA * n)) ** 2))
    d, h, w = axes
    return d[:, None, None] * h[:, None] * w


def crop(volume: Tensor, start: Triple, size: Triple) -> Tensor:
    """A box (D, H, W) of `volume`; where it sticks out of a slice, zero (air).

    Along D the first and last slice are repeated instead: the body goes on where a scan ends, and
    zeros there shift the statistics of instance normalisation. On two labelled slabs of 11 slices
    mean Dice rose from 0.22 to 0.50.
    """
    out = volume.new_zeros(size)
    inside, source = [slice(None)], []
    for first, n, limit in zip(start[1:], size[1:], volume.shape[1:], strict=True):
        low, high = max(0, first), min(limit, first + n)
        if low >= high:
            return out
        inside.append(slice(low - first, high - first))
        source.append(slice(low, high))
    slices = torch.arange(start[0], start[0] + size[0]).clamp(0, volume.shape[0] - 1)
    out[tuple(inside)] = volume[(slices, *source)]
    return out


def blend_windows(
    volume: Tensor, windows: Windows, classes: int, runner: Runner,
    progress: Callable[[int], None] = lambda done: None,
) -> Iterator[tuple[int, Tensor]]:
    """Logits of the whole box as slabs, in order along D.

    Windows come in rows along D; once the next row begins, the slices before it are final. Only
    the logits of one row are held at a time, however long the scan is.

    Args:
        volume: model input (D, H, W).
        classes: of the network, background included.
        progress: receives the number of windows done, after each batch.

    Yields:
        The slab's first slice in the box, and its logits (C, slices, H, W).
    """
    depth, height, width = windows.window
    plane = windows.size[1:]
    weight = gaussian(windows.window)
    total = runner.zeros((classes, depth, *plane))
    weights = runner.zeros((depth, *plane))
    ends = [z for z, _ in windows.rows[1:]] + [windows.size[0]]
    done = 0
    for (z, starts), end in zip(windows.rows, ends, strict=True):
        crops = [
            crop(volume, tuple(o + s for o, s in zip(windows.origin, (z, y, x), strict=True)),
                 windows.window)
            for y, x in starts
        ]
        remaining = iter(starts)
        for batch in runner.batches(crops):
            done += len(batch)
            progress(done)
            if total.device != batch.device or weight.device != batch.device:
                total, weights, weight = (t.to(batch.device) for t in (total, weights, weight))
            for logits, (y, x) in zip(batch, remaining, strict=False):
                window = (slice(None), slice(y, y + height), slice(x, x + width))
                total[(slice(None), *window)].add_(logits.mul_(weight))
                weights[window].add_(weight)
            del batch, logits  # large: free them before the network runs again
        final = end - z
        yield z, runner.divide(total[:, :final], weights[:final])
        _shift(total, final, axis=1)
        _shift(weights, final, axis=0)


def _shift(tensor: Tensor, count: int, axis: int) -> None:
    """Move the slices of `tensor` to the front by `count`; zeros follow."""
    length = tensor.shape[axis] - count
    if length:
        tensor.narrow(axis, 0, length).copy_(tensor.narrow(axis, count, length).clone())
    tensor.narrow(axis, length, count).zero_()
