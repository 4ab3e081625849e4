"""Stored values of slices become HU, each slice by its own slope and intercept.

Uncompressed values are read directly; SimpleITK decodes compressed ones.
"""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset

from metaunetr.errors import InputError, OutputError
from metaunetr.fill import AIR, DARK, regions
from metaunetr.io.dicom.header import Slice, first_line
from metaunetr.io.itk import array_of, reason

BRIGHTEST = 3071  # HU; the end of the 12-bit scale
UNCOMPRESSED = (  # transfer syntaxes: none, implicit, explicit, explicit big endian
    "", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2",
)
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7.3"  # multi-frame grayscale word


class Pixels:
    """HU of slices; the decoded values of a multi-frame file are kept for its other frames."""

    def __init__(self) -> None:
        self.stored: dict[Path, np.ndarray] = {}

    def volume(self, slices: list[Slice]) -> np.ndarray:
        """HU (D, H, W): int16 if all are integers and fit, else float32.

        Raises:
            InputError: a slice cannot be decoded.
            OutputError: the temporary folder has no room for decoding.
        """
        width, height = slices[0].size
        array = np.empty((len(slices), height, width), np.int16)
        for k, item in enumerate(slices):
            plane = self.plane(item)
            if array.dtype == np.int16 and not _fits(plane):
                array = array.astype(np.float32)
            with np.errstate(over="ignore"):  # infinite values are refused by the input guard
                array[k] = plane
        return array

    def same(self, one: Slice, other: Slice) -> bool:
        """Whether two slices have the same HU."""
        return np.array_equal(self.plane(one), self.plane(other))

    def plane(self, item: Slice) -> np.ndarray:
        """HU (H, W) of one slice.

        Raises:
            InputError, OutputError: as `volume`.
        """
        if item.frame is None:
            plane = stored_values(item)[0]
        else:
            if item.path not in self.stored:
                self.stored[item.path] = stored_values(item)
            plane = self.stored[item.path][item.frame]
        slope, intercept = rescale(item)
        return _without_padding(item, plane.astype(np.float64) * slope + intercept)


def rescale(item: Slice) -> tuple[float, float]:
    """Rescale Slope and Rescale Intercept; a slice without them stores HU."""
    slope, intercept = (
        float(item.numbers(keyword, 1)[0]) if item.text(keyword) else default
        for keyword, default in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0)))
    return slope, intercept


def stored_values(item: Slice) -> np.ndarray:
    """All frames (N, H, W) of a file before rescaling, as integers.

    Raises:
        InputError: the pixels cannot be decoded, or are fewer than the header says.
        OutputError: the temporary folder has no room for decoding.
    """
    count = int(item.numbers("NumberOfFrames", 1)[0]) if item.text("NumberOfFrames") else 1
    shape = (max(1, count), *item.size[::-1])
    try:
        array = (_decoded if item.pixels.encapsulated else _uncompressed)(item, shape)
    except OSError as error:
        raise InputError(f"{item.path}: cannot be read: {error.strerror or error}") from None
    if array.shape != shape:
        raise InputError(
            f"{item.path}: the pixels cannot be read: the header says {shape} (frames, rows, "
            f"columns), {array.shape} are there"
        )
    return array


def _uncompressed(item: Slice, shape: tuple[int, int, int]) -> np.ndarray:
    pixels = item.pixels
    allocated, stored, signed = (
        int(item.text(keyword))
        for keyword in ("BitsAllocated", "BitsStored", "PixelRepresentation"))
    if pixels.syntax not in UNCOMPRESSED or (allocated == 8 and not pixels.little_endian):
        raise InputError(
            f"{item.path}: the pixels cannot be read: {allocated} bits in the transfer syntax "
            f"{pixels.syntax} are not supported; convert the file to Explicit VR Little Endian"
        )
    dtype = np.dtype(f"{'<' if pixels.little_endian else '>'}{'ui'[signed]}{allocated // 8}")
    count = int(np.prod(shape, dtype=object))
    if count * dtype.itemsize > pixels.stop - pixels.start:
        raise InputError(
            f"{item.path}: the pixels cannot be read: {count * dtype.itemsize} bytes belong to "
            f"them, {pixels.stop - pixels.start} are there"
        )
    array = np.fromfile(item.path, dtype, count, offset=pixels.start)
    array = array.astype(dtype.newbyteorder("="), copy=False)
    if len(array) < count:
        raise InputError(f"{item.path}: the file has changed while it was read; try again")
    # The bits above the stored ones may hold anything, or lack the sign.
    unused = allocated - stored
    return ((array << unused) >> unused if unused else array).reshape(shape)


