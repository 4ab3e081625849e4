"""Numbers and durations as text."""

from math import floor, log10


def counted(count: int, noun: str) -> str:
    """Such as "1 file", "12,345 files"."""
    return f"{count} {noun}" if count == 1 else f"{count:,} {noun}s"


def duration(seconds: float) -> str:
    """Such as "40 s", "12 min", "3.5 h"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def millilitres(volume: float) -> str:
    """A volume above 0 with up to three digits, such as "1503", "15.2", "0.52", "0.004"."""
    exponent = floor(log10(volume))
    return f"{volume:.{max(0, min(2 - exponent, max(2, -exponent)))}f}"
