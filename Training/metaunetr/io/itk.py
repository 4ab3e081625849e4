"""NRRD and MetaImage files, read and written through SimpleITK."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from metaunetr.errors import InputError
from metaunetr.guard import check_grid
from metaunetr.image import Grid, Image
from metaunetr.io.checks import check_size

sitk.ProcessObject.SetGlobalWarningDisplay(False)  # what matters is raised

FORMATS = {"NrrdImageIO": "NRRD", "MetaImageIO": "MetaImage"}


def read_itk(path: Path, io: str) -> tuple[np.ndarray, Grid]:
    """Voxels (D, H, W) of whatever type the file holds, and their grid.

    Args:
        io: "NrrdImageIO" or "MetaImageIO".

    Raises:
        InputError: see the messages.
    """
    if io == "MetaImageIO":
        _check_meta_header(path)
    reader = open_header(path, io)
    size = reader.GetSize()
    check_components(path, reader)
    if len(size) < 3:
        raise InputError(f"{path}: a CT needs three axes, the image has {len(size)}")
    if any(n != 1 for n in size[3:]):
        raise InputError(
            f"{path}: one three-dimensional image is needed, this one has the sizes "
            f"{' × '.join(map(str, size))}; extract one frame first"
        )
    if io == "NrrdImageIO" and not reader.HasMetaDataKey("NRRD_space"):
        raise InputError(
            f"{path}: the header has no space field, so left and right are unknown; "
            "save it again with its orientation"
        )
    grid = grid_of(reader)
    check_grid(path, grid)
    itemsize = _itemsize(path, reader)
    check_size(path, grid.shape, itemsize, _data_file(path))
    if io == "MetaImageIO":
        _check_meta_is_complete(path, grid.shape, itemsize)
    reader.SetExtractSize([*size[:3], *[0] * len(size[3:])])
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise InputError(f"{path}: cannot be read: {reason(error)}") from None
    return array_of(image), grid


def open_header(path: Path, io: str) -> sitk.ImageFileReader:
    """A reader that knows the header of `path`, and no voxels yet."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO(io)
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputError(
            f"{path}: cannot be read as {FORMATS[io]}: {reason(error)}"
        ) from None
    return reader


def metadata(reader: sitk.ImageFileReader) -> dict[str, str]:
    return {key: reader.GetMetaData(key) for key in reader.GetMetaDataKeys()}


def check_components(path: Path, reader: sitk.ImageFileReader) -> None:
    kind = sitk.GetPixelIDValueAsString(reader.GetPixelID())
    if reader.GetNumberOfComponents() != 1 or "complex" in kind:
        raise InputError(
            f"{path}: every voxel must be one real number, these are {kind} with "
            f"{reader.GetNumberOfComponents()} components (colours, frames, overlapping segments)"
        )


def array_of(image: sitk.Image) -> np.ndarray:
    """The voxels (D, H, W) of `image`, not copied; they keep it alive."""
    return np.asarray(_Voxels(image))


class _Voxels:
    def __init__(self, image: sitk.Image) -> None:
        self.image = image
        self.__array_interface__ = sitk.GetArrayViewFromImage(image).__array_interface__


def grid_of(image: sitk.Image | sitk.ImageFileReader) -> Grid:
    """The grid of an image, of its first three axes if it has more."""
    axes = image.GetDimension()
    width, height, depth = image.GetSize()[:3]
    return Grid(
        (depth, height, width), image.GetSpacing()[:3], image.GetOrigin()[:3],
        np.array(image.GetDirection()).reshape(axes, axes)[:3, :3],
    )


def write_itk(path: Path, image: Image, header: dict[str, str] | None = None) -> None:
    """Write `image`, compressed, with `header` as key/value pairs (NRRD only).

    Raises:
        OSError: the disk is full or may not be written.
    """
    out = sitk.GetImageFromArray(image.array)
    out.SetSpacing([float(s) for s in image.grid.spacing])
    out.SetOrigin([float(o) for o in image.grid.origin])
    out.SetDirection(np.asarray(image.grid.direction, float).ravel().tolist())
    for key, value in (header or {}).items():
        out.SetMetaData(key, value)
    try:
        sitk.WriteImage(out, str(path), useCompression=True, compressionLevel=1)
    except RuntimeError as error:
        raise OSError(reason(error)) from None


def reason(error: RuntimeError) -> str:
    """The one telling line of an ITK exception."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("Reason:", "["))]
    line = told[-1] if told else next((line for line in lines if "ERROR:" in line), lines[-1])
    return re.sub(r"^(Reason:|\[\w+\] (\w+:)?|.*ERROR: \w+\(\w+\):)\s*", "", line)


def _itemsize(path: Path, reader: sitk.ImageFileReader) -> int:
    kind = sitk.GetPixelIDValueAsString(reader.GetPixelID())
    bits = re.search(r"\d+(?=-bit)", kind)
    if not bits:
        raise InputError(f"{path}: voxels must be real numbers, these are {kind}")
    return int(bits.group()) // 8


def _data_file(path: Path) -> Path | None:
    return None if path.suffix.lower() in (".nhdr", ".mhd") else path


def _check_meta_header(path: Path) -> None:
    """Refuse what is no MetaImage here: ITK notices too, but prints."""
    with open(path, "rb") as file:
        head = file.read(1 << 16)
    if not re.search(rb"^NDims\s*=\s*\d", head, re.MULTILINE):
        raise InputError(f"{path}: is not a MetaImage file; it begins with {head[:8]!r}")


def _check_meta_is_complete(path: Path, shape: tuple[int, int, int], itemsize: int) -> None:
    """Refuse a truncated .mha here: ITK notices too, but prints and gives no reason."""
    with open(path, "rb") as file:
        head = file.read(1 << 16)
    start = re.search(rb"^ElementDataFile\s*=\s*LOCAL\s*?\n", head, re.MULTILINE)
    if not start:
        return
    compressed = re.search(rb"^CompressedDataSize\s*=\s*(\d+)", head, re.MULTILINE)
    if compressed:
        expected = int(compressed.group(1))
    elif re.search(rb"^CompressedData\s*=\s*True", head, re.MULTILINE | re.IGNORECASE):
        return
    else:
        expected = shape[0] * shape[1] * shape[2] * itemsize
    there = path.stat().st_size - start.end()
    if there < expected:
        raise InputError(
            f"{path}: the file is truncated: {expected} bytes of voxels belong to it, "
            f"{there} are there"
        )
