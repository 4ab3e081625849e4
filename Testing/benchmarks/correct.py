#!/usr/bin/env python3
"""How much context a correction needs: Dice of each organ, segmented again in a region around it.

    python Testing/benchmarks/correct.py FOLDER... [--cases NAME...] [--organs ORGAN...]
        [--contexts NAME...] [--csv FILE.csv]

A FOLDER holds images and labels, see flags.py. Each organ that the whole CT has is segmented again
as the tab Correct of the Slicer module does: in the box of its voxels and 10 mm around it, from a
CT that was cut out so many mm around that box, or whole slices of it. New voxels are not taken
from other organs. The table has the Dice with the reference of the whole CT, and after each
correction its difference from that, with the seconds it took.
"""

import argparse
import csv
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from flags import find_cases, upright

from metaunetr import Segmenter, organs, read_image, read_labels
from metaunetr.boxes import bounding_box
from metaunetr.image import Grid, Image
from metaunetr.metrics import dice

REGION_MM = 10  # MARGIN_MM in MetaUNETRSegmentLib/panel/roi.py
CONTEXTS = {  # mm along (k, j, i)
    "30": (30, 30, 30), "60": (60, 60, 60), "100": (100, 100, 100), "150": (150, 150, 150),
    "200": (200, 200, 200), "slices, 30": (30, np.inf, np.inf),
    "slices, 100": (100, np.inf, np.inf),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--organs", nargs="+", help="only these")
    parser.add_argument("--cases", nargs="+", help="only these, by their names")
    parser.add_argument("--contexts", nargs="+", choices=CONTEXTS, default=list(CONTEXTS))
    parser.add_argument("--csv", type=Path, help="a line per case, organ and context")
    args = parser.parse_args()
    names = args.organs or organs.BY_NAME
    wanted = {organ.number for name in names for organ in organs.select(name)}
    rows = []
    for case in (case for folder in args.folders for case in find_cases(folder)):
        if args.cases and case.name not in args.cases:
            continue
        for row in measure(case, wanted, args.contexts):
            rows.append(row)
            print(*(f"{value:.3f}" if isinstance(value, float) else value
                    for value in row.values()), sep="\t", flush=True)
            if args.csv:  # as it grows
                with open(args.csv, "w", encoding="utf-8", newline="") as file:
                    writer = csv.DictWriter(file, rows[0])
                    writer.writeheader()
                    writer.writerows(rows)
    report(rows, args.contexts)


def report(rows: list[dict], contexts: list[str]) -> None:
    print(f"\n{'organ':34}{'whole':>8}" + "".join(f"{name:>13}" for name in contexts))
    keys = dict.fromkeys((row["case"], row["organ"], row["whole"]) for row in rows)
    for case, organ, whole in keys:
        mine = {row["context"]: row for row in rows
                if (row["case"], row["organ"]) == (case, organ)}
        print(f"{case[:12]:13}{organ:21}{whole:8.3f}" + "".join(
            f"{mine[name]['change']:+7.3f}{mine[name]['seconds']:4.0f} s" for name in contexts))
    print(f"{'worst':42}" + "".join(
        f"{min(row['change'] for row in rows if row['context'] == name):+7.3f}      "
        for name in contexts))


def measure(case, wanted: set[int], contexts: list[str]) -> Iterator[dict]:
    image, reference = (upright(read(path)) for read, path in
                        ((read_image, case.image), (read_labels, case.labels)))
    segmenter, truth, known = Segmenter(), reference.array, {}

    def segment(box: tuple[slice, ...]) -> tuple[np.ndarray, float]:
        key = tuple((part.start, part.stop) for part in box)
        if key not in known:
            began = time.monotonic()
            labels = segmenter.segment(cut(image, box)).labels.array
            known[key] = labels, time.monotonic() - began
        return known[key]

    everything = tuple(slice(0, size) for size in image.array.shape)
    old, _ = segment(everything)
    for organ in (organ for organ in organs.ORGANS if organ.number in wanted):
        box = bounding_box(old == organ.number)
        if organ.number not in case.annotated or box is None or not (truth == organ.number).any():
            continue
        mask, right = old == organ.number, truth == organ.number
        whole = float(dice(mask, right))
        region = widened(box, (REGION_MM,) * 3, image)
        free = (old[region] == 0) | mask[region]
        for name in contexts:
            around = widened(region, CONTEXTS[name], image)
            labels, seconds = segment(around)
            inner = tuple(slice(part.start - first.start, part.stop - first.start)
                          for part, first in zip(region, around, strict=True))
            corrected = mask.copy()
            corrected[region] = (labels[inner] == organ.number) & free
            after = float(dice(corrected, right))
            yield {"case": case.name, "organ": organ.name, "context": name, "whole": whole,
                   "after": after, "change": after - whole, "seconds": seconds}


def widened(box: tuple[slice, ...], mm: tuple[float, ...], image: Image) -> tuple[slice, ...]:
    """The box (k, j, i) and so many mm around it, as far as the image goes."""
    margins = (min(1e6, length / step)
               for length, step in zip(mm, image.grid.spacing[::-1], strict=True))
    return tuple(slice(max(0, part.start - round(n)), min(size, part.stop + round(n)))
                 for part, n, size in zip(box, margins, image.array.shape, strict=True))


def cut(image: Image, box: tuple[slice, ...]) -> Image:
    affine = image.grid.affine.copy()
    affine[:3, 3] = (image.grid.affine @ [*(part.start for part in box[::-1]), 1])[:3]
    array = np.ascontiguousarray(image.array[box])
    return Image(array, Grid.from_affine(array.shape, affine))


if __name__ == "__main__":
    main()
