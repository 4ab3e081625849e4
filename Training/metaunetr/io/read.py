"""Reading an image from a file or a DICOM folder."""

from __future__ import annotations

import os
from collections.abc import Collection
from os import PathLike
from pathlib import Path

import numpy as np

from metaunetr.errors import InputError
from metaunetr.image import Image
from metaunetr.io import dicom, formats, seg_nrrd
from metaunetr.io.file_checks import check_file
from metaunetr.io.header import Header

READABLE = f"{', '.join(formats.READABLE)} and folders of DICOM files"


def read_image(path: str | PathLike[str], files: Collection[Path] = ()) -> Image:
    """The CT at `path`: NIfTI, NRRD, MetaImage, or a DICOM series.

    A series is named by its folder, one of its files, or a .zip file that holds it.

    Args:
        files: for a series in a folder, the files to look at, see `dicom.read_series`.

    Returns:
        HU (D, H, W) as int16, or float32 where int16 cannot hold them.

    Raises:
        InputError: the file is no single three-dimensional image on a right-angled grid.
    """
    path = Path(path)
    folder = os.path.isdir(path)  # unlike Path.is_dir, False for names that are too long
    if not folder:
        if archive := dicom.split_path(path):
            return dicom.read_archive(*archive)
        check_file(path)
    if folder or dicom.is_dicom(path):
        return dicom.read_series(path, files)
    header = read_header(path)
    return Image(_as_ct(header.read()), header.grid, path)


def read_labels(path: str | PathLike[str]) -> Image:
    """The label map at `path`.

    Values of a .seg.nrrd become the organ numbers of its segments, which are known by name or
    terminology; every other file keeps its values.

    Returns:
        uint8 labels (D, H, W).

    Raises:
        InputError: as `read_image`; or the values are not whole numbers from 0 to 255, or a
            segment is no known organ.
    """
    path = Path(path)
    header = read_header(path, ", ".join(formats.LABELS))
    labels = _as_labels(path, header.read())
    if formats.suffix_of(path) in formats.SEGMENTATION:
        labels = seg_nrrd.as_organ_numbers(path, labels)
    return Image(labels, header.grid, path, organs=header.organs)


def read_header(path: str | PathLike[str], readable: str = READABLE) -> Header:
    """The header of a NIfTI, NRRD or MetaImage file.

    Args:
        readable: what the message about an unknown format lists.

    Raises:
        InputError: the file cannot be read, or its format is not known by its name.
    """
    path = Path(path)
    check_file(path)
    if kind := formats.readable(path):
        return formats.load(kind.header)(path)
    raise InputError(f"{path}: the format is not known by its name; readable are {readable}")


def _as_ct(array: np.ndarray) -> np.ndarray:
    if array.dtype in (np.int16, np.float32):
        return array
    if array.dtype.kind in "iu" and array.min() >= -32768 and array.max() <= 32767:
        return array.astype(np.int16)
    return array.astype(np.float32)


def _as_labels(path: Path, array: np.ndarray) -> np.ndarray:
    if array.dtype == np.uint8:
        return array
    low, high = array.min(), array.max()
    if not (low >= 0 and high <= 255):
        raise InputError(f"{path}: labels must lie in 0 to 255, these reach {low} to {high}; "
                         "is it a CT instead of a label map?")
    labels = array.astype(np.uint8)
    if array.dtype.kind == "f" and not np.array_equal(labels, array):
        raise InputError(f"{path}: labels must be whole numbers; is this a CT?")
    return labels
