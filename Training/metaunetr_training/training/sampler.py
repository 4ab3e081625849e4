"""A dataset of random patches from prepared cases.

A patch depends only on the seed and its number, so a run that is resumed, or distributed over
several processes, trains on the same patches.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from errno import ENOSPC

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from metaunetr.errors import DeviceError, InputError
from metaunetr_training.data.prepared import BRIGHTEST, UNKNOWN, PreparedCase
from metaunetr_training.recipe import Recipe, Triple
from metaunetr_training.training.distributed import ProcessGroup

CENTRAL = (0.3, 0.7)  # position in the patch, per axis, of the organ's voxel it was chosen for


class PatchDataset(Dataset):
    """Patches by number.

    An item has image float32 (1, D, H, W), labels uint8 (D, H, W) with class numbers or UNKNOWN,
    annotated bool (C,), name and number.

    Raises:
        InputError: no case annotates an organ of the recipe, or all have a weight of 0.
    """

    def __init__(self, cases: list[PreparedCase], recipe: Recipe) -> None:
        numbers = [organ.number for organ in recipe.classes]
        self.cases = [case for case in cases if case.annotated & set(numbers)]
        if not self.cases:
            raise InputError("there is no case to train on that annotates one of "
                             f"{', '.join(recipe.organs)}")
        self.sizes = (recipe.training.patch, *recipe.training.more_patches)
        self.batch_size = recipe.training.batch_size
        self.foreground = recipe.training.foreground
        self.seed = recipe.training.seed
        weights = [recipe.training.dataset_weights.get(case.source.dataset, 1.0)
                   for case in self.cases]
        if not any(weights):
            names = ", ".join(sorted({case.source.dataset for case in self.cases}))
            raise InputError(f"training.dataset_weights are 0 for all data sets: {names}")
        self.shares = np.cumsum(weights)
        self.numbers = numbers
        self.class_of = np.zeros(256, np.uint8)
        self.class_of[numbers] = np.arange(1, len(numbers) + 1)
        self.class_of[UNKNOWN] = UNKNOWN

    def __getitem__(self, number: int) -> dict:
        rng = np.random.default_rng([self.seed, number])
        case = self._case(number)
        size = self._size(number)
        start = self._patch_start(case, size, rng)
        image = crop_patch(case.image(), start, size, edge=True)
        labels = crop_patch(case.labels(), start, size, edge=True)
        annotated = [True] + [n in case.annotated for n in self.numbers]
        return {
            "image": torch.from_numpy(image / np.float32(BRIGHTEST))[None],
            "labels": torch.from_numpy(self.class_of[labels]),
            "annotated": torch.tensor(annotated),
            "name": f"{case.key} at {start}",
            "number": number,
        }

    def _case(self, number: int) -> PreparedCase:
        """The case of a patch, by systematic sampling.

        In every epoch of len(cases) patches, a case of share p occurs len(cases)·p times, rounded
        up or down; with equal weights every case occurs once.
        """
        count = len(self.cases)
        epoch, place = divmod(number, count)
        rng = np.random.default_rng([self.seed, epoch, 1])
        positions = (rng.random() + np.arange(count)) / count
        drawn = np.searchsorted(self.shares, positions * self.shares[-1], side="right")
        return self.cases[rng.permutation(drawn)[place]]

    def _size(self, number: int) -> Triple:
        """(D, H, W) voxels of a patch; the same in all of a batch."""
        rng = np.random.default_rng([self.seed, number // self.batch_size, 3])
        return self.sizes[rng.integers(len(self.sizes))]

    def _patch_start(
        self, case: PreparedCase, size: Triple, rng: np.random.Generator
    ) -> Triple:
        """First voxel (D, H, W) of the patch; negative where the case is smaller than the patch."""
        present = [n for n in self.numbers if n in case.points]
        if present and rng.random() < self.foreground:
            points = case.points[rng.choice(present)]
            inside = rng.uniform(*CENTRAL, 3) * size
            start = points[rng.integers(len(points))] - inside.astype(int)
        else:
            room = np.maximum(np.subtract(case.shape, size), 0)
            start = rng.integers(0, room + 1)
        return tuple(
            int(np.clip(first, 0, n - p)) if n > p else -((p - n) // 2)
            for first, n, p in zip(start, case.shape, size, strict=True)
        )


def crop_patch(array: np.ndarray, start: Triple, size: Triple, edge: bool = False) -> np.ndarray:
    """A box (D, H, W) of `array`, padded with 0 where it extends beyond it.

    Args:
        edge: along D, repeat the first and last slice instead, as the engine does.
    """
    patch = np.zeros(size, array.dtype)
    target, source = [], []
    for first, n, limit in zip(start, size, array.shape, strict=True):
        low, high = max(0, first), min(limit, first + n)
        target.append(slice(low - first, high - first))
        source.append(slice(low, high))
    patch[tuple(target)] = array[tuple(source)]
    if edge:
        patch[: target[0].start] = patch[target[0].start]
        patch[target[0].stop :] = patch[target[0].stop - 1]
    return patch


def batches(
    patches: PatchDataset, recipe: Recipe, group: ProcessGroup, iteration: int
) -> Iterator[dict]:
    """This process's share of the batches, from that of `iteration` on, without end."""
    loader = DataLoader(
        patches,
        batch_sampler=_BatchNumbers(recipe.training.batch_size, group, iteration),
        num_workers=recipe.training.workers,
        pin_memory=group.device.type == "cuda",
        prefetch_factor=4 if recipe.training.workers else None,
    )
    return iter(loader)


@contextmanager
def explain_shared_memory() -> Iterator[None]:
    """Turns PyTorch's errors about a lack of shared memory into one sentence.

    Workers pass patches through shared memory. PyTorch raises from `next`, or at any moment when a
    worker was killed (SIGBUS).

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


class _BatchNumbers:
    """The patch numbers of one batch after another, without end."""

    def __init__(self, batch_size: int, group: ProcessGroup, iteration: int) -> None:
        self.batch_size, self.group, self.iteration = batch_size, group, iteration

    def __iter__(self) -> Iterator[list[int]]:
        iteration = self.iteration
        while True:
            yield self.group.patch_numbers(self.batch_size, iteration)
            iteration += 1
