"""Copies of a candidate, and what is derived from one, are left out, now that all are known."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from metaunetr.batch.candidate import Candidate
from metaunetr.errors import MetaUNETRError
from metaunetr.io import dicom


def without_duplicates(
    candidates: list[Candidate], leave_out: Callable[[Path, str], None],
    tick: Callable[[], None],
) -> tuple[list[Candidate], list[str]]:
    """Leave out copies, and what is derived from another candidate; give series their paths.

    Copies have the same UIDs and positions, and the same HU in a slice in the middle, which is read
    only where the rest is equal. Series that anonymizers gave the same UIDs differ there.

    Args:
        leave_out: called with the first file of each series that is left out, and the reason.
        tick: called after each slice that was read.

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
            for first, *copies in _by_voxels(alike, tick):
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


def _by_voxels(
    series: list[Candidate], tick: Callable[[], None]
) -> Iterable[list[Candidate]]:
    """Series with equal headers, those with the same voxels together."""
    if len(series) == 1:
        return [series]
    found: dict[str, list[Candidate]] = defaultdict(list)
    for number, item in enumerate(series):
        try:
            with closing(dicom.dicom_files(item.sample)) as files:
                hu = dicom.read_slice(next(files, item.sample))
            voxels = hashlib.sha256(hu.tobytes()).hexdigest()
        except (MetaUNETRError, OSError):  # its case will fail with this error
            voxels = str(number)
        found[voxels].append(item)
        tick()
    return found.values()


def _by_uid(series: Iterable[Candidate]) -> Iterable[dict[int, list[Candidate]]]:
    """Series of one UID, by their content."""
    found: dict[str, dict[int, list[Candidate]]] = defaultdict(lambda: defaultdict(list))
    for item in series:
        found[item.series or str(item.files[0])][item.content].append(item)
    return found.values()
