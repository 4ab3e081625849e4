"""What files and folders hold: CTs to segment, and what is left out, with the reason.

Reads headers only.
"""

from __future__ import annotations

import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path, PurePosixPath

from metaunetr import io
from metaunetr.batch.candidates import Candidate, choose
from metaunetr.batch.inputs import Input, read_inputs
from metaunetr.batch.privacy import place_of
from metaunetr.batch.series import is_derived, study, why_not
from metaunetr.errors import InputError, MetaUNETRError
from metaunetr.io import dicom, formats
from metaunetr.io.dicom.header import INSTANCE, SERIES

IMAGES = formats.NIFTI + formats.NRRD + formats.META
PERIOD = 1.0  # seconds between two words about a long search


@dataclass
class Discovery:
    """What was found, in the order of the inputs and of names.

    Attributes:
        left_out: paths with reasons.
        others: how many files, by suffix, are no images at all.
        warnings: sentences about what looks wrong.
    """

    found: list[Candidate] = field(default_factory=list)
    left_out: list[tuple[Path, str]] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)


def discover(
    inputs: Iterable[Path], output: Path, all_series: bool = False, identifiers: bool = False,
    tell: Callable[[int, int], None] = lambda files, cts: None,
) -> Discovery:
    """The CTs in files, in lists of files, and, recursively, in folders.

    A folder of DICOM files gives one CT per series that is one by the rules of `series`. Left out
    below a folder are also Slicer's segmentations, images of bytes (label maps: no HU), and the
    folder `output`. A file that is named itself is taken as it is. Hidden files and folders are
    passed over.

    Args:
        inputs: see `inputs.read_inputs`.
        all_series: take DICOM series whatever their kind and orientation.
        identifiers: tell complete paths of what is left out, see `privacy`.
        tell: told now and then how many files were looked at, and how many may be CTs.

    Raises:
        InputError: a list of inputs cannot be read.
    """
    search = _Search(read_inputs(inputs), output, all_series, identifiers, tell)
    for item in search.inputs:
        search.enter(item)
    return search.end()


@dataclass(frozen=True)
class _Volume:
    """One volume of a folder; `files` and `beside` as in `Candidate`."""

    slices: list[dicom.Slice]
    files: tuple[Path, ...]
    beside: tuple[Path, ...]


def _volumes(
    volumes: dict[tuple[str, str], list[dicom.Slice]], broken: list[Path]
) -> list[_Volume]:
    """The volumes of a folder, from what `dicom.scan` returns."""
    files = {key: tuple(item.path for item in slices) for key, slices in volumes.items()}
    parts = defaultdict(list)  # keys of volumes, by Series Instance UID
    for key in volumes:
        parts[key[0]].append(key)
    return [
        _Volume(slices, files[key],
                (*broken, *chain(*(files[other] for other in parts[key[0]] if other != key))))
        for key, slices in volumes.items()
    ]


def _common(paths: list[Path]) -> Path | None:
    """The folder that holds all inputs; None when they lie on several drives."""
    with suppress(ValueError):
        return Path(os.path.commonpath([p if os.path.isdir(p) else p.parent for p in paths]))
    return None


