"""Reading a series of DICOM CT slices as one volume."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np

from metaunetr.errors import InputError
from metaunetr.image import Image
from metaunetr.io.dicom import missing_slices
from metaunetr.io.dicom.arrange import arrange, tilt
from metaunetr.io.dicom.element_checks import check_elements, inspect_units
from metaunetr.io.dicom.folder_scan import LOCALIZER, Volumes, scan_folder, split
from metaunetr.io.dicom.header import Slice, is_ct, read_header
from metaunetr.io.dicom.multiframe import frames_of
from metaunetr.io.dicom.pixels import AIR, Pixels
from metaunetr.io.file_checks import check_size

SHOWN = 8  # series listed in a message


def read_series(path: Path, files: Collection[Path] = ()) -> Image:
    """Read the CT series in the folder `path`, or the one that the file `path` belongs to.

    If a series has several volumes (acquisitions, phases), it is the one that the file belongs to.

    Args:
        files: the files to read, if they are known from an earlier `scan_folder`; otherwise all
            files in the folder.

    Returns:
        HU (D, H, W), int16 if all are integers and fit, else float32; `dicom_files` in the order of
        k. Gantry-tilted slices are resampled to an upright grid.

    Raises:
        InputError: there is no series, or several; it is not a CT; or its slices do not form one
            volume.
        OutputError: the temporary folder has no room for decoding compressed pixels.
    """
    series, broken, *_ = scan_folder(path if path.is_dir() else path.parent, files=files)
    slices = _choose(path, series, broken)
    whole = [item for (uid, _), part in series.items() if uid == slices[0].series
             for item in part]
    warnings = missing_slices.unreadable_files(slices, broken)
    slices = _frames(path, slices)
    warnings += inspect_units(slices)
    check_size(path, (len(slices), *slices[0].size[::-1]), 2, None)
    for (file, size), frames in Counter((item.path, item.size) for item in slices).items():
        check_size(file, (frames, *size[::-1]), 2, file)
    pixels = Pixels()
    kept, grid, shear = arrange(path, slices, pixels.same)
    if copies := len(slices) - len(kept):
        warnings.append(
            f"{copies} of {len(slices)} DICOM slices are copies of others and were left out."
        )
    warnings += missing_slices.missing_numbers(kept, whole)
    if shear:
        check_size(path, grid.shape, 2, None)
        warnings.append(_about_tilt(kept))
    array = pixels.volume(kept)
    if shear:
        array = shear.upright(array, AIR)
    files = tuple(dict.fromkeys(str(item.path) for item in kept))
    return Image(array, grid, path, files, tuple(warnings), shear)


def read_slice(path: Path) -> np.ndarray:
    """HU (H, W) of a DICOM file; of a multi-frame file, of the frame in the middle.

    Raises:
        InputError: the file is damaged or no image.
        OutputError: the temporary folder has no room for decoding compressed pixels.
    """
    item = read_header(path)
    if item is None:
        raise InputError(f"{path}: is not a readable DICOM image")
    frames = _frames(path, [item])
    check_size(path, (len(frames), *item.size[::-1]), 2, path)
    return Pixels().plane(frames[len(frames) // 2])


def _about_tilt(slices: list[Slice]) -> str:
    first, last = slices[0].position, slices[-1].position
    degrees = tilt(slices[0].axes, last - first)
    return (f"The gantry is tilted by {degrees:.1f}°: the slices were resampled to an upright "
            "grid, on which the labels lie; DICOM SEG and RTSTRUCT have them on the original "
            "slices.")


def missing_ends(files: Iterable[Path]) -> list[str]:
    """Warnings about slices that may be missing at the ends of a series, from headers alone.

    Args:
        files: the files of the series, which another program has read.
    """
    files = set(files)
    warnings, whole, broken = [], [], []
    for folder in sorted({path.parent for path in files}):
        with suppress(InputError):
            series, damaged, *_ = scan_folder(folder)
            whole += [item for part in series.values() for item in part]
            broken += damaged
    slices = [item for item in whole if item.path in files]
    if not slices:
        return []
    uid = slices[0].series
    try:
        warnings += missing_slices.unreadable_files(slices, broken)
        axes = slices[0].axes
        normal = np.cross(axes[:3], axes[3:])
        slices.sort(key=lambda item: item.position @ normal)
    except InputError as error:
        return [*warnings, str(error)]
    whole = [item for item in whole if item.series == uid]
    return warnings + missing_slices.missing_numbers(slices, whole)


def _choose(path: Path, series: Volumes, broken: list[Path]) -> list[Slice]:
    if path.is_file():
        candidates = {
            key: s for key, s in series.items() if any(item.path == path for item in s)}
        if not candidates:
            raise InputError(f"{path}: is not a readable DICOM image")
    elif series:
        candidates = series
    elif damaged := [item for item in broken if _was_ct(item)]:
        raise InputError(
            f"{path}: no slice of the CT can be read ({damaged[0].name} and {len(damaged) - 1} "
            f"more); they are {missing_slices.DAMAGE}"
        )
    else:
        raise InputError(
            f"{path}: the folder has no DICOM images; name the folder that holds the slices, "
            "or one file; a folder of NIfTI files is for `metaunetr batch`"
        )
    cts = {key: s for key, s in candidates.items() if s[0].text("Modality") == "CT"}
    if not cts:
        kinds = sorted({s[0].text("Modality") or "of unknown modality"
                        for s in candidates.values()})
        raise InputError(f"{path}: a CT is needed, the images are {', '.join(kinds)}, not CT")
    volumes = {key: s for key, s in cts.items() if key[1] != LOCALIZER}
    if not volumes:
        raise InputError(f"{path}: a CT is needed, this is only its localizer (scout view)")
    # Images without a position are screenshots.
    volumes = {key: s for key, s in volumes.items() if _has_position(s)} or volumes
    if len(volumes) > 1:
        listed = "; ".join(
            f"{s[0].text('SeriesDescription') or 'no description'}{part and ', ' + part}, "
            f"{len(s)} slices: "
            f"{s[0].path.name}"
            for (_, part), s in list(volumes.items())[:SHOWN]
        ) + ("; …" if len(volumes) > SHOWN else "")
        one = len({uid for uid, _ in volumes}) == 1
        what = "volumes in one series" if one else "CT series"
        raise InputError(
            f"{path}: the folder has {len(volumes)} {what}; name a file of the one you mean "
            f"({listed})"
        )
    return next(iter(volumes.values()))


def _was_ct(path: Path) -> bool:
    with suppress(OSError):
        return is_ct(path)
    return False


def _has_position(slices: list[Slice]) -> bool:
    return any(item.is_multiframe or item.text("ImagePositionPatient") for item in slices)


def _frames(path: Path, slices: list[Slice]) -> list[Slice]:
    """Replace multi-frame files by their frames, and check the elements of all slices."""
    for item in slices:
        check_elements(item)
    if not any(item.is_multiframe for item in slices):
        return slices
    slices = [part for item in slices for part in frames_of(item)]
    for item in slices:
        check_elements(item)
    parts = split(slices)
    if len(parts) > 1:
        listed = "; ".join(f"{name}, {len(part)} frames" for name, part in parts.items())
        raise InputError(
            f"{path}: the frames are {len(parts)} volumes at the same places ({listed}); save the "
            "one you mean as a series of its own"
        )
    return slices
