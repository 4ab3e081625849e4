"""Reading and writing NIfTI-1.

Not through SimpleITK: version 2.5.7 reads truncated files without an error, replaces a sheared
sform by an orthogonal one without a warning, returns scaled integers as doubles, and reports
success when the disk is full. Format: https://nifti.nimh.nih.gov/nifti-1 (nifti1.h).
"""

from __future__ import annotations

import math
import re
import struct
from itertools import chain
from pathlib import Path

import numpy as np

from metaunetr.errors import InputError
from metaunetr.guard import check_grid
from metaunetr.image import Grid, Image
from metaunetr.io.header import GZIP, GZIP_FORMAT, Header, compressed, pieces
from metaunetr.io.length_units import millimetres
from metaunetr.organs import BY_NUMBER

HEADER = np.dtype([
    ("sizeof_hdr", "i4"), ("unused", "S35"), ("dim_info", "u1"), ("dim", "i2", 8),
    ("intent", "f4", 3), ("intent_code", "i2"), ("datatype", "i2"), ("bitpix", "i2"),
    ("slice_start", "i2"), ("pixdim", "f4", 8), ("vox_offset", "f4"), ("scl_slope", "f4"),
    ("scl_inter", "f4"), ("slice_end", "i2"), ("slice_code", "u1"), ("xyzt_units", "u1"),
    ("cal_max", "f4"), ("cal_min", "f4"), ("slice_duration", "f4"), ("toffset", "f4"),
    ("gl", "i4", 2), ("descrip", "S80"), ("aux_file", "S24"), ("qform_code", "i2"),
    ("sform_code", "i2"), ("quatern", "f4", 3), ("qoffset", "f4", 3), ("srow", "f4", (3, 4)),
    ("intent_name", "S16"), ("magic", "S4"),
])  # 348 bytes

DATATYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4",
             1024: "i8", 1280: "u8"}
NOT_SCALAR = {32: "complex", 1792: "complex", 2048: "complex", 128: "RGB", 2304: "RGBA"}
UNITS = {0: "", 1: "m", 2: "mm", 3: "um"}  # by the code in xyzt_units
MAX_DISAGREEMENT = 1.0  # mm between qform and sform
UNKNOWN = 0  # code of a header extension; nibabel does not return the content of 30, Caret's own
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
SOFTWARE = "MetaUNETR"


class NiftiHeader(Header):
    """The header of a NIfTI-1 file."""

    read_to_end = True

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with open(path, "rb") as file:
            self._gzip = file.read(len(GZIP)) == GZIP
            file.seek(0)
            head = next(self._inflated(file)) if self._gzip else file.read(HEADER.itemsize)
        self.fields = _fields(path, head[:HEADER.itemsize])

    @property
    def grid(self) -> Grid:
        return _grid(self.path, self.fields)

    @property
    def dtype(self) -> np.dtype:
        code = int(self.fields["datatype"])
        if code not in DATATYPES:
            kind = NOT_SCALAR.get(code, f"data type {code}")
            raise InputError(f"{self.path}: voxels must be real numbers, these are {kind}")
        dtype = np.dtype(DATATYPES[code])
        return dtype if self.fields.dtype["dim"].base.isnative else dtype.newbyteorder()

    @property
    def organs(self) -> frozenset[int] | None:
        text = bytes(self.fields["descrip"]).decode("ascii", errors="replace")
        numbers = re.fullmatch(rf"{SOFTWARE} organs((?: [0-9]{{1,3}})+)", text)
        return frozenset(map(int, numbers[1].split())) if numbers else None

    def read(self) -> np.ndarray:
        slope, intercept = float(self.fields["scl_slope"]), float(self.fields["scl_inter"])
        return _rescaled(super().read(), slope, intercept)

    def _layout(self, count: int) -> tuple[int, int, bool]:
        offset = float(self.fields["vox_offset"])
        if not 0 <= offset < 2**31:
            raise InputError(f"{self.path}: the voxels cannot begin at byte {offset:g}")
        offset = int(offset) or HEADER.itemsize + 4
        return (0, offset, True) if self._gzip else (offset, 0, False)


