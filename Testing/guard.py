"""Right and wrong CTs before the input guard: how many wrong ones pass, how many right ones do not.

    python Testing/guard.py                      phantoms
    python Testing/guard.py FOLDER…              also every NIfTI in folders: eight slices of each
    python Testing/guard.py FOLDER… --held-out   each source with limits chosen on all others

Each is disguised in every way of `standins/disguises.py`. A wrong one may be refused or warned
about; fill must become air with a warning, or be refused; a right one passes without a word about
its HU, but for a warning where it is clipped. Ends with 1 where one does not.

With --held-out, the limits of `Measures` are chosen anew for each source of images (the letters
that its names begin with): as far from the most extreme right disguise of the other sources as
today's limits are from the most extreme one of all.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from operator import attrgetter
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parent / "standins"),
                str(Path(__file__).parents[1] / "Training")]

import disguises  # noqa: E402
from metaunetr import guard  # noqa: E402
from metaunetr.image import Grid, Image  # noqa: E402
from metaunetr.io import read_image  # noqa: E402
from metaunetr.orientation import Orientation  # noqa: E402

SLICES, COLUMNS = 8, 300  # what is looked at of a CT, at most
LIMITS = {  # of `metaunetr.guard`: the attribute of `Measures`, and which of its extremes it limits
    "MIN_TISSUE": ("tissue", min), "MIN_DARK": ("dark", min), "MAX_DENSE": ("dense", max),
    "MIN_DARKEST": ("darkest", min), "MAX_DARKEST": ("darkest", max),
    "MIN_MIDDLE": ("middle", min), "MAX_LEAN": ("lean", max), "MIN_FATTY": ("fatty", min),
    "MIN_SOFT": ("soft", min), "MIN_SHARE": ("share", min), "MAX_DEEP": ("deep", max),
}
SAME_SOURCE = {"ircad": "lits", "head": "abdomen", "legs": "abdomen"}  # LiTS holds 3D-IRCADb


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--held-out", action="store_true", help="choose limits on other sources")
    args = parser.parse_args()
    images = list(_images(args.folders))
    limits = _held_out_limits(images) if args.held_out else {}
    counts, mistakes = Counter(), []
    for name, image in images:
        for limit, value in limits.get(_source(name), {}).items():
            setattr(guard, limit, value)
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


def _held_out_limits(images: list[tuple[str, Image]]) -> dict[str, dict[str, float]]:
    """Limits for each source, by their names in `metaunetr.guard`."""
    found: dict[str, list[guard.Measures]] = {}
    measure = guard.Measures.of
    for name, image in images:
        mine = found.setdefault(_source(name), [])
        for disguise in disguises.RIGHT:
            if disguises.fits(name, disguise):
                seen = []
                guard.Measures.of = lambda *args, seen=seen: seen.append(measure(*args)) or seen[-1]
                disguises.judge("RIGHT", image, disguise)
                mine += seen[:1]
    guard.Measures.of = measure
    limits = {}
    for source in found:
        limits[source] = {}
        for limit, (attribute, extreme) in LIMITS.items():
            everything, others = (
                extreme(value for name, mine in found.items() if name not in left_out
                        for value in map(attrgetter(attribute), mine) if value is not None)
                for left_out in ((), (source,)))
            limits[source][limit] = getattr(guard, limit) + others - everything
            if others != everything:
                print(f"{source}: {limit} {limits[source][limit]:.3g}")
    return limits


def _source(name: str) -> str:
    letters = re.match("[a-z]*", name)[0]
    return SAME_SOURCE.get(letters, letters)


def _images(folders: list[Path]):
    yield from disguises.bodies().items()
    for path in sorted({path for folder in folders for path in folder.rglob("*.nii.gz")}):
        if path.parent.name.startswith("label"):
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
