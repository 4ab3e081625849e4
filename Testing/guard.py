"""Right and wrong CTs before the input guard: how many wrong ones pass, how many right ones do not.

    python Testing/guard.py                      phantoms
    python Testing/guard.py FOLDER…              also every NIfTI in folders: eight slices of each

Each is disguised in every way of `standins/disguises.py`. A wrong one may be refused or warned
about; fill must become air with a warning, or be refused; a right one passes without a word about
its HU, but for a warning where it is clipped. Ends with 1 where one does not.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parent / "standins"),
                str(Path(__file__).parents[1] / "Training")]

import disguises  # noqa: E402
from metaunetr.image import Grid, Image  # noqa: E402
from metaunetr.io import read_image  # noqa: E402
from metaunetr.orientation import Orientation  # noqa: E402

SLICES, COLUMNS = 8, 300  # what is looked at of a CT, at most


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path)
    args = parser.parse_args()
    counts, mistakes = Counter(), []
    for name, image in _images(args.folders):
        for kind, disguised in disguises.KINDS.items():
            for disguise in disguised:
                if not disguises.fits(name, disguise):
                    continue
                verdict, text = disguises.judge(kind, image, disguise)
                counts[kind, disguise, verdict] += 1
                if verdict == "mistake":
                    mistakes.append(f"{name}, {disguise}: {text}")
        print(name, file=sys.stderr)
    print(f"{'':40}{'silent':>8}{'warned':>8}{'refused':>8}{'mistake':>8}")
    for kind, disguised in disguises.KINDS.items():
        for disguise in disguised:
            row = [counts[kind, disguise, verdict]
                   for verdict in ("silent", "warned", "refused", "mistake")]
            print(f"{disguise:40}" + "".join(f"{number:8}" for number in row))
    print(f"{sum(counts.values())} inputs, {len(mistakes)} mistakes", *mistakes, sep="\n")
    return 1 if mistakes else 0


def _images(folders: list[Path]):
    yield from disguises.bodies().items()
    for path in sorted({path for folder in folders for path in folder.rglob("*.nii.gz")}):
        if "label" in str(path.parent):
            continue
        image = read_image(path)
        orientation = Orientation.of(image.grid)
        hu, grid = orientation.view(image.array), orientation.canonical(image.grid)
        every = -(-hu.shape[2] // COLUMNS)
        hu = hu[np.linspace(0, len(hu) - 1, SLICES).round().astype(int), ::every, ::every]
        if hu.dtype != np.int16:
            hu = np.rint(hu).astype(np.int16)
        spacing = (grid.spacing[0] * every, grid.spacing[1] * every, grid.spacing[2])
        yield path.name, Image(np.ascontiguousarray(hu), Grid(hu.shape, spacing, (0, 0, 0)))


if __name__ == "__main__":
    sys.exit(main())
