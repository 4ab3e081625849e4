"""Whether the elements that HU are computed from are what they must be."""

from __future__ import annotations

from metaunetr.errors import InputError
from metaunetr.io.dicom.header import (
    ALLOCATED,
    FRAMES,
    HIGH_BIT,
    INTERCEPT,
    PHOTOMETRIC,
    SAMPLES,
    SIGNED,
    SLOPE,
    STORED,
    Slice,
)

BITS_ALLOCATED = (8, 16, 32)


def check_elements(item: Slice) -> None:
    """Refuse a slice, or a multi-frame file, whose voxels would be decoded to wrong values.

    Positions, orientation and spacing are checked where the grid is made of them. A slice without
    slope and intercept stores HU; a frame must have both.

    Raises:
        InputError: the message names file, element and value.
    """
    kind = item.text(PHOTOMETRIC)
    if kind == "MONOCHROME1":
        raise InputError(
            f"{item.path}: the slices are stored inverted (MONOCHROME1); convert them to "
            "MONOCHROME2 first"
        )
    if kind != "MONOCHROME2":
        raise InputError(
            f"{item.path}: voxels must be single numbers, these are colours ({kind})"
        )
    if item.text(FRAMES) and _whole(item, FRAMES) < 0:
        item.refuse(FRAMES, "positive")
    if item.text(SAMPLES) and _whole(item, SAMPLES) != 1:
        item.refuse(SAMPLES, "1")
    allocated, stored = _whole(item, ALLOCATED), _whole(item, STORED)
    if allocated not in BITS_ALLOCATED:
        item.refuse(ALLOCATED, f"one of {', '.join(map(str, BITS_ALLOCATED))}")
    if not 1 <= stored <= allocated:
        item.refuse(STORED, f"1 to Bits Allocated ({allocated})")
    if item.text(HIGH_BIT) and _whole(item, HIGH_BIT) != stored - 1:
        item.refuse(HIGH_BIT, f"Bits Stored - 1 ({stored - 1})")
    if _whole(item, SIGNED) not in (0, 1):
        item.refuse(SIGNED, "0 or 1")
    if item.several:
        return
    if item.frame is not None or item.text(SLOPE):
        (slope,) = item.numbers(SLOPE, 1)
        if slope == 0:
            item.refuse(SLOPE, "other than 0")
    if item.frame is not None or item.text(INTERCEPT):
        item.numbers(INTERCEPT, 1)


def _whole(item: Slice, tag: str) -> int:
    (number,) = item.numbers(tag, 1)
    if number != int(number):
        item.refuse(tag, "a whole number")
    return int(number)
