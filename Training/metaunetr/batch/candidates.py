"""Which of the CTs that were found are segmented, now that all of them are known."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from metaunetr import io
from metaunetr.errors import MetaUNETRError
from metaunetr.io import formats


@dataclass(frozen=True)
class Found:
    """A CT.

    Attributes:
        path: what to read: a file, or the folder or .zip file of a DICOM series. Where that holds
            several series, the first slice stands for its series.
        files: the files that hold it, all slices of a series, or the .zip file.
        place: where it lies below the folder that all inputs have in common, and what it is
            called there: a file, the folder of a series, a series in a folder. Of an input with a
            name, that name.
        series: its Series Instance UID; "" for what is no DICOM.
    """

    path: Path
    files: tuple[Path, ...]
    place: PurePosixPath
    series: str = ""


@dataclass(frozen=True)
class Series:
    """A DICOM series, until it is known which others are taken.

    Attributes:
        slices: a hash of what copies have in common: SOP Instance UIDs and positions of slices.
        alone: whether it is called after its folder; None: when no other CT is taken there.
    """

    path: Path
    files: tuple[Path, ...]
    place: PurePosixPath
    number: str
    uid: str
    study: str
    derived: bool
    slices: int
    alone: bool | None

    @property
    def first(self) -> Path:
        """The first slice, also of a .zip file with several series."""
        return self.path if self.files[0] == self.path.parent else self.files[0]

    def found(self, alone: bool) -> Found:
        place = self.place
        if not alone:
            suffix = formats.suffix_of(self.path.parent, formats.ARCHIVE)
            place = place.with_name(place.name[: len(place.name) - len(suffix)])
            place /= f"series {self.number if self.number.isdigit() else 'unknown'}"
        return Found(self.path, self.files, place, self.uid)


def choose(
    candidates: list[Found | Series], leave_out: Callable[[Path, str], None]
) -> tuple[list[Found], list[str]]:
    """Leaves out what is derived from an original that is there, and copies; names series.

    Copies have the same UIDs, positions and voxels; voxels are read only where the rest is alike.

    Args:
        leave_out: told of the first file of each series that is left out, and why.

    Returns:
        what is segmented, and sentences about what looks wrong.
    """
    series = [item for item in candidates if isinstance(item, Series) and item.alone is None]
    originals = {item.study for item in candidates
                 if isinstance(item, Series) and not item.derived} - {""}
    reasons = {id(item): "derived from another series of its study"
               for item in series if item.derived and item.study in originals}
    warnings = []
    for parts in _by_uid(item for item in series if id(item) not in reasons):
        for alike in parts.values():
            firsts = []
            for first, *copies in _by_voxels(alike):
                reasons |= {id(item): f"a copy of {first.place}" for item in copies}
                firsts.append(str(first.place))
            if len(firsts) > 1:
                warnings.append(
                    f"Different images have the same UIDs ({', '.join(sorted(firsts))}), as "
                    "anonymizers may give them; each is segmented.")
        places = sorted({str(first.place) for first, *_ in parts.values()})
        if len(places) > 1:
            warnings.append(
                f"One series lies in {len(places)} folders ({', '.join(places)}). If they hold "
                "parts of one scan, put these into one folder: each is segmented by itself.")
    for item in series:
        if id(item) in reasons:
            leave_out(item.first, reasons[id(item)])
    chosen = [item for item in candidates if id(item) not in reasons]
    count = Counter(item.place for item in chosen if isinstance(item, Series))
    return [item.found(count[item.place] == 1 if item.alone is None else item.alone)
            if isinstance(item, Series) else item for item in chosen], warnings


def _by_voxels(series: list[Series]) -> Iterable[list[Series]]:
    """Series that are alike by their headers, those with the same voxels together."""
    if len(series) == 1:
        return [series]
    found: dict[str, list[Series]] = defaultdict(list)
    for number, item in enumerate(series):
        try:
            image = io.read_image(item.path)
            voxels = hashlib.sha256(np.ascontiguousarray(image.array)).hexdigest()
        except (MetaUNETRError, OSError):  # reading it will tell
            voxels = str(number)
        found[voxels].append(item)
    return found.values()


def _by_uid(series: Iterable[Series]) -> Iterable[dict[int, list[Series]]]:
    """Series of one UID, by their slices."""
    found: dict[str, dict[int, list[Series]]] = defaultdict(lambda: defaultdict(list))
    for item in series:
        found[item.uid or str(item.files[0])][item.slices].append(item)
    return found.values()
