"""Reading MetaImage (.mha, .mhd), and writing .mha.

Not through SimpleITK: version 2.5.7 hangs on `NDims = -1`, and reads whatever file a header names
(see also `header`).
Format: https://itk.org/Wiki/ITK/MetaIO/Documentation.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from metaunetr.errors import InputError
from metaunetr.guard import check_grid
from metaunetr.image import Grid, Image
from metaunetr.io.file_checks import data_beside
from metaunetr.io.header import ZLIB_FORMAT, Header, compressed, pieces
from metaunetr.io.length_units import millimetres

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


class MetaImageHeader(Header):
    """The header of a .mha file, or of a .mhd file with its voxels beside it.

    Attributes:
        fields: the values by key.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.fields, self._end = _fields(path)

    @property
    def grid(self) -> Grid:
        return _grid(self)

    @property
    def dtype(self) -> np.dtype:
        if (channels := self.integer("ElementNumberOfChannels", 1)) != 1:
            raise InputError(f"{self.path}: every voxel must be one real number, these have "
                             f"{channels} components (colours, frames, overlapping segments)")
        kind = self.fields.get("ElementType", "")
        if kind not in TYPES:
            raise InputError(
                f"{self.path}: voxels must be real numbers, these are {kind[:40] or 'unknown'}")
        if not _is_true(self.fields.get("BinaryData", "True")):
            raise InputError(
                f"{self.path}: voxels written as text are not supported; save it in binary")
        big = any(_is_true(self.fields.get(key)) for key in BIG_ENDIAN)
        return np.dtype(TYPES[kind]).newbyteorder(">" if big else "<")

    @property
    def data(self) -> Path:
        name = self.fields[LAST]
        return self.path if name.upper() == "LOCAL" else data_beside(self.path, name)

    def _layout(self, count: int) -> tuple[int, int, bool]:
        start = self._end if self.data == self.path else 0
        compressed = _is_true(self.fields.get("CompressedData"))
        skip = self.integer("HeaderSize", 0)
        if skip == -1 and not compressed:  # the voxels end with the file
            return max(start, self.data.stat().st_size - count), 0, False
        if skip < 0:
            raise InputError(f"{self.path}: the voxels cannot begin at byte {skip}")
        return start + skip, 0, compressed

    def integer(self, key: str, default: int | None = None) -> int:
        """The integer under `key`.

        Raises:
            InputError: there is something else, or nothing and no default.
        """
        fallback = None if default is None else [default]
        return int(self.numbers((key,), 1, fallback, integers=True)[0])

    def numbers(
        self, keys: tuple[str, ...], count: int, default: list[float] | None = None,
        integers: bool = False,
    ) -> list[float]:
        """The `count` numbers under the first of `keys` that the header has.

        Raises:
            InputError: there is something else, or nothing and no default.
        """
        key = next((key for key in keys if key in self.fields), None)
        if key is None and default is not None:
            return default
        text = self.fields.get(key or "", "")
        try:
            values = [float(word) for word in text.split()]
        except ValueError:
            values = []
        if len(values) < count or (
            integers and not all(value.is_integer() and abs(value) < 2**53 for value in values)
        ):
            kind = "whole numbers" if integers else "numbers"
            raise InputError(
                f"{self.path}: {keys[0]} must be {count} {kind}, it is {text[:60]!a}")
        return values[:count]


def write_metaimage(path: Path, image: Image) -> None:
    """Write `image`, compressed.

    Raises:
        OSError: the disk is full or may not be written.
    """
    def text(values: Iterable[float]) -> str:
        return " ".join(f"{value:.17g}" for value in values)

    data = list(compressed(pieces(image.array), ZLIB_FORMAT))
    kind = next(key for key, value in TYPES.items() if value == image.array.dtype.str[1:])
    grid = image.grid
    lines = [
        "ObjectType = Image",
        "NDims = 3",
        "BinaryData = True",
        f"BinaryDataByteOrderMSB = {sys.byteorder == 'big'}",
        "CompressedData = True",
        f"CompressedDataSize = {sum(map(len, data))}",
        f"TransformMatrix = {text(np.asarray(grid.direction).T.ravel())}",
        f"Offset = {text(grid.origin)}",
        f"ElementSpacing = {text(grid.spacing)}",
        f"DimSize = {' '.join(str(size) for size in reversed(image.array.shape))}",
        f"ElementType = {kind}",
        f"{LAST} = LOCAL",
    ]
    with open(path, "wb") as file:
        file.write(("\n".join(lines) + "\n").encode())
        file.writelines(data)


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """The keys and values, and where the header ends."""
    header = {}
    with open(path, "rb") as file:
        while file.tell() < LONGEST_HEADER and LAST not in header:
            line = file.readline(LONGEST_HEADER)
            key, separator, value = line.decode("utf-8", "replace").partition("=")
            if not separator:
                break
            if key.strip() in header:
                raise InputError(f"{path}: the header has {key.strip():.40} twice")
            header[key.strip()] = value.strip()
        end = file.tell()
    if "NDims" not in header:
        with open(path, "rb") as file:
            head = repr(file.read(8))[1:]
        raise InputError(f"{path}: is not a MetaImage file; it begins with {head}")
    if LAST not in header:
        raise InputError(f"{path}: the header does not end with {LAST}; it is truncated or damaged")
    return header, end


def _grid(header: MetaImageHeader) -> Grid:
    path = header.path
    axes = header.integer("NDims")
    if not 1 <= axes <= 10:
        raise InputError(f"{path}: the number of axes must be 1 to 10, the header says {axes}")
    sizes = [int(n) for n in header.numbers(("DimSize",), axes, integers=True)]
    if axes < 3:
        raise InputError(f"{path}: a CT needs three axes, the image has {axes}")
    if any(n != 1 for n in sizes[3:]):
        raise InputError(
            f"{path}: one three-dimensional image is needed, this one has the sizes "
            f"{' × '.join(map(str, sizes))}; extract one frame first"
        )
    to_mm = millimetres(path, header.fields.get("DistanceUnits", ""))
    identity = np.eye(axes).ravel().tolist()
    # a row of the matrix is the direction of an axis
    rows = np.reshape(header.numbers(DIRECTION, axes * axes, identity), (axes, axes))
    grid = Grid(
        (sizes[2], sizes[1], sizes[0]),
        tuple(to_mm * n for n in header.numbers(SPACING, axes, [1.0] * axes)[:3]),
        tuple(to_mm * n for n in header.numbers(ORIGIN, axes, [0.0] * axes)[:3]),
        rows.T[:3, :3],
    )
    check_grid(path, grid)
    return grid


def _is_true(text: str | None) -> bool:
    return (text or "")[:1] in ("T", "t", "1")
