#!/usr/bin/env python3
"""How many wrong organs are flagged, and how many right ones, on labelled CTs.

    python Testing/benchmarks/flags.py FOLDER... [--cases NAME...] [--plain] [--csv FILE.csv]

A FOLDER holds imagesTr and labelsTr with a dataset.json whose `labels` names the organs that are
annotated, or images and labels, in which every organ of the model counts as annotated that occurs
in some label map; label maps hold organ numbers. An organ is wrong where its Dice is below 0.7,
and flagged where its result has a doubt (cut off at the border is none). Besides the CTs as they
are, each is segmented in two of seven ways in which a model fails: part of the scan, noise, blur,
other contrast, and a network with disturbed weights. Name with --cases those that the model was not
trained on: on others it is less often wrong.
"""

import argparse
import csv
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from metaunetr import Segmenter, read_image, read_labels
from metaunetr.errors import MetaUNETRError
from metaunetr.image import Grid, Image
from metaunetr.metrics import dice
from metaunetr.organs import BY_NAME, BY_NUMBER
from metaunetr.orientation import Orientation

WRONG = 0.7  # Dice
SMALLEST = 1.0  # mL of the reference: below, one voxel decides the Dice
DISTURBED = {"disturbed weights": 0.09, "more disturbed weights": 0.12}  # share of their SD
VARIANTS = ("upper half", "lower half", "noise of 80 HU", "blur of 6 mm", "little contrast",
            *DISTURBED)


@dataclass
class Case:
    name: str
    image: Path
    labels: Path
    annotated: frozenset[int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--plain", action="store_true", help="only the CTs as they are")
    parser.add_argument("--cases", nargs="+", help="only these, by file name without suffix")
    parser.add_argument("--csv", type=Path, help="a line per case, variant and organ")
    args = parser.parse_args()
    cases = [case for folder in args.folders for case in find_cases(folder)
             if args.cases is None or case.name in args.cases]
    if not cases:
        parser.error("no labelled CTs in these folders")
    rows = []
    for case in cases:
        rows += measure(case, args.plain)
        if args.csv and rows:  # as it grows
            with open(args.csv, "w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, rows[0])
                writer.writeheader()
                writer.writerows(rows)
    report("as they are", [r for r in rows if r["variant"] == "as it is"])
    report("degraded", [r for r in rows if r["variant"] != "as it is"])
    report("together", rows)


def report(title: str, rows: list[dict]) -> None:
    counts = Counter((row["dice"] < WRONG, bool(row["doubts"])) for row in rows)
    for wrong, name in ((True, "wrong"), (False, "right")):
        total = counts[wrong, True] + counts[wrong, False]
        if total:
            share = counts[wrong, True] / total
            print(f"{title}: {counts[wrong, True]} of {total} {name} organs flagged ({share:.0%})")


def find_cases(folder: Path) -> Iterator[Case]:
    trained = (folder / "imagesTr").is_dir()
    images, labels = (folder / (name + "Tr" * trained) for name in ("images", "labels"))
    pairs = [(path, labels / path.name) for path in sorted(images.glob("*.nii*"))
             if (labels / path.name).is_file()]
    if trained:
        named = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))["labels"]
        annotated = frozenset(int(number) for number, name in named.items()
                              if name in BY_NAME and BY_NAME[name].number == int(number))
    else:
        annotated = frozenset().union(*(set(np.unique(read_labels(path).array).tolist())
                                        for _, path in pairs)) & BY_NUMBER.keys()
    for image, reference in pairs:
        yield Case(image.name.removesuffix(".gz").removesuffix(".nii"), image, reference, annotated)


def measure(case: Case, plain: bool) -> Iterator[dict]:
    image, reference = (upright(read(path)) for read, path in
                        ((read_image, case.image), (read_labels, case.labels)))
    for variant, seen, truth in variants(image, reference, case.name, plain):
        try:
            result = engine(variant).segment(seen)
        except MetaUNETRError as error:
            print(f"{case.name}, {variant}: {error}", flush=True)
            continue
        for found in result.organs:
            mask = truth == found.organ.number
            volume = mask.sum() * seen.grid.voxel_volume
            if found.organ.number not in case.annotated or not (found.voxels or mask.any()):
                continue
            if 0 < volume < SMALLEST:
                continue
            yield {"case": case.name, "variant": variant,
                   "organ": found.organ.name,
                   "dice": round(float(dice(result.labels.array == found.organ.number, mask)), 3),
                   "ml": round(found.volume_ml, 1), "reference_ml": round(float(volume), 1),
                   "confidence": round(found.confidence, 3), "doubts": "; ".join(found.doubts),
                   "flags": "; ".join(found.flags)}
        print(case.name, variant, flush=True)


def upright(image: Image) -> Image:
    """In canonical axes, so that crops mean the same in all; at most 400 voxels across."""
    orientation = Orientation.of(image.grid)
    array, grid = orientation.view(image.array), orientation.canonical(image.grid)
    every = max(1, round(array.shape[2] / 256))
    affine = grid.affine.copy()
    affine[:3, :2] *= every
    array = np.ascontiguousarray(array[:, ::every, ::every])
    return Image(array, Grid.from_affine(array.shape, affine))


def variants(
    image: Image, reference: Image, name: str, plain: bool
) -> Iterator[tuple[str, Image, np.ndarray]]:
    """Name, image, and reference labels on its grid."""
    yield "as it is", image, reference.array
    seed = zlib.crc32(name.encode())
    for n in () if plain else (seed, seed + 3):
        yield degraded(VARIANTS[n % len(VARIANTS)], image, reference.array, seed)


def degraded(
    variant: str, image: Image, truth: np.ndarray, seed: int
) -> tuple[str, Image, np.ndarray]:
    hu, slices = image.array, image.array.shape[0]
    if variant in ("upper half", "lower half"):
        first = slices // 2 if variant == "upper half" else 0
        part = slice(first, None if first else slices * 55 // 100)
        affine = image.grid.affine.copy()
        affine[:3, 3] = (image.grid.affine @ [0, 0, first, 1])[:3]
        cropped = np.ascontiguousarray(hu[part])
        return variant, Image(cropped, Grid.from_affine(cropped.shape, affine)), truth[part]
    if variant == "noise of 80 HU":
        hu = hu + np.random.default_rng(seed).normal(0, 80, hu.shape)
    elif variant == "blur of 6 mm":
        hu = gaussian_filter(hu.astype(np.float32), [6 / s for s in image.grid.spacing[::-1]])
    elif variant == "little contrast":
        hu = np.where((hu > 40) & (hu < 400), 40 + (hu - 40) * 0.35, hu)
    return variant, Image(np.round(hu).astype(np.int16), image.grid), truth


ENGINES: dict[str, Segmenter] = {}


def engine(variant: str) -> Segmenter:
    name = variant if variant in DISTURBED else ""
    if name not in ENGINES:
        made = Segmenter()
        generator = torch.Generator().manual_seed(2)
        with torch.no_grad():
            for weight in made.network.parameters() if name else ():
                if weight.ndim > 1:
                    noise = torch.randn(weight.shape, generator=generator)
                    weight.add_(noise * weight.std() * DISTURBED[name])
        ENGINES[name] = made
    return ENGINES[name]


if __name__ == "__main__":
    main()
