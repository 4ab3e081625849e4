"""CTs with results of a model, and corrections of them as 3D Slicer saves them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from metaunetr import bundle, io
from metaunetr.bundle import Bundle
from metaunetr.image import Image
from metaunetr.io.nrrd import write_nrrd
from metaunetr.organs import BY_NUMBER
from metaunetr.result import OrganResult, Result
from metaunetr_training.training.run import Run
from tiny_bundle import write_bundle
from tiny_dataset import small_case
from tiny_prepared import tiny_recipe

RECORD = {"model": "tiny", "model_sha256": "ab" * 32}


def tiny_model(folder: Path) -> Bundle:
    """A bundle with random weights that can be trained on: liver, spleen, left kidney at 12 mm."""
    card = Run(folder, tiny_recipe("preprocessing.spacing=[12, 12, 12]"), folder, 0, {}).card()
    return bundle.load(write_bundle(folder, **card))


def write_case(folder: Path, name: str, seed: int = 0, corrected: tuple[int, ...] = (),
               record: dict = RECORD) -> Path:
    """Write a CT and the result of a model in which some organs have been corrected."""
    image, labels = small_case(seed)
    folder.mkdir(parents=True, exist_ok=True)
    io.write_image(folder / f"{name}.nii.gz", image)
    path = folder / f"{name}.seg.nrrd"
    write_result(path, labels, record)
    for number in corrected:
        edit(path, moved=number)
    return path


def write_result(path: Path, labels: Image, record: dict = RECORD) -> None:
    """Write labels as MetaUNETR writes its result."""
    organs = [OrganResult(BY_NUMBER[n], count, count * labels.grid.voxel_volume, 50, 9, 0.9)
              for n, count in enumerate(np.bincount(labels.array.ravel())) if n and count]
    io.write_labels(path, Result(labels, tuple(organs), record))


def edit(path: Path, moved: int | None = None, crop: int = 0, shift_mm: float = 0.0,
         **pairs: str) -> None:
    """Change a .seg.nrrd as 3D Slicer does.

    Args:
        moved: label value of a segment that is moved by a voxel, up to its neighbours; without
            any, the volume stays the same.
        crop: slices that are cut off at the lower end.
        shift_mm: shift of the whole file.
        pairs: values of the header that are replaced.
    """
    labels = io.read_header(path)
    array, grid = labels.read().copy(), labels.grid
    if moved is not None:
        mask = array == moved
        array[mask] = 0
        array[np.roll(mask, -1, axis=1) & (array == 0)] = moved
    x, y, z = grid.origin
    grid = replace(grid, shape=(array.shape[0] - crop, *array.shape[1:]),
                   origin=(x + shift_mm, y, z + crop * grid.spacing[2]))
    write_nrrd(path, Image(array[crop:], grid), labels.pairs | pairs)
