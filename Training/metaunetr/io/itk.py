"""NRRD files, read and written through SimpleITK; MetaImage files, written.

Of a header that names another file for its voxels, only one in its own folder is read.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from metaunetr.errors import InputError
from metaunetr.guard import check_grid
from metaunetr.image import Grid, Image
from metaunetr.io.checks import check_size, data_beside

LONGEST_HEADER = 1 << 24  # bytes; a segmentation has a hundred lines and a record

sitk.ProcessObject.SetGlobalWarningDisplay(False)  # what matters is raised



def read_nrrd(path: Path) -> tuple[np.ndarray, Grid]:
    """Voxels (D, H, W) of whatever type the file holds, and their grid.

    Raises:
        InputError: see the messages.
    """
    reader = open_header(path)
    data = _data_file(path)
    size = reader.GetSize()
    check_components(path, reader)
    if len(size) < 3:
        raise InputError(f"{path}: a CT needs three axes, the image has {len(size)}")
    if any(n != 1 for n in size[3:]):
        raise InputError(
            f"{path}: one three-dimensional image is needed, this one has the sizes "
            f"{' × '.join(map(str, size))}; extract one frame first"
        )
    if not reader.HasMetaDataKey("NRRD_space"):
        raise InputError(
            f"{path}: the header has no space field, so left and right are unknown; "
            "save it again with its orientation"
        )
    grid = grid_of(reader)
    check_grid(path, grid)
    itemsize = _itemsize(path, reader)
    check_size(path, grid.shape, itemsize, data)
    reader.SetExtractSize([*size[:3], *[0] * len(size[3:])])
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise InputError(f"{path}: cannot be read: {reason(error)}") from None
    return array_of(image), grid


def read_nrrd_grid(path: Path) -> Grid:
    """The grid that the header tells; voxels are not read.

    Raises:
        InputError: see the messages.
    """
    return grid_of(open_header(path))


def open_header(path: Path) -> sitk.ImageFileReader:
    """A reader that knows the header of the NRRD at `path`, and no voxels yet.

    Raises:
        InputError: it is none, or its voxels lie elsewhere.
    """
    _data_file(path)  # before anything there is opened
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO("NrrdImageIO")
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputError(f"{path}: cannot be read as NRRD: {reason(error)}") from None
    return reader


def metadata(path: Path) -> dict[str, str]:
    """The key/value pairs of the NRRD at `path`.

    Raises:
        InputError: the header cannot be read.
    """
    reader = open_header(path)
    try:
        return {key: reader.GetMetaData(key) for key in reader.GetMetaDataKeys()}
    except UnicodeDecodeError:
        raise InputError(f"{path}: the text in the header is not UTF-8") from None


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


def _data_file(path: Path) -> Path:
    """The file with the voxels that the header at `path` names, or `path` itself."""
    with open(path, "rb") as file:
        head = file.read(LONGEST_HEADER)
    header, end, _ = head.replace(b"\r", b"").partition(b"\n\n")
    if not end and len(head) == LONGEST_HEADER:
        raise InputError(f"{path}: is not a NRRD file, its header has no end")
    names = re.findall(rb"^\s*data\s?file\s*:\s*(?!=)(.*)$", header, re.MULTILINE | re.IGNORECASE)
    if len(names) > 1:
        raise InputError(f"{path}: the header names {len(names)} data files")
    return data_beside(path, names[0].decode("utf-8", "replace").strip()) if names else path