def write_nifti(path: Path, image: Image) -> None:
    """Write `image`, gzip-compressed when `path` ends in .gz.

    Raises:
        OSError: the disk is full or may not be written.
    """
    data = chain([_encode_header(image)], pieces(image.array))
    gzip = path.name.lower().endswith(".gz")
    with open(path, "wb") as file:
        file.writelines(compressed(data, GZIP_FORMAT) if gzip else data)


def _fields(path: Path, raw: bytes) -> np.void:
    for order in "<>" if len(raw) == HEADER.itemsize else "":
        header = np.frombuffer(raw, HEADER.newbyteorder(order))[0]
        if header["sizeof_hdr"] == HEADER.itemsize and header["magic"] == b"n+1":
            return header
    if 540 in (int.from_bytes(raw[:4], "little"), int.from_bytes(raw[:4], "big")):
        raise InputError(f"{path}: NIfTI-2 is not supported; convert it to NIfTI-1")
    raise InputError(f"{path}: is not a NIfTI file; it begins with {repr(raw[:8])[1:]}")


def _shape(path: Path, header: np.void) -> tuple[int, int, int]:
    count = int(header["dim"][0])
    if not 1 <= count <= 7:
        raise InputError(f"{path}: the number of axes must be 1 to 7, the header says {count}")
    sizes = [int(n) for n in header["dim"][1:count + 1]]
    if len(sizes) < 3:
        raise InputError(f"{path}: a CT needs three axes, the image has {len(sizes)}")
    if any(n != 1 for n in sizes[3:]):
        raise InputError(
            f"{path}: one three-dimensional image is needed, this one has the sizes "
            f"{' × '.join(map(str, sizes))}; extract one frame first"
        )
    return sizes[2], sizes[1], sizes[0]


def _grid(path: Path, header: np.void) -> Grid:
    shape = _shape(path, header)
    unit = int(header["xyzt_units"]) & 7
    if unit not in UNITS:
        raise InputError(f"{path}: the unit of length must be m, mm or um, its code is {unit}")
    affines = []
    if header["sform_code"] > 0:
        affines.append(np.vstack([header["srow"].astype(float), [0, 0, 0, 1]]))
    if header["qform_code"] > 0:
        affines.append(_qform(path, header))
    if not affines:
        raise InputError(
            f"{path}: the header has neither sform nor qform, so left and right are unknown; "
            "save it again with its orientation"
        )
    scale = np.diag([millimetres(path, UNITS[unit])] * 3 + [1.0])
    grids = []
    for affine in affines:
        with np.errstate(invalid="ignore", divide="ignore"):  # check_grid reports what is wrong
            grids.append(Grid.from_affine(shape, RAS_TO_LPS @ scale @ affine))
        check_grid(path, grids[-1])
    if len(grids) == 2 and not grids[0].same_as(grids[1], MAX_DISAGREEMENT):
        raise InputError(
            f"{path}: sform and qform place the image differently (by more than "
            f"{MAX_DISAGREEMENT:g} mm); remove the wrong one"
        )
    return grids[0]


