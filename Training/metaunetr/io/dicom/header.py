"""The header of one DICOM file, or of one frame of it, read by pydicom.

pydicom gets a memory map of the file, so that it fails where an element claims more bytes than the
file has. GDCM, in SimpleITK 2.5.7, allocates up to 4 GB for such an element, keeps them when
reading fails, and is not thread-safe: it only gets compressed pixels, see `pixels`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from io import SEEK_END, BytesIO
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO, NoReturn

import numpy as np
from pydicom.charset import convert_encodings, decode_bytes
from pydicom.datadict import dictionary_description, dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.encaps import parse_fragments
from pydicom.filereader import read_partial
from pydicom.tag import Tag

from metaunetr import library_messages
from metaunetr.errors import InputError

KEYWORDS = (  # of the elements that are read
    "ImageType", "SOPClassUID", "SOPInstanceUID", "AcquisitionTime", "ContentTime", "Modality",
    "SeriesDescription", "PatientID", "SliceThickness", "ConvolutionKernel", "StudyInstanceUID",
    "SeriesInstanceUID", "SeriesNumber", "AcquisitionNumber", "InstanceNumber",
    "ImagePositionPatient", "ImageOrientationPatient", "FrameOfReferenceUID",
    "TemporalPositionIdentifier", "ImagesInAcquisition", "SamplesPerPixel",
    "PhotometricInterpretation", "NumberOfFrames", "Rows", "Columns", "PixelSpacing",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue",
    "PixelPaddingRangeLimit", "RescaleIntercept", "RescaleSlope", "RescaleType",
    "LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod",
    "ModalityLUTSequence",
)
ROUNDING = 0.01  # from 1, of the length of a direction whose numbers have two decimals
LONGEST = 256  # bytes of a text that are kept; names, UIDs and vectors are shorter
HEAD = 1 << 16  # bytes of a damaged file in which its modality is looked for
DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)  # PS3.5 6.2, DS
PIXEL_DATA, UNDEFINED_LENGTH = 0x7FE00010, 0xFFFFFFFF
MULTIFRAME = (  # Enhanced CT and Legacy Converted Enhanced CT Image Storage
    "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2",
)
DEFLATED = b"1.2.840.10008.1.2.1.99"  # the transfer syntax
NO_IMAGES = (  # DICOMDIR, raw data, Siemens' CSA objects; these have no pixel data
    "1.2.840.10008.1.3.10", "1.2.840.10008.5.1.4.1.1.66", "1.3.12.2.1107.5.9.1",
)


@dataclass(frozen=True)
class PixelData:
    """Where the stored values are in a file, and how they are encoded.

    Attributes:
        start, stop: of the bytes of the value, without its delimiter.
        encapsulated: the value is a sequence of fragments, as of compressed images.
        syntax: Transfer Syntax UID.
    """

    start: int
    stop: int
    encapsulated: bool
    little_endian: bool
    syntax: str


@dataclass(frozen=True)
class Slice:
    """The header of one DICOM file, or of one frame of it.

    Attributes:
        size: (W, H).
        values: the elements as text, by keyword; a backslash separates the values of one.
        frame: index of the frame in a multi-frame file; None for a file of one slice, and for a
            multi-frame file as a whole.
    """

    path: Path
    size: tuple[int, int]
    values: dict[str, str]
    pixels: PixelData
    frame: int | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.path.name if self.frame is None else f"frame {self.frame + 1}"

    @property
    def where(self) -> str:
        """The file, and the frame in it: what messages about its elements begin with."""
        return str(self.path) if self.frame is None else f"{self.path}: {self.name}"

    @property
    def is_multiframe(self) -> bool:
        """Whether it is a multi-frame file as a whole."""
        many = (self.text("SOPClassUID") in MULTIFRAME
                or self.text("NumberOfFrames") not in ("", "0", "1"))
        return many and self.frame is None

    @property
    def series(self) -> str:
        """Series Instance UID; "" where there is none."""
        return self.text("SeriesInstanceUID")

    @property
    def position(self) -> np.ndarray:
        """Image Position (Patient): LPS mm of the centre of the first pixel."""
        return self.numbers("ImagePositionPatient", 3)

    @property
    def axes(self) -> np.ndarray:
        """Image Orientation (Patient): unit vectors (6,) along i and j in LPS.

        Rounded numbers are brought to unit length: else slices whose numbers have six decimals
        seem to be tilted.
        """
        axes = self.numbers("ImageOrientationPatient", 6).reshape(2, 3)
        length = np.linalg.norm(axes, axis=1, keepdims=True)
        return (axes / np.where(np.abs(length - 1) < ROUNDING, length, 1)).ravel()

    @property
    def spacing(self) -> np.ndarray:
        """Pixel Spacing: mm between rows and between columns."""
        return self.numbers("PixelSpacing", 2)

    def text(self, keyword: str) -> str:
        """The element as text; "" where there is none."""
        return self.values.get(keyword, "")

    def numbers(self, keyword: str, count: int) -> np.ndarray:
        """The `count` numbers of an element.

        Raises:
            InputError: the element is missing or has another value.
        """
        words = [word.strip() for word in self.text(keyword).split("\\")]
        values = np.array([float(word) for word in words if DECIMAL.fullmatch(word)])
        if len(values) != len(words) or len(words) != count or not np.isfinite(values).all():
            self.refuse(keyword, "a number" if count == 1 else f"{count} numbers")
        return values

    def refuse(self, keyword: str, rule: str) -> NoReturn:
        """Raise an InputError that says what the element must be, and what it is."""
        raise InputError(f"{self.where}: {dictionary_description(keyword)} must be {rule}, it is "
                         f"{self.text(keyword)[:100]!r}")


def tag_of(keyword: str) -> str:
    """The tag of an element, such as "(0028,1053)"."""
    return str(Tag(keyword)).lower()


@library_messages.hidden()  # pydicom's, about damage, which is reported with the file's name
def read_header(path: Path, more: Iterable[str] = ()) -> Slice | None:
    """The header of the DICOM image at `path`; None when it is damaged, deflated or no image.

    Args:
        more: keywords of elements to read beside KEYWORDS.

    Raises:
        OSError: the file cannot be opened.
    """
    try:
        data, pixels = _parse(path, (*KEYWORDS, *more))
    except InputError:
        return None
    values = values_of(data)
    size = tuple(int(text) if (text := values.get(keyword, "")).isdecimal() else 0
                 for keyword in ("Columns", "Rows"))
    return None if pixels is None or 0 in size else Slice(path, size, values, pixels)


@library_messages.hidden()
def read_dataset(path: Path, keywords: Iterable[str]) -> Dataset:
    """Some elements of a DICOM file, as pydicom has them.

    Raises:
        InputError: the file is damaged.
        OSError: it cannot be opened.
    """
    return _parse(path, keywords)[0]


def values_of(data: Dataset) -> dict[str, str]:
    """The elements of a data set as text, by keyword, whether their values are valid or not."""
    encodings = ["iso8859"]
    if "SpecificCharacterSet" in data:
        names = _text(_raw(data, "SpecificCharacterSet"), encodings, False)
        with suppress(LookupError, ValueError):  # for names that are no encodings
            encodings = convert_encodings([name.strip() for name in names.split("\\")])
    signed = ("PixelRepresentation" in data
              and _text(_raw(data, "PixelRepresentation"), encodings, False) == "1")
    return {keyword: _text(_raw(data, tag), encodings, signed)
            for tag in list(data.keys())  # iterating over `data` would convert, and may fail
            if (keyword := keyword_for_tag(tag))}


def first_line(error: Exception) -> str:
    """The first line of an error's message, or the error's type where it has none."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _parse(path: Path, keywords: Iterable[str]) -> tuple[Dataset, PixelData | None]:
    """The elements before the pixel data, and where these are; None when they are incomplete.

    Raises:
        InputError: the file is damaged.
        OSError: it cannot be opened.
    """
    with open(path, "rb") as file:
        head = file.read(HEAD)
        if DEFLATED in head or not head.strip(b"\0"):  # a small file can expand to gigabytes
            raise InputError(f"{path}: is deflated, empty or zeros")
        try:
            mapped = mmap(file.fileno(), 0, access=ACCESS_READ)
        except OSError:  # some file systems have no memory maps
            file.seek(0)
            mapped = BytesIO(file.read())
    with mapped:
        try:
            return _elements_and_pixels(mapped, keywords)
        except Exception as error:  # of any type: pydicom does not wrap what damage raises
            raise InputError(f"{path}: cannot be read as DICOM: {first_line(error)}") from None