class _Search:
    def __init__(
        self, inputs: list[Input], output: Path, all_series: bool, identifiers: bool,
        tell: Callable[[int, int], None],
    ) -> None:
        self.inputs, self.all_series, self.identifiers = inputs, all_series, identifiers
        self.tell, self.told, self.files = tell, time.monotonic(), 0
        self.output = os.path.realpath(output)
        self.root = _common([item.path for item in inputs if not item.name])
        self.discovery = Discovery()
        self.entered: set[str] = set()  # folders
        self.taken: set[Path] = set()  # files and first slices
        self.candidates: list[Candidate] = []
        self.scanned: tuple[Path, list[_Volume]] = Path(), []  # the latest folder

    def enter(self, item: Input) -> None:
        self.item = item
        if os.path.isdir(item.path):
            self.folder(item.path)
        else:
            self.file(item.path)
            self._looked_at(1)

    def end(self) -> Discovery:
        self.discovery.found, self.discovery.warnings = choose(self.candidates, self._leave_out)
        return self.discovery

    def file(self, path: Path) -> None:
        """A file that was named, or one that does not exist: reading it will tell."""
        if formats.suffix_of(path, formats.ARCHIVE) and os.path.isfile(path):
            self._archive(path)
            return
        if os.path.isfile(path) and _is_dicom(path):
            volumes = self._scan(path.parent)
            for volume in volumes:
                if path in volume.files:
                    alone = bool(self.item.name) or len(volumes) == 1
                    self._take_series(volume, path.parent, alone)
                    return
        self._take(path)

    def folder(self, top: Path) -> None:
        for folder, names in self._walk(top):
            candidates, unreadable = [], []
            for name in names:
                path = folder / name
                self._looked_at(0)
                if formats.suffix_of(path) in formats.SEGMENTATION:
                    self._leave_out(path, "a segmentation, not a CT")
                elif formats.suffix_of(path, IMAGES):
                    self._image(path)
                elif formats.suffix_of(path, formats.ARCHIVE) and dicom.holds_dicom(path):
                    self._archive(path)
                elif (mine := _is_dicom(path)) is None:
                    unreadable.append(path)
                elif mine:
                    candidates.append(path)
                else:
                    self.discovery.others[path.suffix.lower()] += 1
            if candidates:
                self._dicom(folder, candidates)
                continue
            self._looked_at(len(names))
            if unreadable:
                self._leave_out(folder, f"{len(unreadable)} of its files cannot be read")

    def _looked_at(self, files: int) -> None:
        self.files += files
        if time.monotonic() - self.told >= PERIOD:
            self.tell(self.files, len(self.candidates))
            self.told = time.monotonic()

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
            self._take(path)

    def _dicom(self, folder: Path, candidates: list[Path]) -> None:
        """One CT per series of `folder`."""
        volumes = self._scan(folder)
        for volume in volumes:
            if reason := why_not(volume.slices, self.all_series):
                self._leave_out(volume.files[0], reason)
            else:
                self._take_series(volume, folder)
        if volumes:
            return
        if any(map(_may_be_ct, candidates)):  # damaged: reading it will tell
            self._take(folder, tuple(candidates))
        else:
            self._leave_out(folder, "its DICOM files are no images")

    def _archive(self, path: Path) -> None:
        """One CT per series of a .zip file."""
        try:
            unpacked = dicom.Unpacked(path)
            volumes = _volumes(*dicom.scan(unpacked.folder))
        except (MetaUNETRError, OSError):
            volumes = []
        if not volumes:  # damaged: reading it will tell
            self._take(path)
        for volume in volumes:
            file = path / volume.files[0].name
            if reason := why_not(volume.slices, self.all_series):
                self._leave_out(file, reason)
            elif self._is_new(file):
                self.candidates.append(self._series(
                    replace(volume, files=(path,), beside=()),
                    path if len(volumes) == 1 else file, self._place(path),
                    bool(self.item.name) or None))

    def _scan(self, folder: Path) -> list[_Volume]:
        if self.scanned[0] != folder:  # a shell may name all slices of a folder
            try:
                self.scanned = folder, _volumes(
                    *dicom.scan(folder, lambda: self._looked_at(1)))
            except InputError:
                self.scanned = folder, []
        return self.scanned[1]

    def _take_series(
        self, volume: _Volume, folder: Path, named_as_folder: bool | None = None
    ) -> None:
        if self._is_new(volume.files[0]):
            path = folder if len(self._scan(folder)) == 1 else volume.files[0]
            self.candidates.append(
                self._series(volume, path, self._place(folder), named_as_folder))

    def _series(
        self, volume: _Volume, path: Path, place: PurePosixPath, named_as_folder: bool | None
    ) -> Candidate:
        first, *_ = slices = volume.slices
        return Candidate(
            path, volume.files, place, volume.beside,
            series=first.text(SERIES), number=first.text(dicom.NUMBER), study=study(first),
            derived=is_derived(first) and not self.all_series,
            content=hash((len(slices), frozenset(
                (item.text(INSTANCE) or str(item.path), item.text(dicom.POSITION), item.size)
                for item in slices))),
            named_as_folder=named_as_folder)

    def _place(self, path: Path) -> PurePosixPath:
        if self.item.name:
            inside = self.item.path in path.parents
            below = path.relative_to(self.item.path).parts if inside else ()
            return PurePosixPath(self.item.name, *below)
        if self.root is None or path == self.root:
            below = PurePosixPath(path.name or "volume")
        else:
            below = PurePosixPath(*path.relative_to(self.root).parts)
        return below if self.identifiers else below.with_name(place_of(path, None).name)

    def _take(self, path: Path, files: tuple[Path, ...] = ()) -> None:
        files = files or (path,)
        if self._is_new(files[0]):
            self.candidates.append(Candidate(path, files, self._place(path)))

    def _is_new(self, first: Path) -> bool:
        """Whether this is the first input to name it; a list that names it again is told."""
        if first in self.taken:
            if self.item.row:
                self._leave_out(first, f"{os.path.basename(self.item.row)} names it again")
            return False
        self.taken.add(first)
        return True

    def _leave_out(self, path: Path, reason: str) -> None:
        told = path if self.identifiers else place_of(path, self.root)
        self.discovery.left_out.append((told, reason))


def _is_dicom(path: Path) -> bool | None:
    """None when the file cannot be read."""
    try:
        return dicom.is_dicom(path)
    except OSError:
        return None


def _may_be_ct(path: Path) -> bool:
    try:
        return dicom.is_ct(path)
    except OSError:
        return True


def _holds_bytes(path: Path) -> bool:
    """False also for what has no readable header: reading it will tell what is wrong."""
    with suppress(InputError, OSError):
        return io.read_dtype(path).itemsize == 1
    return False

