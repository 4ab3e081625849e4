"""Units of length in headers."""

from __future__ import annotations

from pathlib import Path

from metaunetr.errors import InputError

IN_MM = {"m": 1000.0, "cm": 10.0, "mm": 1.0, "um": 0.001}
NAMES = {
    "meter": "m", "metre": "m", "centimeter": "cm", "centimetre": "cm", "millimeter": "mm",
    "millimetre": "mm", "micrometer": "um", "micrometre": "um", "micron": "um",
    "µm": "um", "μm": "um",  # micro sign and Greek mu
}
UNKNOWN = ("", "?", "???")  # millimetres in practice


def millimetres(path: Path, unit: str) -> float:
    """The length in mm of a unit that the header at `path` has.

    Raises:
        InputError: the unit is not known.
    """
    size = known(unit)
    if size is None:
        raise InputError(f"{path}: the unit of length must be m, cm, mm or um, the header says "
                         f"{unit[:40]!a}; save the image again in mm")
    return size


def known(unit: str) -> float | None:
    """The length in mm of a unit; None for what is not a unit of length."""
    name = unit.strip().lower()
    if name in UNKNOWN:
        return 1.0
    return IN_MM.get(NAMES.get(name.removesuffix("s"), name))
