"""A prepared folder of small bodies with two or three bright balls as organs; made in a moment."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from metaunetr_training import recipe as recipes
from metaunetr_training.data.case import Case
from metaunetr_training.data.prepared import (
    BRIGHTEST,
    Prepared,
    PreparedCase,
    write_folds,
    write_preprocessing,
)
from metaunetr_training.recipe import Recipe

# organ number: centre (d, h, w) in shares of the size, radius in shares, brightness
BALLS = {6: ((0.5, 0.45, 0.3), 0.22, 0.65), 1: ((0.6, 0.6, 0.75), 0.13, 0.75),
         3: ((0.3, 0.65, 0.65), 0.1, 0.9)}
CHANGES = (
    "name=tiny", "organs=[liver, spleen, left kidney]", "preprocessing.spacing=[6, 6, 6]",
    "network.feature_size=4", "training.patch=[32, 32, 32]", "training.iterations=4",
    "training.workers=0", "training.validate_every=100", "training.checkpoint_every=1",
    "training.validation_cases=1", "training.precision=float32", "training.ema=0.9",
    "inference.smallest_window=[32, 32, 32]", "inference.largest_window=[32, 48, 48]",
)


def tiny_recipe(*changes: str) -> Recipe:
    """The fast recipe, made small enough for a step in a few hundredths of a second."""
    return recipes.load("fast", (*CHANGES, *changes))


def write_prepared(
    folder: Path, cases: int = 4, organs: tuple[int, ...] = (6, 1, 3),
    shape: tuple[int, int, int] = (32, 40, 44), folds: int = 2, dataset: str = "tiny",
) -> Prepared:
    """Write `cases` cases that annotate `organs`; unannotated balls are there, but unlabelled."""
    preprocessing = tiny_recipe().preprocessing
    of = {f"{dataset}/{n:03d}": n % folds for n in range(cases)}
    for number, key in enumerate(of):
        _write_case(folder, key, np.random.default_rng(number), organs, shape)
    write_preprocessing(folder, preprocessing)
    write_folds(folder, of)
    return Prepared.read(folder)


def _write_case(folder: Path, key: str, rng, organs, shape) -> None:
    dataset, name = key.split("/")
    place = folder / "cases" / dataset / name
    place.mkdir(parents=True, exist_ok=True)
    d, h, w = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    image = np.where(np.hypot(h - 0.5, w - 0.5) < 0.48, 0.4, 0.0)
    labels = np.zeros(shape, np.uint8)
    for organ, (centre, radius, brightness) in BALLS.items():
        a, b, c = np.array(centre) + rng.uniform(-0.04, 0.04, 3)
        ball = (d - a) ** 2 + (h - b) ** 2 + (w - c) ** 2 < radius**2
        image[ball] = brightness
        if organ in organs:
            labels[ball] = organ
    image = np.rint(np.clip(image + rng.normal(0, 0.03, shape), 0, 1) * BRIGHTEST).astype(np.uint8)
    points = [np.insert(rng.permutation(np.argwhere(labels == n))[:50], 0, n, axis=1)
              for n in organs]
    np.save(place / "image.npy", image)
    np.save(place / "labels.npy", labels)
    np.save(place / "points.npy", np.concatenate(points).astype(np.int16))
    source = Case(dataset, name, Path(f"{name}.nii.gz"), Path(f"{name}_labels.nii.gz"),
                  {n: (n,) for n in organs})
    case = PreparedCase(place, source, shape, dict.fromkeys(organs, 1.0), (6.0, 6.0, 6.0), (), "",
                        key)
    (place / "case.json").write_text(json.dumps(case.to_json()))
