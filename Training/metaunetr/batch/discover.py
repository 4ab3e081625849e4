"""What files and folders hold: CTs to segment, and what is left out, with the reason.

Reads headers only.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import SimpleITK as sitk

from metaunetr.errors import InputError
from metaunetr.guard import MIN_SLICES
from metaunetr.io import dicom, formats

IMAGES = formats.NIFTI + formats.NRRD + formats.META
BYTES = (sitk.sitkUInt8, sitk.sitkInt8)


@dataclass(frozen=True)
class Found:
    """A CT.

    Attributes:
        path: what to read: a file, or the folder of a DICOM series. Where a folder holds several
            series, the first slice stands for its series.
        files: the files that hold it, all slices of a series.
        place: where it lies below the folder that all inputs have in common, and what it is
            called there: a file, the folder of a series, a series in a folder.
    """

    path: Path
    files: tuple[Path, ...]
    place: PurePosixPath


@dataclass
class Discovery:
    """What was found, in the order of the inputs and of names.

    Attributes:
        left_out: paths with reasons.
        others: how many files, by suffix, are no images at all.
    """

    found: list[Found] = field(default_factory=list)
    left_out: list[tuple[Path, str]] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)


def discover(inputs: Iterable[Path], output: Path) -> Discovery:
    """The CTs in files and, recursively, in folders.

    A folder of DICOM files gives one CT per series; localizers, series of fewer slices than a
    volume needs, and other modalities are left out. So are, below a folder, Slicer's
    segmentations, images of bytes (label maps: no HU), and the folder `output`. A file that is
    named itself is taken as it is. Hidden files and folders are passed over.
    """
    paths = [Path(os.path.abspath(path)) for path in inputs]
    search = _Search(_common(paths), output)
    for path in paths:
        if path.is_dir():
            search.folder(path)
        else:
            search.file(path)
    return search.discovery


def _common(paths: list[Path]) -> Path | None:
    """The folder that holds all inputs; None when they lie on several drives."""
    with suppress(ValueError):
        return Path(os.path.commonpath([p if p.is_dir() else p.parent for p in paths]))
    return None


class _Search:
    def __init__(self, root: Path | None, output: Path) -> None:
        self.root = root
        self.output = os.path.realpath(output)
        self.discovery = Discovery()
        self.entered: set[str] = set()  # folders
        self.taken: set[Path] = set()  # files and first slices
        self.scans: dict[Path, list[list[dicom.Slice]]] = {}

    def file(self, path: Path) -> None:
        """A file that was named, or one that does not exist: reading it will tell."""
        if path.is_file() and _is_dicom(path):
            series = self._scan(path.parent)
            for slices in series:
                if any(item.path == path for item in slices):
                    self._take_series(slices, alone=len(series) == 1)
                    return
        self._take(path, (path,), self._place(path))

    def folder(self, top: Path) -> None:
        for folder, names in self._walk(top):
            candidates = []
            for name in names:
                path = folder / name
                if formats.suffix_of(path) in formats.SEGMENTATION:
                    self._leave_out(path, "a segmentation, not a CT")
                elif formats.suffix_of(path, IMAGES):
                    self._image(path)
                elif _is_dicom(path):
                    candidates.append(path)
                else:
                    self.discovery.others[path.suffix.lower()] += 1
            if candidates:
                self._dicom(folder, candidates)

    def _walk(self, top: Path) -> Iterator[tuple[Path, list[str]]]:
        """Folders with the names of their files; links are followed, no folder is seen twice."""
        def unreadable(error: OSError) -> None:
            self._leave_out(Path(error.filename), f"cannot be read: {error.strerror}")

        for folder, folders, files in os.walk(top, onerror=unreadable, followlinks=True):
            identity = os.path.realpath(folder)
            if identity == self.output:
                self._leave_out(Path(folder), "the folder of the results")
            if identity == self.output or identity in self.entered:
                folders.clear()
                continue
            self.entered.add(identity)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield Path(folder), sorted(name for name in files if not name.startswith("."))

    def _image(self, path: Path) -> None:
        if _holds_bytes(path):
            self._leave_out(path, "its voxels are bytes, which cannot hold HU: a label map")
        else:
            self._take(path, (path,), self._place(path))

    def _dicom(self, folder: Path, candidates: list[Path]) -> None:
        """One CT per series of `folder`."""
        series = self._scan(folder)
        cts = []
        for slices in series:
            reason = _why_not(slices)
            if reason:
                self._leave_out(slices[0].path, reason)
            else:
                cts.append(slices)
        for slices in cts:
            self._take_series(slices, alone=len(cts) == 1)
        if series:
            return
        if any(map(dicom.is_ct, candidates)):  # damaged: reading it will tell
            self._take(folder, tuple(candidates), self._place(folder))
        else:
            self._leave_out(folder, "its DICOM files are no images")

    def _scan(self, folder: Path) -> list[list[dicom.Slice]]:
        if folder not in self.scans:
            try:
                self.scans[folder] = list(dicom.scan(folder)[0].values())
            except InputError:
                self.scans[folder] = []
        return self.scans[folder]

    def _take_series(self, slices: list[dicom.Slice], alone: bool) -> None:
        """A series, called after its folder when no other CT lies there."""
        first = slices[0]
        folder = first.path.parent
        path = folder if len(self.scans[folder]) == 1 else first.path
        place = self._place(folder)
        if not alone:
            number = first.text(dicom.NUMBER)
            place /= f"series {number if number.isdigit() else 'unknown'}"
        self._take(path, tuple(item.path for item in slices), place)

    def _place(self, path: Path) -> PurePosixPath:
        if self.root is None or path == self.root:
            return PurePosixPath(path.name or "volume")
        return PurePosixPath(*path.relative_to(self.root).parts)

    def _take(self, path: Path, files: tuple[Path, ...], place: PurePosixPath) -> None:
        if files[0] not in self.taken:
            self.taken.add(files[0])
            self.discovery.found.append(Found(path, files, place))

    def _leave_out(self, path: Path, reason: str) -> None:
        self.discovery.left_out.append((path, reason))


def _is_dicom(path: Path) -> bool:
    try:
        return dicom.is_dicom(path)
    except OSError:
        return False


def _holds_bytes(path: Path) -> bool:
    """False also for what has no readable header: reading it will tell what is wrong."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    with suppress(RuntimeError):
        reader.ReadImageInformation()
        return reader.GetPixelID() in BYTES
    return False


def _why_not(slices: list[dicom.Slice]) -> str:
    """Why a DICOM series is no CT to segment; "" when it may be one."""
    first = slices[0]
    modality = first.text(dicom.MODALITY)
    if modality != "CT":
        return f"a series of modality {modality or 'unknown'}, not CT"
    if "LOCALIZER" in first.text(dicom.IMAGE_TYPE).upper():
        return "a localizer"
    frames = first.text(dicom.FRAMES)
    if len(slices) < MIN_SLICES and frames in ("", "0", "1"):
        return f"a series of {len(slices)} slices; a volume needs {MIN_SLICES}"
    return ""
