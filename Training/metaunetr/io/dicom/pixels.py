"""Stored values of slices become HU, each slice by its own slope and intercept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from metaunetr.errors import InputError
from metaunetr.fill import AIR, DARK, regions
from metaunetr.io.dicom import frames
from metaunetr.io.dicom.header import INTERCEPT, PADDING, PADDING_LIMIT, SIGNED, SLOPE, Slice
from metaunetr.io.itk import array_of, reason

BRIGHTEST = 3071  # HU; the end of the 12-bit scale


class Pixels:
    """HU of slices; what is decoded of a multi-frame file is kept for its other frames."""

    def __init__(self) -> None:
        self.reader = sitk.ImageFileReader()
        self.reader.SetImageIO("GDCMImageIO")
        self.stored: dict[Path, np.ndarray] = {}

    def volume(self, slices: list[Slice]) -> np.ndarray:
        """HU (D, H, W): int16 if all are whole and fit, else float32.

        Raises:
            InputError: a slice cannot be decoded.
        """
        width, height = slices[0].size
        array = np.empty((len(slices), height, width), np.int16)
        for k, item in enumerate(slices):
            plane = self.plane(item)
            if array.dtype == np.int16 and not _fits(plane):
                array = array.astype(np.float32)
            array[k] = plane
        return array

    def same(self, one: Slice, other: Slice) -> bool:
        """Whether two slices have the same HU."""
        return np.array_equal(self.plane(one), self.plane(other))

    def plane(self, item: Slice) -> np.ndarray:
        """HU (H, W) of one slice.

        Raises:
            InputError: it cannot be decoded, or not to the size that its header says.
        """
        plane = self._plane(item)
        if plane.shape != item.size[::-1]:
            raise InputError(
                f"{item.path}: the pixels cannot be read: {item.size[::-1]} are promised, "
                f"{plane.shape} are there"
            )
        return _without_padding(item, plane)

    def _plane(self, item: Slice) -> np.ndarray:
        if item.frame is None:
            return self._decoded(item.path)
        if item.path not in self.stored:
            self.stored[item.path] = frames.stored_values(item.path)
        stored = self.stored[item.path]
        if item.frame >= len(stored):
            raise InputError(f"{item.path}: {item.name} is missing, the file has {len(stored)}")
        (slope,), (intercept,) = item.numbers(SLOPE, 1), item.numbers(INTERCEPT, 1)
        return stored[item.frame] * slope + intercept

    def _decoded(self, path: Path) -> np.ndarray:
        """HU of a file with one slice: whole numbers where slope and intercept are."""
        self.reader.SetFileName(str(path))
        try:
            array = array_of(self.reader.Execute())
        except RuntimeError as error:
            raise InputError(f"{path}: the pixels cannot be read: {reason(error)}") from None
        return array[0] if array.ndim == 3 and len(array) == 1 else array


def _fits(plane: np.ndarray) -> bool:
    if np.can_cast(plane.dtype, np.int16):
        return True
    if plane.dtype.kind == "f" and not np.array_equal(plane, np.trunc(plane)):
        return False
    return plane.min() >= -32768 and plane.max() <= 32767


def _without_padding(item: Slice, plane: np.ndarray) -> np.ndarray:
    """Padding that is brighter than air becomes air.

    What scanners write around their circle lies below air, and stays. But 63536, which is -2000
    in files that forgot the sign, would be brighter than any bone; and padding with a value that
    tissue or metal may have as well counts only in regions that reach the border of the slice.
    """
    try:
        ends = [int(text) for text in (item.text(PADDING), item.text(PADDING_LIMIT)) if text]
        slope, intercept = float(item.text(SLOPE) or 1), float(item.text(INTERCEPT) or 0)
    except ValueError:
        return plane
    if not item.text(PADDING):
        return plane
    if item.text(SIGNED) == "0":
        ends = [end % (1 << 16) for end in ends]
    low, high = sorted(end * slope + intercept for end in (min(ends), max(ends)))
    if high <= DARK:
        return plane
    if low > BRIGHTEST:
        padding = (plane >= low) & (plane <= high)
    else:
        padding = regions(plane, low, high, bordering=True)
    return np.where(padding, float(AIR), plane) if padding.any() else plane
