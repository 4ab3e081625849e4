"""What one DICOM file, or one frame of it, says about itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from metaunetr.errors import InputError
from metaunetr.io.dicom.elements import PIXELS, read_elements

CHARACTERS, IMAGE_TYPE, CLASS, INSTANCE = "0008|0005", "0008|0008", "0008|0016", "0008|0018"
ACQUISITION_TIME, CONTENT_TIME = "0008|0032", "0008|0033"
MODALITY, DESCRIPTION = "0008|0060", "0008|103e"
THICKNESS, KERNEL = "0018|0050", "0018|1210"
SERIES, NUMBER, ACQUISITION = "0020|000e", "0020|0011", "0020|0012"
IMAGE_NUMBER, IMAGES_IN_ACQUISITION = "0020|0013", "0020|1002"
POSITION, ORIENTATION, TEMPORAL, STACK = "0020|0032", "0020|0037", "0020|0100", "0020|9056"
ROWS, COLUMNS = "0028|0010", "0028|0011"
SAMPLES, PHOTOMETRIC, FRAMES, SPACING = "0028|0002", "0028|0004", "0028|0008", "0028|0030"
ALLOCATED, STORED, HIGH_BIT = "0028|0100", "0028|0101", "0028|0102"
SIGNED, PADDING, PADDING_LIMIT = "0028|0103", "0028|0120", "0028|0121"
INTERCEPT, SLOPE = "0028|1052", "0028|1053"
TAGS = (
    CHARACTERS, IMAGE_TYPE, CLASS, INSTANCE, ACQUISITION_TIME, CONTENT_TIME, MODALITY, DESCRIPTION,
    THICKNESS, KERNEL, SERIES, NUMBER, ACQUISITION, IMAGE_NUMBER, POSITION, ORIENTATION, TEMPORAL,
    IMAGES_IN_ACQUISITION, SAMPLES, PHOTOMETRIC, FRAMES, SPACING, ALLOCATED, STORED, HIGH_BIT,
    SIGNED, PADDING, PADDING_LIMIT, INTERCEPT, SLOPE,
)
NAMES = {
    POSITION: "Image Position (Patient)", ORIENTATION: "Image Orientation (Patient)",
    SPACING: "Pixel Spacing", THICKNESS: "Slice Thickness", SLOPE: "Rescale Slope",
    INTERCEPT: "Rescale Intercept", FRAMES: "Number of Frames", SAMPLES: "Samples per Pixel",
    ALLOCATED: "Bits Allocated", STORED: "Bits Stored", HIGH_BIT: "High Bit",
    SIGNED: "Pixel Representation",
}
DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)  # PS3.5 6.2, DS
CODECS = {  # PS3.3 C.12.1.1.2; what is not here is shown as far as it is ASCII
    "ISO_IR 100": "latin-1", "ISO_IR 101": "iso8859-2", "ISO_IR 109": "iso8859-3",
    "ISO_IR 110": "iso8859-4", "ISO_IR 144": "iso8859-5", "ISO_IR 127": "iso8859-6",
    "ISO_IR 126": "iso8859-7", "ISO_IR 138": "iso8859-8", "ISO_IR 148": "iso8859-9",
    "ISO_IR 13": "shift-jis", "ISO_IR 166": "tis-620", "ISO_IR 192": "utf-8",
    "GB18030": "gb18030", "GBK": "gbk", "ISO 2022 IR 87": "iso2022-jp",
    "ISO 2022 IR 149": "euc-kr", "ISO 2022 IR 58": "gb2312",
}
MULTIFRAME = (  # Enhanced CT and Legacy Converted Enhanced CT Image Storage
    "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2",
)
DEFLATED = b"1.2.840.10008.1.2.1.99"  # the transfer syntax
NO_IMAGES = (  # DICOMDIR, raw data, Siemens' CSA objects: these name a modality, or many
    b"1.2.840.10008.1.3.10", b"1.2.840.10008.5.1.4.1.1.66\0", b"1.3.12.2.1107.5.9.1",
)


@dataclass(frozen=True)
class Slice:
    """What the header of one DICOM file says.

    Attributes:
        size: (W, H).
        tags: text of the elements in `TAGS`.
        frame: which frame of a multi-frame file it is, counted from 0; None for a file of one
            slice, and for a multi-frame file that was not looked into.
    """

    path: Path
    size: tuple[int, int]
    tags: dict[str, str]
    frame: int | None = None

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.path.name if self.frame is None else f"frame {self.frame + 1}"

    @property
    def several(self) -> bool:
        """Whether it is a multi-frame file that was not looked into."""
        many = self.text(CLASS) in MULTIFRAME or self.text(FRAMES) not in ("", "0", "1")
        return many and self.frame is None

    def text(self, tag: str) -> str:
        """The element as text; "" where there is none."""
        raw = self.tags.get(tag, "").encode("utf-8", "surrogateescape")
        return raw.decode(self._codec(), "replace").partition("\0")[0].strip()

    def numbers(self, tag: str, count: int) -> np.ndarray:
        """The `count` numbers of `tag`.

        Raises:
            InputError: the tag is missing or holds something else.
        """
        words = [word.strip() for word in self.text(tag).split("\\")]
        values = np.array([float(word) for word in words if DECIMAL.fullmatch(word)])
        if len(values) != len(words) or len(words) != count or not np.isfinite(values).all():
            self.refuse(tag, "a number" if count == 1 else f"{count} numbers")
        return values

    def refuse(self, tag: str, rule: str) -> NoReturn:
        """Raise an InputError that says what the element must be, and what it is."""
        where = self.path if self.frame is None else f"{self.path}: {self.name}"
        value = self.text(tag)[:100]
        raise InputError(f"{where}: {NAMES[tag]} must be {rule}, it is {value!r}")

    def _codec(self) -> str:
        sets = [name.strip() for name in self.tags.get(CHARACTERS, "").split("\\")]
        sets = [name if name in CODECS else name.replace("ISO 2022 IR", "ISO_IR") for name in sets]
        return next((CODECS[name] for name in reversed(sets) if name in CODECS), "ascii")


def read_header(path: Path, wanted: Iterable[str] = TAGS) -> Slice | None:
    """The header of the DICOM image at `path`; None when it is damaged, deflated or no image.

    (GDCM needs minutes for a deflated file that is truncated, and nobody deflates CTs.)
    """
    if DEFLATED in _head(path):
        return None
    numbers = {tag: int(tag.replace("|", ""), 16) for tag in (COLUMNS, ROWS, SIGNED, *wanted)}
    elements = read_elements(path, set(numbers.values())) or {}
    size = tuple(int(elements.get(numbers[tag]) or 0) for tag in (COLUMNS, ROWS))
    if PIXELS not in elements or 0 in size:
        return None
    tags = {tag: elements[numbers[tag]] for tag in wanted if numbers[tag] in elements}
    return Slice(path, size, tags)


def is_dicom(path: Path) -> bool:
    """Whether the file at `path` looks like DICOM: by its mark, its name, or its first element.

    Files of old archives have neither preamble nor suffix; they begin with group 8.
    """
    with open(path, "rb") as file:
        head = file.read(132)
    return (head[128:] == b"DICM" or path.suffix.lower() in (".dcm", ".ima")
            or re.match(rb"\x08\0[\0-\x20]\0(UL|CS|UI|DA|.\0\0\0)", head, re.DOTALL) is not None)


def is_ct(path: Path, series: str = "") -> bool:
    """Whether a damaged DICOM file was a CT slice, of the series with this UID if one is given."""
    head = _head(path)
    if DEFLATED in head:
        return True  # it may be one
    return _modality(head) == "CT" and series.encode() in head


def is_untold(path: Path) -> bool:
    """Whether a damaged DICOM file ends before it says whether it is CT, and of which series.

    What says how many rows it has (0028,0010) has told these before.
    """
    head = _head(path)
    return _modality(head) in ("", "CT") and not re.search(rb"\x28\0\x10\0|\0\x28\0\x10", head)


def _modality(head: bytes) -> str:
    if any(kind in head for kind in NO_IMAGES):
        return "none"
    found = re.search(
        rb"\x08\0\x60\0(?:CS..|..\0\0)([A-Z]+)|\0\x08\0\x60CS..([A-Z]+)", head, re.DOTALL)
    return next(filter(None, found.groups())).decode() if found else ""


def _head(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(1 << 16)
