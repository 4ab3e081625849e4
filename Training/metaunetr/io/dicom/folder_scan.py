"""The volumes in a folder of DICOM files."""

from __future__ import annotations

import os
import stat
from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from metaunetr.errors import InputError
from metaunetr.io.dicom.header import Slice, is_dicom, read_header
from metaunetr.io.dicom.missing_slices import may_be_slice, suffix_of

PARTS = {  # elements that differ between the volumes of a series, the most reliable first
    "AcquisitionNumber": "acquisition", "TemporalPositionIdentifier": "time point",
    "StackID": "stack", "ImageType": "image type", "ConvolutionKernel": "kernel",
    "ContentTime": "content time", "AcquisitionTime": "acquisition time",
}
# Elements that separate volumes also when their slices are at different positions.
INTERLEAVED = (
    "AcquisitionNumber", "TemporalPositionIdentifier", "StackID", "ConvolutionKernel")
LOCALIZER = "localizer"
THREADS = 4  # for reading headers: network shares respond slowly

Volumes = dict[tuple[str, str], list[Slice]]  # by Series Instance UID and part of the series


class FolderScan(NamedTuple):
    """The files of a folder.

    Attributes:
        volumes: the DICOM images.
        broken: files that may be slices but cannot be read: those of `damaged`, and those of
            `unreadable` and `others` that `missing_slices.may_be_slice` names.
        damaged: DICOM files that are damaged or no images.
        unreadable: files that cannot be opened.
        others: files that are not DICOM.
    """

    volumes: Volumes
    broken: list[Path]
    damaged: list[Path]
    unreadable: list[Path]
    others: list[Path]


def scan_folder(
    folder: Path, tick: Callable[[], None] = lambda: None, files: Collection[Path] = ()
) -> FolderScan:
    """Read the headers of all DICOM files in `folder`.

    A series with several slices at the same positions is split, see `split`; localizers in a series
    are a part of their own. Hidden files are ignored.

    Args:
        tick: called after each file.
        files: the files of the folder to read; all if there are none.

    Raises:
        InputError: the folder cannot be listed.
    """
    try:
        paths = sorted(files) or _files(folder)
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {error.strerror}") from None
    series, damaged, unreadable, others = defaultdict(list), [], [], []
    pool = ThreadPoolExecutor(THREADS)
    try:
        for path, (looks_like_dicom, item) in zip(paths, pool.map(_look, paths), strict=True):
            tick()
            if isinstance(item, Slice):
                local = LOCALIZER if LOCALIZER.upper() in item.text("ImageType").upper() else ""
                series[item.series, local].append(item)
            elif looks_like_dicom is None:
                unreadable.append(path)
            else:
                (damaged if looks_like_dicom else others).append(path)
    finally:
        pool.shutdown(cancel_futures=True)
    suffixes = {suffix_of(item.path) for whole in series.values() for item in whole}
    volumes = {(uid, part or local): slices
               for (uid, local), whole in series.items()
               for part, slices in split(whole).items()}
    broken = damaged + [path for path in sorted(unreadable + others)
                        if may_be_slice(path, suffixes)]
    return FolderScan(volumes, broken, damaged, unreadable, others)


def _files(folder: Path) -> list[Path]:
    """All files, and links without a target, that are not hidden; sorted."""
    paths = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith("."):
                with suppress(FileNotFoundError):  # deleted in the meantime
                    mode = _status(entry).st_mode
                    if stat.S_ISREG(mode) or stat.S_ISLNK(mode):
                        paths.append(folder / entry.name)
    return sorted(paths)


def _status(entry: os.DirEntry) -> os.stat_result:
    """The status of a file; of a link itself when it has no target."""
    try:
        return entry.stat()
    except OSError:
        return entry.stat(follow_symlinks=False)


def _look(path: Path) -> tuple[bool | None, Slice | None]:
    """Whether a file looks like DICOM (None if it cannot be opened), and the header of an image."""
    try:
        return (True, read_header(path)) if is_dicom(path) else (False, None)
    except OSError:  # also a link without a target
        return None, None


def split(slices: list[Slice]) -> dict[str, list[Slice]]:
    """The volumes of a series, by the element that separates them, such as "acquisition 2".

    There is one, named "", unless slices with different values of an element are at the same
    positions or alternate. (Many scanners number acquisitions along the patient, or give every
    slice a time of its own: these are one volume.) Copies with one SOP Instance UID count once.
    """
    places = _places(slices)
    most = max(Counter(places.values()).values(), default=0)
    along = sorted(slices, key=lambda item: places.get(_key(item), 0))
    for tag, name in PARTS.items():
        kinds = [item.text(tag) for item in along]
        count = len(set(kinds))
        mixed = 1 + sum(a != b for a, b in pairwise(kinds)) > count
        enough = count == most or (count > 1 and tag in INTERLEAVED)
        if places and mixed and enough and _each_once(along, kinds, places):
            return {f"{name} {kind}".strip(): [item for item in slices if item.text(tag) == kind]
                    for kind in sorted(set(kinds))}
    return {"": slices}


def _each_once(slices: list[Slice], kinds: list[str], places: dict[tuple, float]) -> bool:
    """Whether slices of one kind are all at different positions."""
    taken = {_key(item): (kind, places[_key(item)])
             for item, kind in zip(slices, kinds, strict=True)}
    return len(set(taken.values())) == len(taken)


def _places(slices: list[Slice]) -> dict[tuple, float]:
    """Positions of slices along their normal, to 0.01 mm; none when elements are missing."""
    try:
        axes = slices[0].axes
        if any(np.abs(item.axes - axes).max() > 1e-3 for item in slices):
            return {}
        normal = np.cross(axes[:3], axes[3:])
        return {_key(item): round(float(item.position @ normal), 2)
                for item in slices}
    except InputError:
        return {}


def _key(item: Slice) -> tuple[str, int | None]:
    return item.text("SOPInstanceUID") or str(item.path), item.frame
