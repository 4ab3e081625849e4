"""Checks of the elements that HU are computed from."""

from __future__ import annotations

from collections.abc import Iterable

from metaunetr.errors import InputError
from metaunetr.io.dicom.header import Slice, tag_of

BITS_ALLOCATED = (8, 16, 32)
RESCALE_TYPE = f"Rescale Type {tag_of('RescaleType')}"
HOUNSFIELD = ("", "HU")  # in CT, the type may be absent if it is HU (PS3.3 C.8.2.1)
OTHER_UNITS = {  # defined terms of PS3.3 C.11.1.1.2 that are no HU
    "OD": "optical density", "MGML": "mg/mL", "Z_EFF": "effective atomic number",
    "ED": "electron density", "EDW": "electron density relative to water", "PCT": "percent",
}


def check_elements(item: Slice) -> None:
    """Refuse a slice, or a multi-frame file, whose voxels would be decoded to wrong values.

    Positions, orientation and spacing are checked where the grid is made of them. A slice without
    slope and intercept stores HU; a frame must have both.

    Raises:
        InputError: the message names file, element and value.
    """
    kind = item.text("PhotometricInterpretation")
    if kind == "MONOCHROME1":
        raise InputError(
            f"{item.path}: the slices are stored inverted (MONOCHROME1); convert them to "
            "MONOCHROME2 first"
        )
    if kind != "MONOCHROME2":
        raise InputError(
            f"{item.path}: voxels must be single numbers, these are colours ({kind})"
        )
    if item.text("NumberOfFrames") and _integer(item, "NumberOfFrames") < 0:
        item.refuse("NumberOfFrames", "positive")
    if item.text("SamplesPerPixel") and _integer(item, "SamplesPerPixel") != 1:
        item.refuse("SamplesPerPixel", "1")
    allocated, stored = _integer(item, "BitsAllocated"), _integer(item, "BitsStored")
    if allocated not in BITS_ALLOCATED:
        item.refuse("BitsAllocated", f"one of {', '.join(map(str, BITS_ALLOCATED))}")
    if not 1 <= stored <= allocated:
        item.refuse("BitsStored", f"1 to Bits Allocated ({allocated})")
    if item.text("HighBit") and _integer(item, "HighBit") != stored - 1:
        item.refuse("HighBit", f"Bits Stored - 1 ({stored - 1})")
    if _integer(item, "PixelRepresentation") not in (0, 1):
        item.refuse("PixelRepresentation", "0 or 1")
    if item.text("ModalityLUTSequence"):
        raise InputError(
            f"{item.path}: the stored values become HU by a table, the Modality LUT Sequence "
            f"{tag_of('ModalityLUTSequence')}, which is not supported; convert the series to one "
            "with Rescale Slope and Rescale Intercept"
        )
    if item.is_multiframe:
        return
    if (unit := item.text("RescaleType").upper()) in OTHER_UNITS:
        raise InputError(
            f"{item.where}: {RESCALE_TYPE} must be HU, it is {item.text('RescaleType')!r} "
            f"({OTHER_UNITS[unit]}); choose the series with HU"
        )
    if item.frame is not None or item.text("RescaleSlope"):
        (slope,) = item.numbers("RescaleSlope", 1)
        if slope == 0:
            item.refuse("RescaleSlope", "other than 0")
    if item.frame is not None or item.text("RescaleIntercept"):
        item.numbers("RescaleIntercept", 1)


def inspect_units(slices: Iterable[Slice]) -> list[str]:
    """A warning when Rescale Type does not say that the values are HU.

    Old CTs say "US", unspecified, and store HU; "HU_MOD" are HU without contrast agent, say.
    """
    units = sorted({item.text("RescaleType") for item in slices
                    if item.text("RescaleType").upper() not in HOUNSFIELD})
    if not units:
        return []
    return [f"{RESCALE_TYPE} is {', '.join(map(repr, units))} instead of HU; the values are taken "
            "for HU."]


def _integer(item: Slice, keyword: str) -> int:
    (number,) = item.numbers(keyword, 1)
    if number != int(number):
        item.refuse(keyword, "a whole number")
    return int(number)
