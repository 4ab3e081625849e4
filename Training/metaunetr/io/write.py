"""Writing an image or a result to a file, complete or not at all."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path

import numpy as np

from metaunetr.errors import OutputError
from metaunetr.image import Image
from metaunetr.io import formats
from metaunetr.io.atomic import atomic, discard, discard_abandoned, temporary_beside
from metaunetr.io.formats import Format
from metaunetr.outputs import longest_name
from metaunetr.result import Result


def prepare_output(path: str | PathLike[str]) -> Path:
    """Check, before the run, that labels can be written at `path`.

    Raises:
        OutputError: as `prepare_file`; the suffix is not supported, or a package that the format
            needs is missing.
    """
    path = prepare_file(path, formats.WRITABLE_LABELS)
    check_labels(path, None)
    return path


def check_labels(path: str | PathLike[str], image: Image | None) -> tuple[str, ...]:
    """Check, before the run, that labels of `image` can be written in the format of `path`.

    Args:
        image: the input, whose headers DICOM SEG and RTSTRUCT refer to; None when it is not yet
            known.

    Returns:
        Sentences about values that will be missing in the file.

    Raises:
        OutputError: a package is missing, or the headers of `image` do not allow the format.
    """
    path = Path(path)
    kind = _format(path, formats.WRITABLE_LABELS)
    return formats.load(kind.check)(path, image) if kind.check else ()


def can_hold(path: Path, result: Result) -> bool:
    """Whether the format of `path` can hold `result`: a DICOM object needs an organ."""
    needs_organ = path.name.lower().endswith(formats.DICOM)
    return not needs_organ or any(item.voxels for item in result.organs)


def prepare_file(path: str | PathLike[str], suffixes: tuple[str, ...] = ()) -> Path:
    """Check, before the run, that a file can be written at `path`.

    Temporary files that killed processes have left in its folder are removed.

    Args:
        suffixes: one of which the name must end in, if any are given.

    Raises:
        OutputError: another suffix; the folder is missing or read-only; the name is too long; or
            `path` is a folder or device.
    """
    path = Path(path)
    if suffixes:
        _check_suffix(path, suffixes)
    if (count := len(os.fsencode(path.name))) > (most := longest_name(path.parent)):
        raise OutputError(f"{path}: a file name may have {most} bytes, this one has {count}")
    if os.path.isdir(path):  # unlike Path.is_dir, False for names that are too long
        raise OutputError(f"{path}: is a folder; name a file in it")
    if os.path.exists(path) and not os.path.isfile(path):  # /dev/null would be replaced
        raise OutputError(f"{path}: is no ordinary file")
    if not os.path.isdir(path.parent):
        raise OutputError(f"{path}: the folder {path.parent} does not exist; make it first")
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


def write_labels(
    path: str | PathLike[str], result: Result, seg_type: str = "binary"
) -> None:
    """Write the label map of `result` in the format that the suffix names.

    .seg.nrrd (segments for 3D Slicer), .nii.gz, .nii, .nrrd, .mha (plain label maps); and when the
    input was a DICOM series and the extra `dicom` is installed, .dcm (DICOM SEG) or .rtstruct.dcm
    (RTSTRUCT).

    Args:
        seg_type: of DICOM SEG, "binary" or "labelmap"; see `write_dicom_seg`.

    Raises:
        OutputError: the file cannot be written there; nothing is left behind.
    """
    path = Path(path)
    kind = _format(path, formats.WRITABLE_LABELS)
    with atomic(path) as temporary:
        if not kind.write_result:
            _write(temporary, kind, result.labels)
        elif kind.write == formats.DICOM:
            formats.load(kind.write_result)(temporary, result, seg_type)
        else:
            formats.load(kind.write_result)(temporary, result)


def write_image(path: str | PathLike[str], image: Image) -> None:
    """Write the voxels of `image`: .nii.gz, .nii, .nrrd or .mha.

    Raises:
        OutputError: the file cannot be written there; nothing is left behind.
    """
    path = Path(path)
    kind = _format(path, formats.WRITABLE_IMAGES)
    with atomic(path) as temporary:
        _write(temporary, kind, image)


def _write(path: Path, kind: Format, image: Image) -> None:
    if image.array.dtype in (np.bool_, np.float64, np.float16):
        dtype = np.uint8 if image.array.dtype == np.bool_ else np.float32
        image = Image(image.array.astype(dtype), image.grid)
    formats.load(kind.write_image)(path, image)


def _format(path: Path, allowed: tuple[str, ...]) -> Format:
    _check_suffix(path, allowed)
    return formats.writable(path, allowed)


def _check_suffix(path: Path, allowed: tuple[str, ...]) -> None:
    if not formats.suffix_of(path, allowed):
        raise OutputError(f"{path}: the name must end in one of {', '.join(allowed)}")
