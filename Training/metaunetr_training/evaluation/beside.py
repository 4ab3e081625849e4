"""Reference above, result below, in the three planes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from metaunetr.boxes import bounding_box
from metaunetr.organs import BY_NAME
from metaunetr.report.overlay import CONTEXT, MARGIN, PLANES, SMALLEST_FIELD, Scene
from metaunetr_training.evaluation.canvas import QUIET, canvas, colour

PIXELS = 400  # of the longest side of the body or organ
TITLE, LEGEND, FRAME = 44, 38, 4  # pixels; of the legend, for each row
CAPTION = "#f4e9a8"


def picture(path: Path, scenes: Sequence[Scene], organs: Sequence[str], title: str) -> None:
    """One picture of a CT: in each plane the slice where most is wrong, or where nothing is, the
    one that shows most.

    Args:
        scenes: with the reference, and with the result.
    """
    numbers = [BY_NAME[name].number for name in organs]
    reference, found = (_only(scene.labels, numbers) for scene in scenes)
    either, wrong = (reference | found) > 0, reference != found
    slices = [_fullest(wrong if wrong.any() else either, axis) for axis in range(3)]
    centre, field = _view(either, np.array(scenes[0].spacing), single=len(organs) == 1)
    rows = [_to_one_scale([
        scene.picture(plane, index, numbers, centre, tuple(np.delete(field, axis)),
                      round(PIXELS * np.delete(field, axis).max() / field.max()))
        for axis, (plane, index) in enumerate(zip(PLANES, slices, strict=True))
    ]) for scene in scenes]
    _compose(path, rows, organs, title)


def _to_one_scale(pictures: list[np.ndarray]) -> list[np.ndarray]:
    """Pictures (H, W, 3) of one scale, made equally high with black."""
    height = max(map(len, pictures))
    margins = [divmod(height - len(picture), 2) for picture in pictures]
    return [np.pad(picture, ((half, half + odd), (0, 0), (0, 0)))
            for picture, (half, odd) in zip(pictures, margins, strict=True)]


def _compose(
    path: Path, rows: list[list[np.ndarray]], organs: Sequence[str], title: str
) -> None:
    """Rows and columns of RGB pictures with captions, and a legend for several organs.

    Pixel by pixel: a layout that resamples the pictures takes ten times as long.
    """
    legend = LEGEND * -(-len(organs) // 5) if len(organs) > 1 else 0
    cells = np.concatenate([np.concatenate([_framed(p) for p in row], axis=1) for row in rows])
    height, width = len(cells) + TITLE + legend, cells.shape[1]
    with canvas(path, width, height) as drawn:
        from matplotlib.patches import Patch
        from matplotlib.patheffects import withStroke

        outlined = {"color": CAPTION, "fontsize": 8,
                    "path_effects": [withStroke(linewidth=2.5, foreground="black")]}
        drawn.figimage(cells, 0, legend, origin="upper")

        def write(text: str, x: float, from_top: float, **how) -> None:
            drawn.text(x / width, 1 - from_top / height, text, va="top", **how)

        write(title, width / 2, 12, ha="center", fontsize=10)
        for row, name in enumerate(("reference", "result")):
            top, left = TITLE + row * len(cells) / 2, 0
            for plane, picture in zip(PLANES, rows[row], strict=True):
                write(f"{name}, {plane}", left + 8, top + 8, **outlined)
                if plane != "sagittal":
                    write("R", left + 8, top + len(picture) / 2, **outlined)
                left += picture.shape[1] + 2 * FRAME
        if len(organs) > 1:
            patches = [Patch(facecolor=colour(name), edgecolor=QUIET, label=name)
                       for name in organs]
            drawn.legend(handles=patches, loc="lower center", ncols=5, fontsize=8, frameon=False)


def _framed(picture: np.ndarray) -> np.ndarray:
    return np.pad(picture, ((FRAME, FRAME), (FRAME, FRAME), (0, 0)), constant_values=255)


def _only(labels: np.ndarray, numbers: Sequence[int]) -> np.ndarray:
    """Labels without the other organs."""
    keep = np.zeros(256, np.uint8)
    keep[numbers] = numbers
    return keep[labels]


def _fullest(mask: np.ndarray, axis: int) -> int:
    counts = np.count_nonzero(mask, axis=tuple(n for n in range(3) if n != axis))
    return int(counts.argmax())


def _view(
    mask: np.ndarray, spacing: np.ndarray, single: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Centre (voxels) and field of view (mm) along (D, H, W) of the pictures."""
    box = bounding_box(mask)
    if box is None:
        return np.array(mask.shape) / 2, np.array(mask.shape) * spacing
    low, high = (np.array([getattr(part, end) for part in box]) for end in ("start", "stop"))
    extent = (high - low) * spacing
    if single:
        extent = np.full(3, max(SMALLEST_FIELD, MARGIN * extent.max()))
    else:
        extent = np.minimum(extent + CONTEXT, np.array(mask.shape) * spacing)
    return (low + high) / 2, extent
