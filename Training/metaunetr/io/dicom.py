"""A series of DICOM CT slices becomes one volume, or a sentence about why it cannot."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from metaunetr.errors import InputError
from metaunetr.guard import check_grid
from metaunetr.image import Grid
from metaunetr.io.checks import check_size
from metaunetr.io.itk import array_of, reason

MAX_OFF_GRID = 0.1  # of the slice distance: how far a slice may lie from its place
MIN_DISTANCE = 0.01  # mm; closer slices are at one position
MAX_TILT = 0.06  # degrees between slice normal and table movement
SHOWN = 8  # series listed in a message

MODALITY, SERIES, DESCRIPTION = "0008|0060", "0020|000e", "0008|103e"
POSITION, ORIENTATION, SPACING = "0020|0032", "0020|0037", "0028|0030"
FRAMES, THICKNESS = "0028|0008", "0018|0050"
NUMBER, IMAGE_TYPE = "0020|0011", "0008|0008"
TAGS = (MODALITY, SERIES, DESCRIPTION, POSITION, ORIENTATION, SPACING, FRAMES, THICKNESS, NUMBER,
        IMAGE_TYPE)
NAMES = {
    POSITION: "Image Position (Patient)", ORIENTATION: "Image Orientation (Patient)",
    SPACING: "Pixel Spacing",
}


@dataclass(frozen=True)
class Slice:
    """What the header of one DICOM file says."""

    path: Path
    size: tuple[int, int]  # (W, H)
    tags: dict[str, str]

    def text(self, tag: str) -> str:
        return self.tags.get(tag, "").strip().strip("\0")

    def numbers(self, tag: str, count: int) -> np.ndarray:
        """The `count` numbers of `tag`.

        Raises:
            InputError: the tag is missing or holds something else.
        """
        try:
            values = np.array([float(value) for value in self.text(tag).split("\\")])
        except ValueError:
            values = np.array([])
        if len(values) != count or not np.isfinite(values).all():
            raise InputError(
                f"{self.path}: {NAMES[tag]} must be {count} numbers, it is {self.text(tag)!r}"
            )
        return values


def is_dicom(path: Path) -> bool:
    """Whether the file at `path` looks like DICOM."""
    with open(path, "rb") as file:
        return file.read(132)[128:] == b"DICM" or path.suffix.lower() in (".dcm", ".ima")


def read_series(path: Path) -> tuple[np.ndarray, Grid, tuple[str, ...]]:
    """The CT series in the folder `path`, or the one that the file `path` belongs to.

    Returns:
        HU (D, H, W), the grid, and the files in the order of k.

    Raises:
        InputError: no series, several, not a CT, or slices that do not form one volume.
    """
    series, broken = scan(path if path.is_dir() else path.parent)
    slices = _choose(path, series, broken)
    _check_unbroken(slices, broken)
    slices, grid = _arrange(path, slices)
    check_size(path, grid.shape, 2, None)
    files = tuple(str(item.path) for item in slices)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(files)
    reader.SetImageIO("GDCMImageIO")
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise InputError(f"{path}: the pixels cannot be read: {reason(error)}") from None
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(f"{path}: voxels must be single numbers, these are colours")
    return array_of(image).reshape(grid.shape), grid, files


def scan(folder: Path) -> tuple[dict[str, list[Slice]], list[Path]]:
    """All images in `folder` by Series Instance UID, and the DICOM files that are none.

    Reads headers only.

    Raises:
        InputError: the folder cannot be read.
    """
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    series, broken = defaultdict(list), []
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {error.strerror}") from None
    for path in paths:
        if not path.is_file() or not is_dicom(path):
            continue
        reader.SetFileName(str(path))
        try:
            reader.ReadImageInformation()
        except RuntimeError:
            broken.append(path)
            continue
        tags = {tag: reader.GetMetaData(tag) for tag in TAGS if reader.HasMetaDataKey(tag)}
        item = Slice(path, tuple(reader.GetSize()[:2]), tags)
        series[item.text(SERIES)].append(item)
    return series, broken


def _choose(path: Path, series: dict[str, list[Slice]], broken: list[Path]) -> list[Slice]:
    if path.is_file():
        mine = [s for s in series.values() if any(item.path == path for item in s)]
        if not mine:
            raise InputError(f"{path}: is not a readable DICOM image")
        candidates = mine
    elif series:
        candidates = list(series.values())
    elif damaged := [item for item in broken if is_ct(item)]:
        raise InputError(
            f"{path}: no slice of the CT can be read ({damaged[0].name} and {len(damaged) - 1} "
            "more); they are truncated, or compressed in an unknown way"
        )
    else:
        raise InputError(
            f"{path}: the folder has no DICOM images; name the folder that holds the slices, "
            "or one file"
        )
    cts = [s for s in candidates if s[0].text(MODALITY) == "CT"]
    if not cts:
        kinds = sorted({s[0].text(MODALITY) or "of unknown modality" for s in candidates})
        raise InputError(f"{path}: a CT is needed, the images are {', '.join(kinds)}, not CT")
    if len(cts) > 1:
        listed = "; ".join(
            f"{s[0].text(DESCRIPTION) or 'no description'}, {len(s)} slices: {s[0].path.name}"
            for s in cts[:SHOWN]
        ) + ("; …" if len(cts) > SHOWN else "")
        raise InputError(
            f"{path}: the folder has {len(cts)} CT series; name a file of the one you mean "
            f"({listed})"
        )
    return cts[0]


def is_ct(path: Path, series: str = "") -> bool:
    """Whether a damaged DICOM file was a CT slice, of the series with this UID if one is given."""
    with open(path, "rb") as file:
        head = file.read(1 << 16)
    modality = b"\x08\0\x60\0CS\2\0CT" in head or b"\x08\0\x60\0\2\0\0\0CT" in head
    return modality and series.encode() in head


def _check_unbroken(slices: list[Slice], broken: list[Path]) -> None:
    """Refuse a series with a damaged slice; reports and plans are no images and no matter."""
    for path in broken:
        if is_ct(path, slices[0].text(SERIES)):
            raise InputError(
                f"{path}: this slice of the series cannot be read; it is truncated, or "
                "compressed in an unknown way"
            )


def _arrange(path: Path, slices: list[Slice]) -> tuple[list[Slice], Grid]:
    """The slices in the order of their positions, and the grid that they form."""
    first = slices[0]
    for item in slices:
        frames = item.text(FRAMES)
        if frames not in ("", "0", "1"):
            raise InputError(
                f"{item.path}: multi-frame DICOM ({frames} frames) is not supported; "
                "convert it to NIfTI or NRRD"
            )
        if item.size != first.size:
            raise InputError(
                f"{path}: all slices must have one size, {first.path.name} has {first.size} "
                f"and {item.path.name} has {item.size}"
            )
    spacing = first.numbers(SPACING, 2)
    axes = first.numbers(ORIENTATION, 6)
    for item in slices:
        for tag, expected in ((SPACING, spacing), (ORIENTATION, axes)):
            if np.abs(item.numbers(tag, len(expected)) - expected).max() > 1e-3:
                raise InputError(
                    f"{path}: all slices must agree in {NAMES[tag]}, {first.path.name} and "
                    f"{item.path.name} differ (is a localizer among them?)"
                )
    normal = np.cross(axes[:3], axes[3:])
    positions = np.array([item.numbers(POSITION, 3) for item in slices])
    order = np.argsort(positions @ normal, kind="stable")
    slices, positions = [slices[n] for n in order], positions[order]
    step = _step(path, slices, positions, normal)
    distance = float(np.linalg.norm(step))
    grid = Grid(
        (len(slices), first.size[1], first.size[0]),
        (float(spacing[1]), float(spacing[0]), distance),
        tuple(float(p) for p in positions[0]),
        np.column_stack([axes[:3], axes[3:], step / distance]),
    )
    check_grid(path, grid)
    return slices, grid


def _step(
    path: Path, slices: list[Slice], positions: np.ndarray, normal: np.ndarray
) -> np.ndarray:
    """The vector (mm, LPS) from each slice to the next, when there is one such vector."""
    if len(slices) == 1:
        thickness = slices[0].text(THICKNESS)
        return normal * (float(thickness) if thickness else 1.0)
    distances = np.diff(positions @ normal)
    twice = int(np.argmin(distances))
    if distances[twice] < MIN_DISTANCE:
        raise InputError(
            f"{path}: every position must occur once, {slices[twice].path.name} and "
            f"{slices[twice + 1].path.name} are at the same; several phases or "
            "reconstructions in one series?"
        )
    usual = float(np.median(distances))
    widest = int(np.argmax(distances))
    if distances[widest] > 1.5 * usual:
        raise InputError(
            f"{path}: slices are missing: {slices[widest].path.name} and "
            f"{slices[widest + 1].path.name} are {distances[widest]:.2f} mm apart instead of "
            f"{usual:.2f}"
        )
    step = (positions[-1] - positions[0]) / (len(slices) - 1)
    tilt = math.degrees(math.acos(min(1.0, float(step @ normal / np.linalg.norm(step)))))
    if tilt > MAX_TILT:
        raise InputError(
            f"{path}: slices must lie at right angles to the table, the gantry is tilted by "
            f"{tilt:.2f}°; resample the volume onto an upright grid first"
        )
    places = positions[0] + np.arange(len(slices))[:, None] * step
    off = np.linalg.norm(positions - places, axis=1)
    if off.max() > MAX_OFF_GRID * usual:
        raise InputError(
            f"{path}: slices must be evenly spaced, their distances vary from "
            f"{distances.min():.2f} to {distances.max():.2f} mm"
        )
    return step
