"""Which of the CTs that were found are segmented, now that all of them are known."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from metaunetr import io
from metaunetr.errors import MetaUNETRError
from metaunetr.io import formats


@dataclass(frozen=True)
class Candidate:
    """A file or DICOM series that may be a CT to segment.

    Attributes:
        path: what to read: a file, or the folder or .zip file of a DICOM series. Where that holds
            several series, the path of the first slice.
        files: the files that hold it, all slices of a series, or the .zip file.
        relative_path: its path below the folder that all inputs have in common: of a file, of the
            folder of a series, or of a series in a folder. If the input has a name, that name.
        beside: files in the folder of a series that reading has to look at as well: volumes with
            the same Series Instance UID, and what may be damaged slices.
        series: Series Instance UID; "" if it is no DICOM.
        number: Series Number; "" if there is none.
        study: identifies study and patient; "" if there is no Study Instance UID.
        derived: whether the series is derived from another one.
        content: a hash of what copies have in common: SOP Instance UIDs, positions and sizes.
        named_as_folder: whether `relative_path` is that of a folder or file as it is, without the
            number of the series; None if this depends on the other candidates: it is then left
            out if it is a copy, or derived from another candidate.
    """

    path: Path
    files: tuple[Path, ...]
    relative_path: PurePosixPath
    beside: tuple[Path, ...] = ()
    series: str = ""
    number: str = ""
    study: str = ""
    derived: bool = False
    content: int = 0
    named_as_folder: bool | None = True

    @property
    def first(self) -> Path:
        """The first slice, also of a .zip file with several series."""
        return self.path if self.files[0] == self.path.parent else self.files[0]

    def with_number(self) -> Candidate:
        """The same with the number of the series at the end of its relative path."""
        suffix = formats.suffix_of(self.path.parent, formats.ARCHIVE)
        name = self.relative_path.name
        folder = self.relative_path.with_name(name[: len(name) - len(suffix)])
        number = self.number if self.number.isdigit() else "unknown"
        return replace(self, relative_path=folder / f"series {number}")


def choose(
    candidates: list[Candidate], leave_out: Callable[[Path, str], None]
) -> tuple[list[Candidate], list[str]]:
    """Leave out copies, and what is derived from another candidate; give series their paths.

    Copies have the same UIDs, positions and voxels; voxels are read only where the rest is equal.

    Args:
        leave_out: called with the first file of each series that is left out, and the reason.

    Returns:
        what is segmented, and sentences about what looks wrong.
    """
    optional = [item for item in candidates if item.named_as_folder is None]
    originals = {item.study for item in candidates if not item.derived} - {""}
    reasons = {id(item): "derived from another series of its study"
               for item in optional if item.derived and item.study in originals}
    warnings = []
    for parts in _by_uid(item for item in optional if id(item) not in reasons):
        for alike in parts.values():
            firsts = []
            for first, *copies in _by_voxels(alike):
                reasons |= {id(item): f"a copy of {first.relative_path}" for item in copies}
                firsts.append(str(first.relative_path))
            if len(firsts) > 1:
                warnings.append(
                    f"Different images have the same UIDs ({', '.join(sorted(firsts))}), as "
                    "anonymizers may give them; each is segmented.")
        places = sorted({str(first.relative_path) for first, *_ in parts.values()})
        if len(places) > 1:
            warnings.append(
                f"One series lies in {len(places)} folders ({', '.join(places)}). If they hold "
                "parts of one scan, put these into one folder: each is segmented by itself.")
    for item in optional:
        if id(item) in reasons:
            leave_out(item.first, reasons[id(item)])
    chosen = [item for item in candidates if id(item) not in reasons]
    count = Counter(item.relative_path for item in chosen)
    return [item if item.named_as_folder or (
        item.named_as_folder is None and count[item.relative_path] == 1) else item.with_number()
        for item in chosen], warnings


def _by_voxels(series: list[Candidate]) -> Iterable[list[Candidate]]:
    """Series with equal headers, those with the same voxels together."""
    if len(series) == 1:
        return [series]
    found: dict[str, list[Candidate]] = defaultdict(list)
    for number, item in enumerate(series):
        try:
            image = io.read_image(item.path, (*item.files, *item.beside))
            voxels = hashlib.sha256(np.ascontiguousarray(image.array)).hexdigest()
        except (MetaUNETRError, OSError):  # its case will fail with this error
            voxels = str(number)
        found[voxels].append(item)
    return found.values()


def _by_uid(series: Iterable[Candidate]) -> Iterable[dict[int, list[Candidate]]]:
    """Series of one UID, by their content."""
    found: dict[str, dict[int, list[Candidate]]] = defaultdict(lambda: defaultdict(list))
    for item in series:
        found[item.series or str(item.files[0])][item.content].append(item)
    return found.values()
