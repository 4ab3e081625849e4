"""NRRD (.nrrd, .nhdr), read directly.

Not through SimpleITK, whose reader writes beyond its buffers when a line of the header is long.
Format: https://teem.sourceforge.net/nrrd/format.html.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from metaunetr.errors import InputError
from metaunetr.guard import check_grid
from metaunetr.image import Grid
from metaunetr.io.checks import check_size, data_beside
from metaunetr.io.units import known, millimetres
from metaunetr.io.voxels import read_voxels

LONGEST_HEADER = 1 << 24  # bytes; a segmentation has a hundred lines and a record
PIECE = 1 << 16  # bytes
BLANK = re.compile(rb"\n\r?\n")  # the line that ends a header
MAX_AXES = 16
TYPES = {
    "i1": "signed char, int8, int8_t", "u1": "uchar, unsigned char, uint8, uint8_t",
    "i2": "short, short int, signed short, signed short int, int16, int16_t",
    "u2": "ushort, unsigned short, unsigned short int, uint16, uint16_t",
    "i4": "int, signed int, int32, int32_t", "u4": "uint, unsigned int, uint32, uint32_t",
    "i8": "longlong, long long, long long int, signed long long, signed long long int, int64, "
          "int64_t",
    "u8": "ulonglong, unsigned long long, unsigned long long int, uint64, uint64_t",
    "f4": "float", "f8": "double",
}
DTYPES = {name: dtype for dtype, names in TYPES.items() for name in names.split(", ")}
TO_LPS = {
    "left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1), "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1), "las": (1, -1, 1),
}
SAME = {"datafile": "data file", "byteskip": "byte skip", "lineskip": "line skip"}


@dataclass(frozen=True)
class Header:
    """What the header at `path` says.

    Attributes:
        fields: the descriptions by the names of their fields.
        pairs: the key/value pairs.
        end: bytes of the header in the file.
    """

    path: Path
    fields: dict[str, str]
    pairs: dict[str, str]
    end: int

    def whole(self, field: str, count: int = 1, default: str = "") -> list[int]:
        """The `count` whole numbers of a field.

        Raises:
            InputError: there are others.
        """
        words = self.fields.get(field, default).split()
        if len(words) != count or not all(re.fullmatch(r"[-+]?[0-9]{1,18}", w) for w in words):
            raise InputError(f"{self.path}: {field} must be {count} whole numbers, it is "
                             f"{self.fields.get(field, '')[:60]!a}")
        return [int(word) for word in words]

    def vector(self, text: str) -> list[float]:
        """Three numbers, such as "(0,0.5,1)".

        Raises:
            InputError: it is something else.
        """
        try:
            values = [float(word) for word in text.strip().strip("()").split(",")]
        except ValueError:
            values = []
        if len(values) != 3:
            raise InputError(f"{self.path}: a vector in space must be three numbers, it is "
                             f"{text[:60]!a}")
        return values


def read_nrrd(path: Path) -> tuple[np.ndarray, Grid]:
    """Voxels (D, H, W) of whatever type the file holds, and their grid.

    Raises:
        InputError: see the messages.
    """
    header = read_header(path)
    dtype, grid = _dtype(header), _grid(header)
    data = _data(header)
    start = header.end if data == path else 0
    check_size(path, grid.shape, dtype.itemsize, data)
    count = math.prod(grid.shape) * dtype.itemsize
    compressed = _is_compressed(header)
    (skip,) = header.whole("byte skip", default="0")
    if skip == -1 and not compressed:  # they end with the file
        start, skip = max(start, data.stat().st_size - count), 0
    if not 0 <= skip < 2**31 or header.whole("line skip", default="0") != [0]:
        raise InputError(f"{path}: the voxels cannot begin at line "
                         f"{header.fields.get('line skip', '0')[:20]}, byte {skip}")
    voxels = read_voxels(path, data, start, count, compressed, skip).view(dtype)
    return voxels.astype(dtype.newbyteorder("="), copy=False).reshape(grid.shape), grid


def read_nrrd_grid(path: Path) -> Grid:
    """The grid that the header tells; voxels are not read.

    Raises:
        InputError: see the messages.
    """
    return _grid(read_header(path))


def read_nrrd_dtype(path: Path) -> np.dtype:
    """The type of the voxels that the header tells.

    Raises:
        InputError: see the messages.
    """
    return _dtype(read_header(path))


def nrrd_data(path: Path) -> Path:
    """The file that holds the voxels: this one, or one beside it.

    Raises:
        InputError: see the messages.
    """
    return _data(read_header(path))


def _data(header: Header) -> Path:
    name = header.fields.get("data file")
    return data_beside(header.path, name) if name else header.path


def read_header(path: Path) -> Header:
    """The header of the NRRD at `path`.

    Raises:
        InputError: it is none, or a line of it is neither field, pair nor comment.
    """
    with open(path, "rb") as file:
        head = file.read(PIECE)
        if not re.match(rb"NRRD000[1-9]\r?\n", head):
            raise InputError(f"{path}: is not a NRRD file; it begins with {head[:8]!r}")
        while not BLANK.search(head) and len(head) < LONGEST_HEADER and (more := file.read(PIECE)):
            head += more
    blank = BLANK.search(head)
    if not blank and len(head) >= LONGEST_HEADER:
        raise InputError(f"{path}: the header does not end; the file is damaged")
    fields, pairs = {}, {}
    lines = head[:blank.start() if blank else None].decode("utf-8", "replace").split("\n")
    for number, line in enumerate(map(str.strip, lines[1:]), 2):
        key, separator, value = _parts(line)
        if separator == ":=":
            pairs[key] = re.sub(r"\\([n\\])", lambda at: "\n" if at[1] == "n" else "\\", value)
        elif separator:
            key = SAME.get(key.lower(), key.lower())
            if key in fields:
                raise InputError(f"{path}: the header says {key:.40} twice")
            fields[key] = value.strip()
        elif line and not line.startswith("#"):
            raise InputError(f"{path}: line {number} of the header is no field: {line[:40]!a}")
    return Header(path, fields, pairs, blank.end() if blank else len(head))


def _parts(line: str) -> tuple[str, str, str]:
    """Key, ":=" or ": ", and value; three times "" for a comment and what is nothing of these."""
    found = None if line.startswith("#") else re.match(r"([^:]*)(:=|:(?:\s|$))(.*)", line)
    return (found[1], found[2], found[3]) if found else ("", "", "")


def _grid(header: Header) -> Grid:
    path = header.path
    (axes,) = header.whole("dimension")
    if not 1 <= axes <= MAX_AXES:
        raise InputError(f"{path}: the number of axes must be 1 to {MAX_AXES}, the header says "
                         f"{axes}")
    sizes = header.whole("sizes", axes)
    if axes < 3:
        raise InputError(f"{path}: a CT needs three axes, the image has {axes}")
    space = TO_LPS.get(header.fields.get("space", "").lower())
    directions = re.findall(r"none|\([^()]*\)", header.fields.get("space directions", ""))
    if space is None or not directions:
        raise InputError(
            f"{path}: the header has no space field and directions that are known, so left and "
            "right are unknown; save it again with its orientation"
        )
    if len(directions) != axes:
        raise InputError(f"{path}: space directions must be {axes} vectors, they are "
                         f"{len(directions)}")
    others = [size for size, text in zip(sizes, directions, strict=True) if text == "none"]
    if any(size != 1 for size in others):
        raise InputError(
            f"{path}: every voxel must be one real number, these have {math.prod(others)} "
            "components (colours, frames, overlapping segments)"
        )
    vectors = [header.vector(text) for text in directions if text != "none"]
    sizes = [size for size, text in zip(sizes, directions, strict=True) if text != "none"]
    if len(vectors) != 3:
        raise InputError(f"{path}: one three-dimensional image is needed, this one has the sizes "
                         f"{' × '.join(map(str, sizes))}; extract one frame first")
    affine = np.eye(4)
    affine[:3, :3] = np.transpose(vectors)
    affine[:3, 3] = header.vector(header.fields.get("space origin", "0,0,0"))
    to_mm = np.multiply(space, _units(header))
    with np.errstate(all="ignore"):  # check_grid tells what is wrong
        grid = Grid.from_affine((sizes[2], sizes[1], sizes[0]), np.diag([*to_mm, 1.0]) @ affine)
    check_grid(path, grid)
    return grid


def _units(header: Header) -> list[float]:
    """How many mm the unit of each axis of space has; 1 where the header tells none.

    Raises:
        InputError: a unit is not known, or axes of the array have one beside their directions.
    """
    space, axes = (
        [quoted or bare for quoted, bare in re.findall(r'"([^"]*)"|(\S+)', text)]
        for text in (header.fields.get("space units", ""), header.fields.get("units", "")))
    if any(known(unit) not in (None, 1.0) for unit in axes):
        raise InputError(f"{header.path}: lengths of space directions must have space units, the "
                         f"header has units {header.fields['units'][:60]!a}; save the image "
                         "again in mm")
    if len(space) not in (0, 3):
        raise InputError(f"{header.path}: space units must be three, they are "
                         f"{header.fields['space units'][:60]!a}")
    return [millimetres(header.path, unit) for unit in space] or [1.0] * 3


def _dtype(header: Header) -> np.dtype:
    kind = header.fields.get("type", "")
    if kind.lower() not in DTYPES:
        raise InputError(f"{header.path}: voxels must be real numbers, these are "
                         f"{kind[:40] or 'unknown'}")
    dtype = np.dtype(DTYPES[kind.lower()])
    endian = header.fields.get("endian", "little").lower()
    if endian not in ("little", "big"):
        raise InputError(f"{header.path}: endian must be little or big, it is {endian[:40]!a}")
    return dtype.newbyteorder("<" if endian == "little" else ">")


def _is_compressed(header: Header) -> bool:
    encoding = header.fields.get("encoding", "").lower()
    if encoding not in ("raw", "gz", "gzip"):
        raise InputError(f"{header.path}: the encoding must be raw or gzip, it is "
                         f"{encoding[:40]!a}")
    return encoding != "raw"