def _decoded(item: Slice, shape: tuple[int, int, int]) -> np.ndarray:
    """By SimpleITK, from a copy with the pixels alone.

    Of a whole file, SimpleITK 2.5.7 would rescale every frame as the first, and allocate what any
    damaged element claims.
    """
    plain, plain.file_meta = Dataset(), FileMetaDataset()
    plain.SamplesPerPixel, plain.PhotometricInterpretation = 1, "MONOCHROME2"
    plain.NumberOfFrames, plain.Rows, plain.Columns = shape
    for keyword in ("BitsAllocated", "BitsStored", "PixelRepresentation"):
        setattr(plain, keyword, int(item.text(keyword)))
    plain.HighBit = plain.BitsStored - 1
    plain.SOPClassUID = plain.file_meta.MediaStorageSOPClassUID = SECONDARY_CAPTURE
    plain.SOPInstanceUID = plain.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
    plain.file_meta.TransferSyntaxUID = item.pixels.syntax
    with open(item.path, "rb") as file:
        file.seek(item.pixels.start)
        plain.add_new("PixelData", "OB", file.read(item.pixels.stop - item.pixels.start))
    plain["PixelData"].is_undefined_length = True
    try:
        with TemporaryDirectory(prefix="metaunetr-") as folder:
            copy = Path(folder) / "frames.dcm"
            plain.save_as(copy, enforce_file_format=True)
            array = np.array(array_of(sitk.ReadImage(str(copy), imageIO="GDCMImageIO")))
    except RuntimeError as error:
        raise InputError(f"{item.path}: the pixels cannot be read: {reason(error)}") from None
    except OSError as error:
        raise OutputError(
            f"{item.path}: no copy of its pixels can be written to the temporary folder "
            f"{_temporary_folder()} ({_cause(error)}); make room there, or set TMPDIR to another "
            "folder"
        ) from None
    except Exception as error:  # of any type: pydicom does not wrap what damaged bytes raise
        raise InputError(f"{item.path}: the pixels cannot be read: {first_line(error)}") from None
    return array[None] if array.ndim == 2 else array


def _temporary_folder() -> str:
    try:
        return gettempdir()
    except OSError:  # none can be written to
        return os.environ.get("TMPDIR", "")


def _cause(error: OSError) -> str:
    """What the system said; pydicom wraps it in an error of the same type and a longer text."""
    while isinstance(error.__cause__, OSError):
        error = error.__cause__
    return error.strerror or first_line(error)


def _fits(plane: np.ndarray) -> bool:
    """Whether int16 holds the values exactly."""
    low, high = plane.min(), plane.max()
    return low >= -32768 and high <= 32767 and np.array_equal(plane, np.trunc(plane))


def _without_padding(item: Slice, plane: np.ndarray) -> np.ndarray:
    """Padding values above bone become air.

    The values that scanners write around their circle are below air, and stay. But 63536, which is
    -2000 in files without the sign, would be brighter than any bone. Padding with a value that
    tissue or metal may have as well counts only in regions that reach the border of the slice.
    """
    keywords = ("PixelPaddingValue", "PixelPaddingRangeLimit")
    try:
        ends = [int(item.text(keyword)) for keyword in keywords if item.text(keyword)]
    except ValueError:
        return plane
    if not item.text("PixelPaddingValue"):
        return plane
    if item.text("PixelRepresentation") == "0":
        ends = [end % (1 << 16) for end in ends]
    slope, intercept = rescale(item)
    low, high = sorted(end * slope + intercept for end in (min(ends), max(ends)))
    if high <= DARK:
        return plane
    if low > BRIGHTEST:
        padding = (plane >= low) & (plane <= high)
    else:
        padding = regions(plane, low, high, bordering=True)
    return np.where(padding, float(AIR), plane) if padding.any() else plane
