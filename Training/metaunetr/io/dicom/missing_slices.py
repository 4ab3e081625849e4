"""Warnings about slices that may be missing at the ends of a series, where no gap shows it."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePath

from metaunetr.errors import InputError
from metaunetr.io.dicom.header import Slice, is_ct, is_unidentified

DAMAGE = "truncated, or compressed in an unknown way (such as deflated); convert it first"
SUFFIXES = {"", ".dcm", ".dic", ".dicom", ".ima"}
ADDED = {".bz2", ".crdownload", ".filepart", ".gz", ".part", ".partial", ".tmp", ".xz", ".zst"}
HEAD = 4096  # bytes
NO_TEXT = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")
POINTER = re.compile(rb"version https://git-lfs\.github\.com/|[/.\w]*annex/objects/")
PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")  # gzip, bzip2, xz, zstd


def may_be_slice(path: Path, suffixes: Iterable[str]) -> bool:
    """Whether a file that is not recognised as DICOM may be a slice that is damaged or replaced.

    It may if it has a suffix of slices and is not text. A link without a target always may.

    Args:
        suffixes: those of the slices in the same folder, in lower case.
    """
    if is_dangling(path):
        return True
    if suffix_of(path) not in {*SUFFIXES, *suffixes}:
        return False
    try:
        head = _head(path)
    except OSError:
        return True
    return not head or NO_TEXT.search(head) is not None or POINTER.match(head) is not None


def is_dangling(path: Path) -> bool:
    """Whether `path` is a link without a target."""
    return os.path.islink(path) and not os.path.exists(path)


def suffix_of(path: Path) -> str:
    """The suffix of a slice in lower case; "" for digits, which end a UID or number."""
    name = PurePath(path.name.lower())
    if name.suffix in ADDED:
        name = PurePath(name.stem)
    return "" if name.suffix[1:].isdecimal() else name.suffix


def unreadable_files(slices: list[Slice], broken: Iterable[Path]) -> list[str]:
    """A warning when unreadable files in the folder may be slices of the series.

    Args:
        broken: the unreadable files, see `scan_folder`.

    Raises:
        InputError: one of them is a slice of the series, or cannot be opened.
    """
    kinds = Counter()
    for path in broken:
        try:
            if is_ct(path, slices[0].series):
                raise InputError(
                    f"{path}: this slice of the series cannot be read; it is {DAMAGE}"
                )
            if is_unidentified(path):
                kinds[_kind(path)] += 1
        except OSError as error:
            if not is_dangling(path):
                raise InputError(
                    f"{path}: cannot be read: {error.strerror or error}; it may be a slice of the "
                    "series"
                ) from None
            kinds["without a target"] += 1
    if not kinds:
        return []
    count = kinds.total()
    listed = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    return [f"{count} file{'s' * (count > 1)} beside the slices cannot be read and may be slices "
            f"({listed}); the ends of the series may be missing."]


def missing_numbers(slices: list[Slice], series: Iterable[Slice]) -> list[str]:
    """A warning when Instance Numbers or Images in Acquisition say that slices are missing.

    Only for slices with consecutive numbers.

    Args:
        slices: in the order of their positions.
        series: all images of the series, also localizers and other phases.
    """
    numbers = [_number(item, "InstanceNumber") for item in slices]
    if None in numbers or len(numbers) < 2:
        return []
    first, last = min(numbers[0], numbers[-1]), max(numbers[0], numbers[-1])
    step = 1 if numbers[0] < numbers[-1] else -1
    if numbers != list(range(numbers[0], numbers[0] + step * len(numbers), step)):
        return []
    others = {_number(item, "InstanceNumber") for item in series} - {None, *numbers}
    before = first - 1 - sum(0 < number < first for number in others)
    after = 0
    totals = {_number(item, "ImagesInAcquisition") for item in slices}
    if len(totals) == len({item.text("AcquisitionNumber") for item in slices}) == 1:
        total = totals.pop() or 0
        after = total - last - sum(last < number <= total for number in others)
    if max(before, after) <= 0:
        return []
    missing = [f"{count} {where}" for count, where in ((before, "before"), (after, "after"))
               if count > 0]
    return [f"The slices have the numbers {first} to {last}: {' and '.join(missing)} them may be "
            "missing."]


def _kind(path: Path) -> str:
    head = _head(path)
    if not head:
        return "empty"
    if not head.strip(b"\0"):
        return "of zeros"
    if POINTER.match(head):
        return "replaced by pointers"
    return "packed" if head.startswith(PACKED) else "damaged"


def _head(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(HEAD)


def _number(item: Slice, keyword: str) -> int | None:
    text = item.text(keyword)
    return int(text) if item.frame is None and text.isdecimal() and len(text) < 13 else None
