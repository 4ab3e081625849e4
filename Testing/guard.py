"""Right and wrong CTs before the input guard: how many wrong ones pass, how many right ones do not.

    python Testing/guard.py                      phantoms
    python Testing/guard.py FOLDER…              also every NIfTI in folders, eight slices of each

Each is disguised in every way of `standins/disguises.py`. A wrong one may be refused or warned
about; fill must become air with a warning, or be refused; a right one passes without a word about
its HU, but for a warning where it is clipped. Ends with 1 where one does not.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parent / "standins"),
                str(Path(__file__).parents[1] / "Training")]

import disguises  # noqa: E402
from metaunetr.errors import InputError  # noqa: E402
from metaunetr.fill import as_air  # noqa: E402
from metaunetr.guard import inspect_ct  # noqa: E402
from metaunetr.image import Grid, Image  # noqa: E402
from metaunetr.io import read_image  # noqa: E402
from metaunetr.orientation import Orientation  # noqa: E402

SLICES = 8


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path)
    args = parser.parse_args()
    counts, mistakes = Counter(), []
    for name, image in _images(args.folders):
        for kind in ("RIGHT", "FILLED", "WRONG"):
            for disguise, change in getattr(disguises, kind).items():
                if name in ("head", "legs") and "middle" in disguise:
                    continue  # nothing but brain, or bone, is left
                verdict, text = judge(kind, image, disguise, change)
                counts[kind, disguise, verdict] += 1
                if verdict == "mistake":
                    mistakes.append(f"{name}, {disguise}: {text}")
        print(name, file=sys.stderr)
    print(f"{'':40}{'silent':>8}{'warned':>8}{'refused':>8}{'mistake':>8}")
    for kind in ("RIGHT", "FILLED", "WRONG"):
        for disguise in getattr(disguises, kind):
            row = [counts[kind, disguise, verdict]
                   for verdict in ("silent", "warned", "refused", "mistake")]
            print(f"{disguise:40}" + "".join(f"{number:8}" for number in row))
    print(f"{sum(counts.values())} inputs, {len(mistakes)} mistakes", *mistakes, sep="\n")
    return 1 if mistakes else 0


def judge(kind: str, image: Image, disguise: str, change) -> tuple[str, str]:
    """What the guard says to a disguised CT: silent, warned, refused, or mistake; and why."""
    hu = change(image.array)
    factor = 4 if disguise == "every fourth voxel" else 1
    spacing = tuple(s * factor for s in image.grid.spacing[:2]) + image.grid.spacing[2:]
    if disguise == "sagittal":
        spacing = (spacing[1], spacing[2], spacing[0])
    one = Image(hu, Grid(hu.shape, spacing, (0, 0, 0)))
    try:
        told = [text for text in inspect_ct(one) if "HU" in text]
    except InputError as error:
        return "mistake" if kind == "RIGHT" else "refused", str(error)
    text = " ".join(told)
    if kind == "RIGHT":
        wrong = any(not text.startswith("HU are clipped") for text in told)
    elif kind == "FILLED":
        changed = hu != image.array
        taken = (as_air(one).array <= -1000)[changed]
        wrong = changed.any() and (not told or taken.mean() < 0.95)
    else:
        wrong = not told
    return "mistake" if wrong else "warned" if told else "silent", text


def _images(folders: list[Path]):
    yield from disguises.bodies().items()
    for path in sorted({path for folder in folders for path in folder.rglob("*.nii.gz")}):
        if "label" in str(path.parent):
            continue
        image = read_image(path)
        orientation = Orientation.of(image.grid)
        hu, grid = orientation.view(image.array), orientation.canonical(image.grid)
        hu = hu[np.linspace(0, len(hu) - 1, SLICES).round().astype(int)]
        if hu.dtype != np.int16:
            hu = np.rint(hu).astype(np.int16)
        yield path.name, Image(np.ascontiguousarray(hu), replace(grid, shape=hu.shape))


if __name__ == "__main__":
    sys.exit(main())
