"""Patches from prepared cases, each drawn from its own number.

Patch number n is the same in every run with the same seed, however often the run was resumed and
among however many processes the batches are divided.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from errno import ENOSPC

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from metaunetr.errors import DeviceError, InputError
from metaunetr_training.data.prepared import BRIGHTEST, PreparedCase
from metaunetr_training.recipe import Recipe, Triple
from metaunetr_training.training.processes import Processes

CENTRAL = (0.3, 0.7)  # where in the patch the voxel lies that it was chosen for


class Patches(Dataset):
    """Patch by number: image float32 (1, D, H, W), labels uint8 (D, H, W) as class numbers,
    annotated bool (C,), name and number."""

    def __init__(self, cases: list[PreparedCase], recipe: Recipe) -> None:
        numbers = [organ.number for organ in recipe.classes]
        self.cases = [case for case in cases if case.annotated & set(numbers)]
        if not self.cases:
            raise InputError("there is no case to train on that annotates one of "
                             f"{', '.join(recipe.organs)}")
        self.patch = recipe.training.patch
        self.foreground = recipe.training.foreground
        self.seed = recipe.training.seed
        weights = [recipe.training.dataset_weights.get(case.source.dataset, 1.0)
                   for case in self.cases]
        self.shares = np.cumsum(weights)
        self.numbers = numbers
        self.class_of = np.zeros(256, np.uint8)
        self.class_of[numbers] = np.arange(1, len(numbers) + 1)

    def __getitem__(self, number: int) -> dict:
        rng = np.random.default_rng([self.seed, number])
        case = self._case(number)
        start = self._start(case, rng)
        image = cut(case.image(), start, self.patch, edge=True)
        labels = cut(case.labels(), start, self.patch, edge=True)
        annotated = [True] + [n in case.annotated for n in self.numbers]
        return {
            "image": torch.from_numpy(image / np.float32(BRIGHTEST))[None],
            "labels": torch.from_numpy(self.class_of[labels]),
            "annotated": torch.tensor(annotated),
            "name": f"{case.key} at {start}",
            "number": number,
        }

    def _case(self, number: int) -> PreparedCase:
        """By systematic sampling: among any len(cases) patches that follow each other from a
        multiple of it, a case of share p occurs len(cases)·p times, rounded up or down; with equal
        weights so does every case once."""
        count = len(self.cases)
        turn, place = divmod(number, count)
        rng = np.random.default_rng([self.seed, turn, 1])
        positions = (rng.random() + np.arange(count)) / count
        drawn = np.searchsorted(self.shares, positions * self.shares[-1], side="right")
        return self.cases[rng.permutation(drawn)[place]]

    def _start(self, case: PreparedCase, rng: np.random.Generator) -> Triple:
        """First voxel (D, H, W) of the patch; outside only where the case is smaller."""
        present = [n for n in self.numbers if n in case.points]
        if present and rng.random() < self.foreground:
            points = case.points[rng.choice(present)]
            inside = rng.uniform(*CENTRAL, 3) * self.patch
            start = points[rng.integers(len(points))] - inside.astype(int)
        else:
            room = np.maximum(np.subtract(case.shape, self.patch), 0)
            start = rng.integers(0, room + 1)
        return tuple(
            int(np.clip(first, 0, n - p)) if n > p else -((p - n) // 2)
            for first, n, p in zip(start, case.shape, self.patch, strict=True)
        )


def cut(array: np.ndarray, start: Triple, size: Triple, edge: bool = False) -> np.ndarray:
    """A box (D, H, W) of `array`; where it sticks out, 0 in plane.

    edge: along D the first and last slice are repeated, as the engine does.
    """
    out = np.zeros(size, array.dtype)
    target, source = [], []
    for first, n, limit in zip(start, size, array.shape, strict=True):
        low, high = max(0, first), min(limit, first + n)
        target.append(slice(low - first, high - first))
        source.append(slice(low, high))
    out[tuple(target)] = array[tuple(source)]
    if edge:
        out[: target[0].start] = out[target[0].start]
        out[target[0].stop :] = out[target[0].stop - 1]
    return out


def batches(
    patches: Patches, recipe: Recipe, processes: Processes, iteration: int
) -> Iterator[dict]:
    """This process's share of one batch after another, from that of `iteration` on."""
    loader = DataLoader(
        patches,
        batch_sampler=_Numbers(recipe.training.batch_size, processes, iteration),
        num_workers=recipe.training.workers,
        pin_memory=processes.device.type == "cuda",
        prefetch_factor=4 if recipe.training.workers else None,
    )
    return iter(loader)


@contextmanager
def enough_shared_memory() -> Iterator[None]:
    """Within, a lack of shared memory, through which workers pass patches on, is explained.

    PyTorch raises it from `next`, or at any moment, when a worker was killed for it.

    Raises:
        DeviceError: /dev/shm is full.
    """
    try:
        yield
    except (RuntimeError, OSError) as error:
        full = isinstance(error, OSError) and error.errno == ENOSPC and not error.filename
        if full or "shared memory" in str(error):
            raise DeviceError(
                "/dev/shm is too small for the workers that cut patches; enlarge it (in Docker: "
                "--shm-size=1g), or begin a new run with --set training.workers=0.") from None
        raise


class _Numbers:
    """Patch numbers step by step, without end."""

    def __init__(self, batch_size: int, processes: Processes, iteration: int) -> None:
        self.batch_size, self.processes, self.iteration = batch_size, processes, iteration

    def __iter__(self) -> Iterator[list[int]]:
        iteration = self.iteration
        while True:
            yield self.processes.share(self.batch_size, iteration)
            iteration += 1
