"""An image or a result becomes a file, complete or not at all."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path

import numpy as np

from metaunetr.errors import OutputError
from metaunetr.image import Image
from metaunetr.io import dicom_seg, formats
from metaunetr.io.atomic import atomic, discard, discard_abandoned, temporary_beside
from metaunetr.io.itk import write_itk
from metaunetr.io.nifti import write_nifti
from metaunetr.io.seg_nrrd import looked_for, write_seg_nrrd
from metaunetr.result import Result

MAX_NAME = 255  # bytes; every common file system


def prepare_output(path: str | PathLike[str], image: Image | None = None) -> Path:
    """Check, before the run, that labels can be written at `path`.

    Args:
        image: the input, if known: a DICOM SEG refers to the slices of its CT.

    Raises:
        OutputError: as `prepare_file`; the suffix is not supported, or what DICOM SEG needs is
            missing.
    """
    path = prepare_file(path, formats.WRITABLE_LABELS)
    if formats.suffix_of(path) in formats.DICOM:
        dicom_seg.check(path, image)
    return path


def prepare_file(path: str | PathLike[str], suffixes: tuple[str, ...] = ()) -> Path:
    """Check, before the run, that a file can be written at `path`.

    Temporary files that killed runs have left beside it are removed.

    Args:
        suffixes: one of which the name must end in, if any are given.

    Raises:
        OutputError: another suffix, the folder is missing or read-only, the name is too long,
            or is that of a folder or device.
    """
    path = Path(path)
    if suffixes:
        _checked_suffix(path, suffixes)
    if len(os.fsencode(path.name)) > MAX_NAME:
        raise OutputError(
            f"{path}: a file name may have {MAX_NAME} bytes, this one has "
            f"{len(os.fsencode(path.name))}"
        )
    if os.path.isdir(path):  # unlike Path.is_dir, False for names that are too long
        raise OutputError(f"{path}: is a folder; name a file in it")
    if os.path.exists(path) and not os.path.isfile(path):  # /dev/null would be replaced
        raise OutputError(f"{path}: is no ordinary file")
    if not os.path.isdir(path.parent):
        raise OutputError(f"{path}: the folder {path.parent} does not exist")
    probe = temporary_beside(path)
    try:
        probe.touch()
        discard_abandoned(path.parent, probe.stat().st_mtime)
    except OSError as error:
        raise OutputError(
            f"{path}: nothing can be written in {path.parent}: {error.strerror or error}"
        ) from None
    finally:
        discard(probe)
    return path


def write_labels(path: str | PathLike[str], result: Result) -> None:
    """Write the label map of `result` in the format that the suffix names.

    .seg.nrrd (segments for 3D Slicer), .nii.gz, .nii, .nrrd, .mha (plain label maps), or .dcm
    (DICOM SEG, when the input was a DICOM series and the extra `dicom` is installed).

    Raises:
        OutputError: the file cannot be written there; nothing is left behind.
    """
    path = Path(path)
    suffix = _checked_suffix(path, formats.WRITABLE_LABELS)
    if suffix in formats.DICOM:
        dicom_seg.write_dicom_seg(path, result)
        return
    with atomic(path) as temporary:
        if suffix in formats.SEGMENTATION:
            write_seg_nrrd(temporary, result)
        else:
            _write(temporary, suffix, result.labels)


def write_image(path: str | PathLike[str], image: Image) -> None:
    """Write the voxels of `image`: .nii.gz, .nii, .nrrd or .mha.

    Raises:
        OutputError: the file cannot be written there; nothing is left behind.
    """
    path = Path(path)
    suffix = _checked_suffix(path, formats.WRITABLE_IMAGES)
    with atomic(path) as temporary:
        _write(temporary, suffix, image)


def _write(path: Path, suffix: str, image: Image) -> None:
    if image.array.dtype in (np.bool_, np.float64, np.float16):
        dtype = np.uint8 if image.array.dtype == np.bool_ else np.float32
        image = Image(image.array.astype(dtype), image.grid)
    if suffix in formats.NIFTI:
        write_nifti(path, image)
    else:
        write_itk(path, image, looked_for(image) if suffix in formats.NRRD else None)


def _checked_suffix(path: Path, allowed: tuple[str, ...]) -> str:
    suffix = formats.suffix_of(path, allowed)
    if not suffix:
        raise OutputError(
            f"{path}: the name must end in one of {', '.join(allowed)}"
        )
    return suffix