def _elements_and_pixels(
    file: BinaryIO, keywords: Iterable[str]
) -> tuple[Dataset, PixelData | None]:
    with suppress(Exception):  # of any type, see `_parse`
        data = _elements(file, keywords)
        if (pixels := _pixel_data(file, data)) or _is_at_end(file):
            return data, pixels
    data = _elements(_WithValidVR(file), keywords)
    return data, _pixel_data(file, data)


def _is_at_end(file: BinaryIO) -> bool:
    """Whether the position is the end; after an invalid length it may be beyond it."""
    position = file.tell()
    file.seek(0, SEEK_END)
    return position == file.tell()


class _WithValidVR:
    """A file whose elements with the VR "??" have another one that has a length of two bytes.

    Some scanners write "??". pydicom 3.0 reads elements with an invalid VR as implicit, with a
    length of four bytes, unless a setting of the whole process is changed.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.seek, self.tell = file, file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        if size == 8 and data[4:6] == b"??":  # tag, VR, length
            return data[:4] + b"LO" + data[6:]
        return data


def _elements(file: BinaryIO, keywords: Iterable[str]) -> Dataset:
    """Those before the pixel data, where `file` is then positioned."""
    file.seek(0)
    # Plain integers: pydicom's tags are compared ten times more slowly.
    return read_partial(file, lambda tag, *_: int(tag) >= PIXEL_DATA, force=True,
                        specific_tags=list(map(tag_for_keyword, keywords)))


def _pixel_data(file: BinaryIO, data: Dataset) -> PixelData | None:
    implicit, little_endian = data.original_encoding
    order, head = "<" if little_endian else ">", file.read(8 if implicit else 12)
    if len(head) < 8 or struct.unpack_from(f"{order}HH", head) != (0x7FE0, 0x0010):
        return None
    (length,) = struct.unpack_from(f"{order}L", head, len(head) - 4)
    start = stop = file.tell()
    if length == UNDEFINED_LENGTH:
        _, fragments = parse_fragments(file, endianness=order)
        file.seek(fragments[-1] + 4)
        (last,) = struct.unpack(f"{order}L", file.read(4))
        stop = file.tell() + last
    else:
        stop += length
    file.seek(0, SEEK_END)  # returns nothing for memory maps before Python 3.13
    if stop > file.tell():
        return None
    syntax = str(data.file_meta.get("TransferSyntaxUID", ""))
    return PixelData(start, stop, length == UNDEFINED_LENGTH, little_endian, syntax)


def _raw(data: Dataset, tag):
    """An element as it is in the file; pydicom would convert an empty one, which may fail."""
    return data.get_item(tag, keep_deferred=True)


def _text(element, encodings: list[str], signed: bool) -> str:
    """The value as it is in the file, without a conversion that could fail.

    Args:
        element: of pydicom, raw or converted.
        signed: whether padding values of an unknown kind have a sign.
    """
    kind, value = dictionary_VR(element.tag), element.value
    if kind == "SQ":
        return "a sequence" if value else ""
    if not isinstance(value, bytes):
        many = isinstance(value, (list, tuple)) or hasattr(value, "append")
        return "\\".join(map(str, value)) if many else str("" if value is None else value)
    if kind in ("US", "SS", "US or SS"):
        if len(value) != 2:
            return ""
        has_sign = element.VR == "SS" or (element.VR != "US" and kind != "US" and signed)
        order = "<" if element.is_little_endian else ">"
        return str(struct.unpack(order + ("h" if has_sign else "H"), value)[0])
    value = value[:LONGEST].partition(b"\0")[0]
    if value.isascii() and b"\x1b" not in value:
        return value.decode("ascii").strip()
    try:
        return decode_bytes(value, encodings, set()).strip()
    except (LookupError, ValueError):  # the character set is none
        return value.decode("ascii", "replace").strip()


def is_dicom(path: Path) -> bool:
    """Whether the file at `path` looks like DICOM: by its mark, its name, or its first element.

    Files of old archives have neither preamble nor suffix; they begin with group 8.

    Raises:
        OSError: the file cannot be opened.
    """
    with open(path, "rb") as file:
        head = file.read(132)
    return (head[128:] == b"DICM" or path.suffix.lower() in (".dcm", ".ima")
            or re.match(rb"\x08\0[\0-\x20]\0(UL|CS|UI|DA|.\0\0\0)", head, re.DOTALL) is not None)


def is_ct(path: Path, series: str = "") -> bool:
    """Whether a damaged DICOM file was a CT slice, of the series with this UID if one is given.

    Raises:
        OSError: the file cannot be opened.
    """
    head = _head(path)
    if DEFLATED in head:
        return True  # it may be one
    return _readable(head).get("Modality") == "CT" and series.encode() in head


def is_unidentified(path: Path) -> bool:
    """Whether a damaged DICOM file may be a CT slice, and ends before it says of which series.

    A file with Rows has said that before.

    Raises:
        OSError: the file cannot be opened.
    """
    values = _readable(_head(path))
    kinds = values.get("MediaStorageSOPClassUID"), values.get("SOPClassUID")
    return (values.get("Modality", "") in ("", "CT") and "Rows" not in values
            and not any(kind in NO_IMAGES for kind in kinds))


def _head(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(HEAD)


@library_messages.hidden()
def _readable(head: bytes) -> dict[str, str]:
    """The elements of a damaged file as far as they can be read, with its meta information."""
    try:
        # Unlike a memory map, BytesIO may be positioned after its end.
        data = _elements(BytesIO(head), ("Modality", "SOPClassUID", "Rows"))
        return values_of(data.file_meta) | values_of(data)
    except Exception:  # of any type, see `_parse`
        return {}
