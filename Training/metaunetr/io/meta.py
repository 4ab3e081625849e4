"""MetaImage (.mha, .mhd), read directly.

Not through SimpleITK, which crashes on headers such as `NDims = -1`, and reads whatever file a
header names. Format: https://itk.org/Wiki/ITK/MetaIO/Documentation.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from metaunetr.errors import InputError
from metaunetr.guard import check_grid
from metaunetr.image import Grid
from metaunetr.io.checks import check_size, data_beside
from metaunetr.io.units import millimetres
from metaunetr.io.voxels import read_voxels

LONGEST_HEADER = 1 << 16  # bytes
LAST = "ElementDataFile"  # the key that ends a header
TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4",
    "MET_UINT": "u4", "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}
DIRECTION = ("TransformMatrix", "Orientation", "Rotation")  # names for the same
ORIGIN = ("Offset", "Position", "Origin")
SPACING = ("ElementSpacing", "ElementSize")
BIG_ENDIAN = ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")


def read_meta(path: Path) -> tuple[np.ndarray, Grid]:
    """Voxels (D, H, W) of whatever type the file holds, and their grid.

    Raises:
        InputError: see the messages.
    """
    header, end = _read_header(path)
    grid = _grid(path, header)
    dtype = _dtype(path, header)
    count = math.prod(grid.shape) * dtype.itemsize
    data = _data(path, header)
    start = end if data == path else 0
    skip = _whole(path, header, "HeaderSize", 0)
    compressed = _is_true(header.get("CompressedData"))
    if skip == -1 and not compressed:
        start = max(start, data.stat().st_size - count)
    elif skip >= 0:
        start += skip
    else:
        raise InputError(f"{path}: the voxels cannot begin at byte {skip}")
    check_size(path, grid.shape, dtype.itemsize, data)
    voxels = read_voxels(path, data, start, count, compressed).view(dtype)
    return voxels.astype(dtype.newbyteorder("="), copy=False).reshape(grid.shape), grid


def read_meta_grid(path: Path) -> Grid:
    """The grid that the header tells; voxels are not read.

    Raises:
        InputError: see the messages.
    """
    return _grid(path, _read_header(path)[0])


def read_meta_dtype(path: Path) -> np.dtype:
    """The type of the voxels that the header tells.

    Raises:
        InputError: see the messages.
    """
    return _dtype(path, _read_header(path)[0])


def meta_data(path: Path) -> Path:
    """The file that holds the voxels: this one, or one beside it.

    Raises:
        InputError: see the messages.
    """
    return _data(path, _read_header(path)[0])


def _data(path: Path, header: dict[str, str]) -> Path:
    return path if header[LAST].upper() == "LOCAL" else data_beside(path, header[LAST])


def _read_header(path: Path) -> tuple[dict[str, str], int]:
    """The keys and values, and where the header ends."""
    header = {}
    with open(path, "rb") as file:
        while file.tell() < LONGEST_HEADER and LAST not in header:
            line = file.readline(LONGEST_HEADER)
            key, separator, value = line.decode("utf-8", "replace").partition("=")
            if not separator:
                break
            if key.strip() in header:
                raise InputError(f"{path}: the header says {key.strip():.40} twice")
            header[key.strip()] = value.strip()
        end = file.tell()
    if "NDims" not in header:
        with open(path, "rb") as file:
            raise InputError(f"{path}: is not a MetaImage file; it begins with {file.read(8)!r}")
    if LAST not in header:
        raise InputError(f"{path}: the header does not end with {LAST}; it is truncated or damaged")
    return header, end


def _grid(path: Path, header: dict[str, str]) -> Grid:
    axes = _whole(path, header, "NDims")
    if not 1 <= axes <= 10:
        raise InputError(f"{path}: the number of axes must be 1 to 10, the header says {axes}")
    sizes = [int(n) for n in _numbers(path, header, ("DimSize",), axes, whole=True)]
    if axes < 3:
        raise InputError(f"{path}: a CT needs three axes, the image has {axes}")
    if any(n != 1 for n in sizes[3:]):
        raise InputError(
            f"{path}: one three-dimensional image is needed, this one has the sizes "
            f"{' × '.join(map(str, sizes))}; extract one frame first"
        )
    to_mm = millimetres(path, header.get("DistanceUnits", ""))
    identity = np.eye(axes).ravel().tolist()
    # a row of the matrix is the direction of an axis
    rows = np.reshape(_numbers(path, header, DIRECTION, axes * axes, identity), (axes, axes))
    grid = Grid(
        (sizes[2], sizes[1], sizes[0]),
        tuple(to_mm * n for n in _numbers(path, header, SPACING, axes, [1.0] * axes)[:3]),
        tuple(to_mm * n for n in _numbers(path, header, ORIGIN, axes, [0.0] * axes)[:3]),
        rows.T[:3, :3],
    )
    check_grid(path, grid)
    return grid


def _dtype(path: Path, header: dict[str, str]) -> np.dtype:
    channels = _whole(path, header, "ElementNumberOfChannels", 1)
    if channels != 1:
        raise InputError(f"{path}: every voxel must be one real number, these have {channels} "
                         "components (colours, frames, overlapping segments)")
    kind = header.get("ElementType", "")
    if kind not in TYPES:
        raise InputError(f"{path}: voxels must be real numbers, these are {kind[:40] or 'unknown'}")
    if not _is_true(header.get("BinaryData", "True")):
        raise InputError(f"{path}: voxels written as text are not supported; save it in binary")
    big = any(_is_true(header.get(key)) for key in BIG_ENDIAN)
    return np.dtype(TYPES[kind]).newbyteorder(">" if big else "<")


def _whole(path: Path, header: dict[str, str], key: str, default: int | None = None) -> int:
    fallback = None if default is None else [default]
    return int(_numbers(path, header, (key,), 1, fallback, whole=True)[0])


def _numbers(
    path: Path, header: dict[str, str], keys: tuple[str, ...], count: int,
    default: list[float] | None = None, whole: bool = False,
) -> list[float]:
    """The `count` numbers that the header has under the first of `keys` it knows."""
    key = next((key for key in keys if key in header), None)
    if key is None and default is not None:
        return default
    try:
        values = [float(word) for word in header.get(key or "", "").split()]
    except ValueError:
        values = []
    if len(values) < count or (
        whole and not all(value.is_integer() and abs(value) < 2**53 for value in values)
    ):
        raise InputError(f"{path}: {keys[0]} must be {count} {'whole ' if whole else ''}numbers, "
                         f"it is {header.get(key or '', '')[:60]!a}")
    return values[:count]


def _is_true(text: str | None) -> bool:
    return (text or "")[:1] in ("T", "t", "1")