def _qform(path: Path, header: np.void) -> np.ndarray:
    """IJK to RAS of the quaternion, as nifti1.h defines it (method 2)."""
    b, c, d = header["quatern"].astype(float)
    a = math.sqrt(max(0.0, 1.0 - (b * b + c * c + d * d)))
    rotation = np.array([
        [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
        [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
        [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
    ])
    spacing = header["pixdim"][1:4].astype(float)
    if not (np.isfinite(spacing) & (spacing > 0)).all():
        raise InputError(
            f"{path}: spacing must be finite and positive, it is {spacing.tolist()} mm"
        )
    if header["pixdim"][0] < 0:
        spacing = spacing * [1, 1, -1]
    affine = np.eye(4)
    affine[:3, :3] = rotation * spacing
    affine[:3, 3] = header["qoffset"]
    return affine


def _rescaled(array: np.ndarray, slope: float, intercept: float) -> np.ndarray:
    """`array` × slope + intercept; slope 0 means none. Whole numbers stay whole."""
    if slope == 0 or not math.isfinite(slope) or not math.isfinite(intercept) or (
        slope == 1 and intercept == 0
    ):
        return array
    if array.dtype.kind in "iu" and slope.is_integer() and intercept.is_integer():
        ends = [int(end) * slope + intercept for end in (array.min(), array.max())]
        fits = min(ends) >= -32768 and max(ends) <= 32767
    else:
        fits = False
    scaled = np.empty(array.shape, np.int16 if fits else np.float32)
    for source, target in zip(array, scaled, strict=True):  # by slices: no large temporaries
        target[...] = source * slope + intercept
    return scaled


def _encode_header(image: Image) -> bytes:
    grid, array = image.grid, image.array
    affine = RAS_TO_LPS @ grid.affine
    header = np.zeros(1, HEADER.newbyteorder("<"))[0]
    codes = {np.dtype(name): code for code, name in DATATYPES.items()}
    header["sizeof_hdr"] = HEADER.itemsize
    header["dim"] = [3, *reversed(grid.shape), 1, 1, 1, 1]
    header["datatype"] = codes[array.dtype]
    header["bitpix"] = array.dtype.itemsize * 8
    header["pixdim"] = [1, *grid.spacing, 0, 0, 0, 0]
    extension = _label_table(image.organs)
    header["vox_offset"] = HEADER.itemsize + 4 + len(extension)
    header["scl_slope"] = 1
    header["xyzt_units"] = 2
    header["descrip"] = _describe(image.organs).encode("ascii")
    header["qform_code"] = header["sform_code"] = 1
    rotation = affine[:3, :3] / grid.spacing
    if np.linalg.det(rotation) < 0:
        header["pixdim"][0] = -1
        rotation = rotation * [1, 1, -1]
    header["quatern"] = _quaternion(rotation)
    header["qoffset"] = affine[:3, 3]
    header["srow"] = affine[:3]
    header["magic"] = b"n+1"
    return header.tobytes() + bytes([bool(extension), 0, 0, 0]) + extension


def _label_table(organs: frozenset[int] | None) -> bytes:
    """A header extension with the names and colours of a label map's numbers; b"" for images.

    It is what TotalSegmentator writes: XML of Caret, with the code of unknown content.
    """
    if organs is None:
        return b""
    labels = ""
    for organ in (BY_NUMBER[number] for number in sorted(organs) if number in BY_NUMBER):
        red, green, blue = (f"{channel / 255:.6g}" for channel in organ.colour)
        labels += (f'<Label Key="{organ.number}" Red="{red}" Green="{green}" Blue="{blue}" '
                   f'Alpha="1"><![CDATA[{organ.name}]]></Label>\n')
    xml = ('<?xml version="1.0" encoding="UTF-8"?>\n<CaretExtension><VolumeInformation Index="0">\n'
           f"<LabelTable>\n{labels}</LabelTable>\n<VolumeType><![CDATA[Label]]></VolumeType>\n"
           "</VolumeInformation></CaretExtension>").encode()
    size = -(-(len(xml) + 8) // 16) * 16  # must be a multiple of 16
    return struct.pack("<ii", size, UNKNOWN) + xml.ljust(size - 8)


def _describe(organs: frozenset[int] | None) -> str:
    if organs is None:
        return SOFTWARE
    return f"{SOFTWARE} organs {' '.join(map(str, sorted(organs)))}"  # at most 80 characters


def _quaternion(rotation: np.ndarray) -> np.ndarray:
    """(b, c, d) of a rotation, with a ≥ 0.

    The entries of R are quadratic in q, so that 4qqᵀ - 1 can be written down from R, and q is
    its first eigenvector (Bar-Itzhack, J Guid Control Dyn 2000;23:1085).
    """
    r = rotation
    trace = np.trace(r)
    lower = np.diag([trace, *(2 * np.diag(r) - trace)])
    lower[1:, 0] = r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]
    lower[2, 1], lower[3, 1] = r[0, 1] + r[1, 0], r[0, 2] + r[2, 0]
    lower[3, 2] = r[1, 2] + r[2, 1]
    quaternion = np.linalg.eigh(lower).eigenvectors[:, -1]
    return quaternion[1:] * (1 if quaternion[0] >= 0 else -1)
