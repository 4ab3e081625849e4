"""Reading NRRD (.nrrd, .nhdr), and writing .nrrd.

Not through SimpleITK: version 2.5.7 writes beyond its buffers and crashes when a line of the header
is long (see also `header`). Format: https://teem.sourceforge.net/nrrd/format.html.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from metaunetr.errors import InputError
from metaunetr.guard import check_grid
from metaunetr.image import Grid, Image
from metaunetr.io.file_checks import data_beside
from metaunetr.io.header import GZIP_FORMAT, Header, compressed, pieces
from metaunetr.io.length_units import known, millimetres

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
ORGANS = "MetaUNETR_Organs"  # key of the numbers of the organs that a label map was made for
SAME = {"datafile": "data file", "byteskip": "byte skip", "lineskip": "line skip"}


class NrrdHeader(Header):
    """The header of a NRRD file, or of a .nhdr file with its voxels beside it.

    Attributes:
        fields: the values of the fields by name.
        pairs: the key/value pairs.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.fields: dict[str, str] = {}
        self.pairs: dict[str, str] = {}
        lines, self._end = _header_lines(path)
        for number, line in enumerate(map(str.strip, lines[1:]), 2):
            key, separator, value = _parts(line)
            if separator == ":=":
                self.pairs[key] = re.sub(
                    r"\\([n\\])", lambda at: "\n" if at[1] == "n" else "\\", value)
            elif separator:
                key = SAME.get(key.lower(), key.lower())
                if key in self.fields:
                    raise InputError(f"{path}: the header has {key:.40} twice")
                self.fields[key] = value.strip()
            elif line and not line.startswith("#"):
                raise InputError(f"{path}: line {number} of the header is no field: {line[:40]!a}")

    @property
    def grid(self) -> Grid:
        return _grid(self)

    @property
    def dtype(self) -> np.dtype:
        kind = self.fields.get("type", "")
        if kind.lower() not in DTYPES:
            raise InputError(f"{self.path}: voxels must be real numbers, these are "
                             f"{kind[:40] or 'unknown'}")
        endian = self.fields.get("endian", "little").lower()
        if endian not in ("little", "big"):
            raise InputError(f"{self.path}: endian must be little or big, it is {endian[:40]!a}")
        return np.dtype(DTYPES[kind.lower()]).newbyteorder("<" if endian == "little" else ">")

    @property
    def data(self) -> Path:
        name = self.fields.get("data file")
        return data_beside(self.path, name) if name else self.path

    @property
    def organs(self) -> frozenset[int] | None:
        text = self.pairs.get(ORGANS, "")
        if not re.fullmatch("[0-9]{1,3}( [0-9]{1,3})*", text):
            return None
        return frozenset(map(int, text.split()))

    def _layout(self, count: int) -> tuple[int, int, bool]:
        encoding = self.fields.get("encoding", "").lower()
        if encoding not in ("raw", "gz", "gzip"):
            raise InputError(f"{self.path}: the encoding must be raw or gzip, it is "
                             f"{encoding[:40]!a}")
        start = self._end if self.data == self.path else 0
        (skip,) = self.integers("byte skip", default="0")
        if skip == -1 and encoding == "raw":  # the voxels end with the file
            start, skip = max(start, self.data.stat().st_size - count), 0
        if not 0 <= skip < 2**31 or self.integers("line skip", default="0") != [0]:
            raise InputError(f"{self.path}: the voxels cannot begin at line "
                             f"{self.fields.get('line skip', '0')[:20]}, byte {skip}")
        return (start + skip, 0, False) if encoding == "raw" else (start, skip, True)

    def integers(self, field: str, count: int = 1, default: str = "") -> list[int]:
        """The `count` integers of a field.

        Raises:
            InputError: the field holds something else.
        """
        words = self.fields.get(field, default).split()
        if len(words) != count or not all(re.fullmatch(r"[-+]?[0-9]{1,18}", w) for w in words):
            raise InputError(f"{self.path}: {field} must be {count} whole numbers, it is "
                             f"{self.fields.get(field, '')[:60]!a}")
        return [int(word) for word in words]

    def vector(self, text: str) -> list[float]:
        """The three numbers of a vector, such as "(0,0.5,1)".

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


def write_nrrd(path: Path, image: Image, pairs: Mapping[str, str] | None = None) -> None:
    """Write `image`, compressed; of a label map, with the organs that it was made for.

    Args:
        pairs: further key/value pairs.

    Raises:
        OSError: the disk is full or may not be written.
    """
    organs = {} if image.organs is None else {ORGANS: " ".join(map(str, sorted(image.organs)))}
    with open(path, "wb") as file:
        file.write(encode_header(image.array, image.grid.affine, "gzip", organs | (pairs or {})))
        file.writelines(compressed(pieces(image.array), GZIP_FORMAT))


def encode_header(
    array: np.ndarray, affine: np.ndarray, encoding: str, pairs: Mapping[str, str]
) -> bytes:
    """The header of a NRRD file, up to the voxels.

    Args:
        array: the voxels (D, H, W).
        affine: (4, 4), from (i, j, k) to LPS in mm.
        encoding: "raw" or "gzip".
        pairs: key/value pairs.
    """
    vectors = ["(" + ",".join(f"{value:.17g}" for value in column) + ")"
               for column in np.asarray(affine)[:3].T]
    lines = [
        "NRRD0004",
        "# https://teem.sourceforge.net/nrrd/format.html",
        f"type: {TYPES[array.dtype.str[1:]].partition(',')[0]}",
        "dimension: 3",
        "space: left-posterior-superior",
        f"sizes: {' '.join(str(size) for size in reversed(array.shape))}",
        f"space directions: {' '.join(vectors[:3])}",
        "kinds: domain domain domain",
        f"endian: {sys.byteorder}",
        f"encoding: {encoding}",
        f"space origin: {vectors[3]}",
    ]
    for key, value in pairs.items():
        escaped = value.replace("\\", r"\\").replace("\n", r"\n")
        lines.append(f"{key}:={escaped}")
    return ("\n".join(lines) + "\n\n").encode()


def _header_lines(path: Path) -> tuple[list[str], int]:
    """The lines before the first empty one, and the number of bytes before the voxels."""
    with open(path, "rb") as file:
        head = file.read(PIECE)
        if not re.match(rb"NRRD000[1-9]\r?\n", head):
            raise InputError(f"{path}: is not a NRRD file; it begins with {repr(head[:8])[1:]}")
        while not BLANK.search(head) and len(head) < LONGEST_HEADER and (more := file.read(PIECE)):
            head += more
    blank = BLANK.search(head)
    if not blank and len(head) >= LONGEST_HEADER:
        raise InputError(f"{path}: the header does not end; the file is damaged")
    text = head[:blank.start() if blank else None].decode("utf-8", "replace")
    return text.split("\n"), blank.end() if blank else len(head)


def _parts(line: str) -> tuple[str, str, str]:
    """Key, ":=" or ": ", and value; three times "" for a comment and what is nothing of these."""
    found = None if line.startswith("#") else re.match(r"([^:]*)(:=|:(?:\s|$))(.*)", line)
    return (found[1], found[2], found[3]) if found else ("", "", "")


def _grid(header: NrrdHeader) -> Grid:
    path = header.path
    (axes,) = header.integers("dimension")
    if not 1 <= axes <= MAX_AXES:
        raise InputError(f"{path}: the number of axes must be 1 to {MAX_AXES}, the header says "
                         f"{axes}")
    sizes = header.integers("sizes", axes)
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
    with np.errstate(all="ignore"):  # check_grid reports what is wrong
        grid = Grid.from_affine((sizes[2], sizes[1], sizes[0]), np.diag([*to_mm, 1.0]) @ affine)
    check_grid(path, grid)
    return grid


def _units(header: NrrdHeader) -> list[float]:
    """How many mm the unit of each axis of space has; 1 where the header has none.

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
