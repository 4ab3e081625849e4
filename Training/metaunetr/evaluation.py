"""Compares segmentations with references: two files, or two folders of files.

Label maps hold organ numbers. A reference seldom annotates every organ, so by default only the
organs that occur in it are scored. An organ that is predicted but absent from the reference is
listed with its volume and a note, because it may be right. So is an organ that the prediction did
not look for, where its file says so (NIfTI and NRRD files of MetaUNETR do).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple, dataclass, fields, replace
from math import isfinite, isnan, nan
from os import PathLike
from pathlib import Path

import numpy as np

from metaunetr.errors import InputError
from metaunetr.image import Grid, Image
from metaunetr.io import atomic, formats, read_labels
from metaunetr.io.image_info import describe_grid
from metaunetr.metrics import agreement
from metaunetr.organs import BY_NUMBER, ORGANS, Organ
from metaunetr.orientation import Orientation

SAME_PLACE_MM = 0.101  # a tenth of a millimetre, and what float32 headers lose
TABLE_HEAD = ("organ", "cases", "missed", "Dice", "NSD 2 mm", "HD95 mm", "")


@dataclass(frozen=True)
class OrganScore:
    """One organ of one case; the fields are the columns of the CSV.

    Attributes:
        case: the reference's file name without its suffix.
        organ: empty where the note is about the whole case.
        dice, nsd_2mm: 0 to 1; NaN where nothing was scored.
        hd95_mm: 95 % Hausdorff distance in mm; infinite where only one of the two has the organ.
        prediction_ml, reference_ml: volumes in mL.
        note: why there is no score; empty where there is one.
    """

    case: str
    organ: str
    dice: float = nan
    nsd_2mm: float = nan
    hd95_mm: float = nan
    prediction_ml: float = nan
    reference_ml: float = nan
    note: str = ""


def evaluate(
    prediction: str | PathLike[str],
    reference: str | PathLike[str],
    organs: Sequence[Organ] | None = None,
) -> list[OrganScore]:
    """Score the organs of `prediction` against `reference`.

    Args:
        prediction, reference: two label files, or two folders of them, whose files are matched by
            their names without suffix (`a.seg.nrrd` with `a.nii.gz`). The grid of a reference may
            be a crop of the prediction's, as 3D Slicer crops segmentations.
        organs: the organs to score in every case; None for those that each reference holds.

    Returns:
        Rows by case and organ number; a file without a partner has one row with a note.

    Raises:
        InputError: a file cannot be read, a reference does not lie on the voxels of its
            prediction, or labels are no organ numbers.
    """
    prediction, reference = Path(prediction), Path(reference)
    if prediction.is_dir() != reference.is_dir():
        raise InputError(
            f"prediction and reference must be two files or two folders: {prediction}, {reference}"
        )
    if not prediction.is_dir():
        return score(_case_of(reference), _read(prediction), _read(reference), organs)
    predicted, references = _cases(prediction), _cases(reference)
    if not predicted.keys() & references.keys():
        raise InputError(
            f"the folders must share file names: {prediction} ({len(predicted)} label files) and "
            f"{reference} ({len(references)}) have none in common"
        )
    rows: list[OrganScore] = []
    for case in sorted(predicted.keys() | references.keys()):
        if case not in references:
            rows.append(OrganScore(case, "", note=f"no reference of this name in {reference}"))
        elif case not in predicted:
            rows.append(OrganScore(case, "", note=f"no prediction of this name in {prediction}"))
        else:
            rows += score(case, _read(predicted[case]), _read(references[case]), organs)
    return rows


def score(
    case: str, prediction: Image, reference: Image, organs: Sequence[Organ] | None = None
) -> list[OrganScore]:
    """Score the organs of one label map against another; both hold organ numbers.

    Args:
        organs: those to score; None for those that the reference holds.

    Raises:
        InputError: the reference does not lie on the voxels of the prediction.
    """
    return list(_scored(case, *_aligned_pair(prediction, reference), organs))


def write_csv(path: str | PathLike[str], rows: Sequence[OrganScore]) -> None:
    """Write `rows`, dataclasses of one type, as CSV; NaN is left empty.

    Raises:
        OutputError: the file cannot be written.
    """
    atomic.write_csv(path, (field.name for field in fields(rows[0] if rows else OrganScore)),
                     (map(_cell, astuple(row)) for row in rows))


def as_json(rows: Sequence[OrganScore]) -> str:
    """`rows` as a JSON list of objects; NaN and infinity are null."""
    return json.dumps([
        {name: None if isinstance(value, float) and not isfinite(value) else value
         for name, value in asdict(row).items()}
        for row in rows
    ], indent=1, allow_nan=False)


def format_table(rows: Sequence[OrganScore]) -> str:
    """Means per organ as aligned text, the mean of the organs, and the notes.

    `cases` counts the scored cases, `missed` those of them where only one of the two has the
    organ: they count as 0 in Dice and NSD, and are left out of the mean distance. The last column
    counts the references without the organ.
    """
    scored = [row for row in rows if not isnan(row.dice)]
    lines = [TABLE_HEAD]
    means = []
    for name in (organ.name for organ in ORGANS):
        lacking = _lacking(sum(row.organ == name and row.reference_ml == 0 for row in rows))
        mine = [row for row in scored if row.organ == name]
        if mine:
            near = [row.hd95_mm for row in mine if isfinite(row.hd95_mm)]
            means.append((_mean(r.dice for r in mine), _mean(r.nsd_2mm for r in mine), _mean(near)))
            lines.append((name, len(mine), len(mine) - len(near), *_rounded(*means[-1]), lacking))
        elif lacking:
            lines.append((name, 0, 0, "–", "–", "–", lacking))
    if len(means) > 1:
        distances = [distance for _, _, distance in means if isfinite(distance)]
        overall = _mean(d for d, _, _ in means), _mean(n for _, n, _ in means), _mean(distances)
        lines.append(("mean of organs", "", "", *_rounded(*overall), ""))
    notes = [": ".join(filter(None, (row.case, row.organ, row.note))) for row in rows if row.note]
    return "\n".join([*_aligned(lines), *([""] if notes else []), *notes])


def _scored(
    case: str, predicted: Image, referenced: Image, organs: Sequence[Organ] | None
) -> Iterator[OrganScore]:
    occurring = set(np.unique(referenced.array))
    wanted = {organ.number for organ in organs} if organs is not None else occurring
    extra = set(np.unique(predicted.array)) if organs is None else set()
    # organs that the caller names are scored even so
    unknown = wanted - predicted.organs if organs is None and predicted.organs else set()
    grid = referenced.grid
    for number in sorted((wanted | extra) - {0}):
        masks = predicted.array == number, referenced.array == number
        volumes = [np.count_nonzero(mask) * grid.voxel_volume for mask in masks]
        name = BY_NUMBER[number].name
        if number not in wanted:
            note = "predicted, but not in the reference: not scored"
            yield OrganScore(case, name, prediction_ml=volumes[0], reference_ml=0.0, note=note)
            continue
        if number in unknown and not volumes[0]:
            note = "in the reference, but the prediction did not look for it: not scored"
            yield OrganScore(case, name, prediction_ml=0.0, reference_ml=volumes[1], note=note)
            continue
        found = agreement(*masks, grid.spacing)
        note = "in neither" if isnan(found.dice) else ""
        yield OrganScore(case, name, found.dice, found.surface_dice, found.hd95, *volumes, note)


def _aligned_pair(prediction: Image, reference: Image) -> tuple[Image, Image]:
    """Both label maps on the prediction's grid, in canonical axes, so that flipped or permuted
    arrays match exactly."""
    predicted, referenced = (
        replace(image, array=orientation.view(image.array), grid=orientation.canonical(image.grid))
        for image in (prediction, reference) for orientation in [Orientation.of(image.grid)])
    whole = uncropped(referenced, predicted.grid)
    if whole is None:
        raise InputError(
            "prediction and reference must lie on one grid, or the reference on a crop of it: "
            f"{prediction.source} has {describe_grid(prediction.grid)}; "
            f"{reference.source} has {describe_grid(reference.grid)}; resample the reference onto "
            "the grid of the prediction"
        )
    return predicted, whole


def uncropped(labels: Image, grid: Grid) -> Image | None:
    """A label map with background around it; None when its grid is no crop of `grid` by whole
    voxels."""
    origin = np.linalg.solve(grid.affine, [*labels.grid.origin, 1])[:3]
    first = np.rint(origin).astype(int)  # (i, j, k)
    box = tuple(slice(start, start + n) for start, n in
                zip(first[::-1].tolist(), labels.grid.shape, strict=True))
    if any(span.start < 0 or span.stop > n for span, n in zip(box, grid.shape, strict=True)):
        return None
    corner = (grid.affine @ [*first, 1])[:3]
    crop = Grid(labels.grid.shape, grid.spacing, tuple(corner), grid.direction)
    if not crop.same_as(labels.grid, SAME_PLACE_MM):
        return None
    array = np.zeros(grid.shape, labels.array.dtype)
    array[box] = labels.array
    return replace(labels, array=array, grid=grid)


def _read(path: Path) -> Image:
    labels = read_labels(path)
    unknown = sorted(set(np.unique(labels.array).tolist()) - {0, *BY_NUMBER})
    if unknown:
        raise InputError(
            f"{path}: labels must be organ numbers from 1 to {max(BY_NUMBER)}, "
            f"this file also has {', '.join(map(str, unknown[:10]))}"
        )
    return labels


def _cases(folder: Path) -> dict[str, Path]:
    """The label files of a folder by case name.

    Raises:
        InputError: two files have the same name but for their suffix.
    """
    cases: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if not formats.suffix_of(path, formats.LABELS) or path.name.startswith("."):
            continue
        case = _case_of(path)
        if case in cases:
            raise InputError(
                f"{folder}: every case must have one file, {case} has {cases[case].name} and "
                f"{path.name}"
            )
        cases[case] = path
    return cases


def _case_of(path: Path) -> str:
    return path.name[: len(path.name) - len(formats.suffix_of(path))]


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return "" if isnan(value) else f"{value:.4f}"


def _mean(values) -> float:
    values = list(values)
    return sum(values) / len(values) if values else nan


def _rounded(dice: float, nsd: float, hd95: float) -> tuple[str, str, str]:
    return f"{dice:.3f}", f"{nsd:.3f}", "–" if isnan(hd95) else f"{hd95:.1f}"


def _lacking(references: int) -> str:
    if references == 0:
        return ""
    return "not in the reference" if references == 1 else f"not in {references} references"


def _aligned(lines: list[tuple]) -> list[str]:
    """Lines of a name, numbers, and words."""
    widths = [max(len(str(line[n])) for line in lines) for n in range(len(TABLE_HEAD) - 1)]
    return [
        "  ".join(
            [str(line[0]).ljust(widths[0])]
            + [str(cell).rjust(width) for cell, width in zip(line[1:-1], widths[1:], strict=True)]
            + [line[-1]]
        ).rstrip()
        for line in lines
    ]
