"""The worst cases, to be looked at: reference above, result below, in the three planes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np

from metaunetr import io
from metaunetr.boxes import bounding_box
from metaunetr.organs import BY_NAME
from metaunetr.report.overlay import CONTEXT, MARGIN, PLANES, SMALLEST_FIELD, Scene
from metaunetr_training.data.case import Case
from metaunetr_training.data.labels import read_reference
from metaunetr_training.evaluation.cases import labels_path
from metaunetr_training.evaluation.plots import QUIET, canvas, colour
from metaunetr_training.evaluation.scores import Score, by_case, by_organ

WORST_CASES = 3
PIXELS = 400  # of the longest side of the body or organ
TITLE, LEGEND, FRAME = 44, 38, 4  # pixels; of the legend, for each row
CAPTION = "#f4e9a8"


@dataclass(frozen=True)
class Look:
    """What is worth a picture: one organ of a case, or all that was scored in it."""

    file: str
    key: str
    organs: tuple[str, ...]
    title: str


def choose(scores: Sequence[Score]) -> list[Look]:
    """For each organ its worst case, and the three cases of the lowest mean Dice."""
    looks = []
    for name, mine in by_organ(scores).items():
        score = min(mine, key=lambda s: (s.dice, -s.reference_ml))
        distance = f"HD95 {score.hd95_mm:.1f} mm" if isfinite(score.hd95_mm) else _missing(score)
        looks.append(Look(
            f"{BY_NAME[name].key}.png", score.key, (name,),
            f"{name}, the worst of {len(mine)}: {score.key}, Dice {score.dice:.3f}, "
            f"NSD {score.nsd_2mm:.3f}, {distance}"))
    cases = {key: float(np.mean([s.dice for s in mine])) for key, mine in by_case(scores).items()}
    for rank, key in enumerate(sorted(cases, key=cases.get)[:WORST_CASES], start=1):
        organs = tuple(score.organ for score in by_case(scores)[key])
        looks.append(Look(f"case_{rank}.png", key, organs,
                          f"{key}, {_place(rank)} of {len(cases)} cases: mean Dice "
                          f"{cases[key]:.3f} of {len(organs)} organs"))
    return looks


def draw(folder: Path, scores: Sequence[Score], cases: Mapping[str, Case], output: Path) -> None:
    """Writes the pictures into `folder`; those of an earlier evaluation are removed.

    Args:
        cases: by key. output: folder of the evaluation, with the labels found.

    Raises:
        InputError: a file of a case cannot be read any more.
        OutputError: a picture cannot be written.
    """
    looks = choose(scores)
    for old in {*folder.glob("*.png")} - {folder / look.file for look in looks}:
        with suppress(OSError):
            old.unlink()
    for key in sorted({look.key for look in looks}):  # each CT is read once
        image = io.read_image(cases[key].image)
        reference = read_reference(cases[key], image)
        found = io.read_labels(labels_path(output, key))
        scenes = [Scene.of(image, labels) for labels in (reference, found)]
        for look in looks:
            if look.key == key:
                picture(folder / look.file, scenes, look.organs, look.title)


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
        drawn.figimage(cells, 0, legend, origin="upper")

        def write(text: str, x: float, from_top: float, **how) -> None:
            drawn.text(x / width, 1 - from_top / height, text, va="top", **how)

        write(title, width / 2, 12, ha="center", fontsize=10)
        for row, name in enumerate(("reference", "result")):
            top, left = TITLE + row * len(cells) / 2, 0
            for plane, picture in zip(PLANES, rows[row], strict=True):
                write(f"{name}, {plane}", left + 8, top + 8, color=CAPTION, fontsize=8)
                if plane != "sagittal":
                    write("R", left + 8, top + len(picture) / 2, color=CAPTION, fontsize=8)
                left += picture.shape[1] + 2 * FRAME
        if len(organs) > 1:
            from matplotlib.patches import Patch

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


def _missing(score: Score) -> str:
    return "not found" if score.prediction_ml == 0 else "not in the reference"


def _place(rank: int) -> str:
    return {1: "the worst", 2: "the second worst", 3: "the third worst"}[rank]
