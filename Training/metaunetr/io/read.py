"""A file or DICOM folder becomes an image."""

from __future__ import annotations

import os
from collections.abc import Collection
from os import PathLike
from pathlib import Path

import numpy as np

from metaunetr.errors import InputError
from metaunetr.image import Grid, Image
from metaunetr.io import dicom, formats, seg_nrrd
from metaunetr.io.checks import check_file
from metaunetr.io.meta import meta_data, read_meta, read_meta_dtype, read_meta_grid
from metaunetr.io.nifti import (
    read_nifti,
    read_nifti_dtype,
    read_nifti_grid,
    read_nifti_organs,
)
from metaunetr.io.nrrd import nrrd_data, read_nrrd, read_nrrd_dtype, read_nrrd_grid


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
    array, grid = _read(path)
    return Image(_as_ct(array), grid, path)


def read_labels(path: str | PathLike[str]) -> Image:
    """The label map at `path`.

    Values of a .seg.nrrd whose segments are known by name or terminology become organ numbers;
    every other file keeps its values.

    Returns:
        uint8 labels (D, H, W).

    Raises:
        InputError: as `read_image`; or the values are not whole numbers from 0 to 255.
    """
    path = Path(path)
    check_file(path)
    array, grid = _read(path)
    labels = _as_labels(path, array)
    if formats.suffix_of(path) in formats.SEGMENTATION:
        labels = seg_nrrd.as_organ_numbers(path, labels)
    return Image(labels, grid, path, organs=_looked_for(path))


def read_grid(path: str | PathLike[str]) -> Grid:
    """The grid of a NIfTI, NRRD or MetaImage file, by its header alone.

    Raises:
        InputError: it cannot be told; of a damaged file, not all is looked at.
    """
    path = Path(path)
    check_file(path)
    if formats.suffix_of(path) in formats.NIFTI:
        return read_nifti_grid(path)
    return (read_meta_grid if formats.suffix_of(path) in formats.META else read_nrrd_grid)(path)


def read_dtype(path: str | PathLike[str]) -> np.dtype:
    """The type in which a NIfTI, NRRD or MetaImage file holds its voxels, by its header alone.

    Raises:
        InputError: it cannot be told.
    """
    path = Path(path)
    check_file(path)
    if formats.suffix_of(path) in formats.NIFTI:
        return read_nifti_dtype(path)
    return (read_meta_dtype if formats.suffix_of(path) in formats.META else read_nrrd_dtype)(path)


def data_file(path: Path) -> Path:
    """The file that holds the voxels of an image file: itself, or what its header names.

    Raises:
        InputError: the header cannot be read, or names nothing that may be read.
    """
    if formats.suffix_of(path) in formats.NRRD:
        return nrrd_data(path)
    return meta_data(path) if formats.suffix_of(path) in formats.META else path


def _read(path: Path) -> tuple[np.ndarray, Grid]:
    suffix = formats.suffix_of(path)
    if suffix in formats.NIFTI:
        return read_nifti(path)
    if suffix in formats.SEGMENTATION + formats.NRRD:
        return read_nrrd(path)
    if suffix in formats.META:
        return read_meta(path)
    raise InputError(
        f"{path}: the format is not known by its name; readable are "
        f"{', '.join(formats.READABLE)} and folders of DICOM files"
    )


def _looked_for(path: Path) -> frozenset[int] | None:
    suffix = formats.suffix_of(path)
    if suffix in formats.NIFTI:
        return read_nifti_organs(path)
    nrrd = suffix in formats.SEGMENTATION + formats.NRRD
    return seg_nrrd.read_looked_for(path) if nrrd else None


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
        raise InputError(f"{path}: labels must lie in 0 to 255, these reach {low} to {high}")
    labels = array.astype(np.uint8)
    if array.dtype.kind == "f" and not np.array_equal(labels, array):
        raise InputError(f"{path}: labels must be whole numbers; is this a CT?")
    return labels
