"""Find the CTs in files and folders, and what is left out, with the reason, by headers alone."""

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
from metaunetr.batch.candidate import Candidate
from metaunetr.batch.duplicates import without_duplicates
from metaunetr.batch.inputs import Input, read_inputs
from metaunetr.batch.privacy import public_path
from metaunetr.batch.series_rules import is_derived, reason_to_leave_out, study
from metaunetr.errors import InputError, MetaUNETRError
from metaunetr.io import dicom, formats

PERIOD = 1.0  # seconds between two reports of progress


@dataclass
class Discovery:
    """What was found, in the order of the inputs and of names.

    Attributes:
        found: the CTs to segment.
        left_out: paths, as outputs may show them, with reasons.
        others: number of files that are no images, by suffix.
        warnings: sentences about what looks wrong.
    """

    found: list[Candidate] = field(default_factory=list)
    left_out: list[tuple[Path, str]] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)


def discover(
    inputs: Iterable[Path], output: Path, all_series: bool = False, identifiers: bool = False,
    progress: Callable[[int, int], None] = lambda files, cts: None,
) -> Discovery:
    """The CTs in files, in lists of files, and in folders, which are searched recursively.

    In a folder of DICOM files, each series that is a CT by `series_rules` is one. In folders these
    are left out as well: segmentations of 3D Slicer, images of bytes (label maps: bytes cannot hold
    HU), and the folder `output`. A file among `inputs` is always used. Hidden files and folders are
    ignored.

    Args:
        inputs: see `inputs.read_inputs`.
        all_series: use CT series of any kind and orientation.
        identifiers: give complete paths of what is left out, see `privacy`.
        progress: called about once a second with the number of files searched, and of candidates.

    Raises:
        InputError: a list of inputs cannot be read.
    """
    search = _Search(read_inputs(inputs), output, all_series, identifiers, progress)
    for item in search.inputs:
        search.add(item)
    return search.end()


@dataclass(frozen=True)
class _Volume:
    """One volume of a folder; `files` and `beside` as in `Candidate`."""

    slices: list[dicom.Slice]
    files: tuple[Path, ...]
    beside: tuple[Path, ...]


def _volumes(scan: dicom.FolderScan) -> list[_Volume]:
    """The volumes of a folder."""
    files = {key: tuple(item.path for item in slices) for key, slices in scan.volumes.items()}
    parts = defaultdict(list)  # keys of volumes, by Series Instance UID
    for key in files:
        parts[key[0]].append(key)
    return [
        _Volume(slices, files[key],
                (*scan.broken, *chain(*(files[other] for other in parts[key[0]] if other != key))))
        for key, slices in scan.volumes.items()
    ]


def _common(paths: list[Path]) -> Path | None:
    """The folder that all inputs have in common; None if they are on several drives."""
    with suppress(ValueError):
        return Path(os.path.commonpath([p if os.path.isdir(p) else p.parent for p in paths]))
    return None


class _Search:
    """The state of a search; `item` is the input that is being searched."""

    def __init__(
        self, inputs: list[Input], output: Path, all_series: bool, identifiers: bool,
        progress: Callable[[int, int], None],
    ) -> None:
        self.inputs, self.all_series, self.identifiers = inputs, all_series, identifiers
        self.progress, self.reported, self.files = progress, time.monotonic(), 0
        self.output = os.path.realpath(output)
        self.root = _common([item.path for item in inputs if not item.name])
        self.discovery = Discovery()
        self.searched: set[str] = set()  # folders
        self.taken: set[Path] = set()  # files and first slices
        self.candidates: list[Candidate] = []
        self.scanned: tuple[Path, list[_Volume]] = Path(), []  # the last folder

    def add(self, item: Input) -> None:
        self.item = item
        if os.path.isdir(item.path):
            if os.path.realpath(item.path) in self.searched:
                self._leave_out_again(item.path)
            self.folder(item.path)
        else:
            self.file(item.path)
            self._count(1)

    def end(self) -> Discovery:
        self.discovery.found, self.discovery.warnings = without_duplicates(
            self.candidates, self._leave_out, lambda: self._count(0))
        return self.discovery

    def file(self, path: Path) -> None:
        """A file among the inputs; if it does not exist, its case will fail."""
        if formats.suffix_of(path, formats.ARCHIVE) and os.path.isfile(path):
            self._archive(path)
            return
        if _is_dicom(path):
            volumes = self._scan(path.parent)
            for volume in volumes:
                if path in volume.files:
                    single = len(volumes) == 1
                    self._take_series(
                        volume, path.parent, single, bool(self.item.name) or single)
                    return
        self._take(path)

    def folder(self, top: Path) -> None:
        for folder, names in self._walk(top):
            rest = []
            for name in names:
                path = folder / name
                if formats.suffix_of(path) in formats.SEGMENTATION:
                    self._leave_out(path, "a segmentation, not a CT")
                elif formats.suffix_of(path, formats.IMAGES):
                    self._image(path)
                elif formats.suffix_of(path, formats.ARCHIVE) and dicom.holds_dicom(path):
                    self._archive(path)
                else:
                    rest.append(path)
                    continue
                self._count(1)
            if rest:
                self._dicom(folder, rest)

    def _count(self, files: int) -> None:
        self.files += files
        if time.monotonic() - self.reported >= PERIOD:
            self.progress(self.files, len(self.candidates))
            self.reported = time.monotonic()

    def _walk(self, top: Path) -> Iterator[tuple[Path, list[str]]]:
        """Yield folders with the names of their files; follows links, but no folder twice."""
        def unreadable(error: OSError) -> None:
            self._leave_out(Path(error.filename), f"cannot be read: {error.strerror}")

        for folder, folders, files in os.walk(top, onerror=unreadable, followlinks=True):
            identity = os.path.realpath(folder)
            if identity == self.output:
                self._leave_out(Path(folder), "the folder of the results")
            if identity == self.output or identity in self.searched:
                folders.clear()
                continue
            self.searched.add(identity)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield Path(folder), sorted(name for name in files if not name.startswith("."))

    def _image(self, path: Path) -> None:
        if _holds_bytes(path):
            self._leave_out(path, "its voxels are bytes, which cannot hold HU: a label map")
        else:
            self._take(path)

    def _dicom(self, folder: Path, files: list[Path]) -> None:
        """One CT per series among `files` of a folder, which need not be DICOM."""
        scan = dicom.scan_folder(folder, lambda: self._count(1), files)
        self.discovery.others.update(path.suffix.lower() for path in scan.others)
        volumes = _volumes(scan)
        for volume in volumes:
            if reason := reason_to_leave_out(volume.slices, self.all_series):
                self._leave_out(volume.files[0], reason)
            else:
                self._take_series(volume, folder, len(volumes) == 1)
        if volumes:
            return
        if any(map(_may_be_ct, scan.damaged)):  # its case will fail
            self._take(folder, tuple(scan.damaged))
        elif scan.damaged:
            self._leave_out(folder, "its DICOM files are no images")
        elif scan.unreadable:
            self._leave_out(folder, f"{len(scan.unreadable)} of its files cannot be read")

    def _archive(self, path: Path) -> None:
        """One CT per series of a .zip file."""
        try:
            unpacked = dicom.Unpacked(path)
            volumes = _volumes(dicom.scan_folder(unpacked.folder))
        except (MetaUNETRError, OSError):
            volumes = []
        if not volumes:  # damaged: its case will fail
            self._take(path)
        for volume in volumes:
            file = path / volume.files[0].name
            if reason := reason_to_leave_out(volume.slices, self.all_series):
                self._leave_out(file, reason)
            elif self._is_new(file):
                slices = [replace(item, path=path / item.path.name) for item in volume.slices]
                self.candidates.append(self._series(
                    _Volume(slices, files=(path,), beside=()),
                    path if len(volumes) == 1 else file, self._relative_path(path),
                    bool(self.item.name) or None))

    def _scan(self, folder: Path) -> list[_Volume]:
        if self.scanned[0] != folder:  # a shell may name all slices of a folder
            try:
                self.scanned = folder, _volumes(
                    dicom.scan_folder(folder, lambda: self._count(1)))
            except InputError:
                self.scanned = folder, []
        return self.scanned[1]

    def _take_series(
        self, volume: _Volume, folder: Path, single: bool, named_as_folder: bool | None = None
    ) -> None:
        """A volume of `folder`, `single` if it is the only one."""
        if self._is_new(volume.files[0]):
            path = folder if single else volume.files[0]
            self.candidates.append(
                self._series(volume, path, self._relative_path(folder), named_as_folder))

    def _series(
        self, volume: _Volume, path: Path, relative_path: PurePosixPath,
        named_as_folder: bool | None,
    ) -> Candidate:
        first, *_ = slices = volume.slices
        along = sorted(slices, key=lambda item: (item.text("ImagePositionPatient"),
                                                 item.text("SOPInstanceUID")))
        return Candidate(
            path, volume.files, relative_path, volume.beside,
            series=first.series, number=first.text("SeriesNumber"), study=study(first),
            derived=is_derived(first) and not self.all_series,
            content=hash((len(slices), frozenset(
                (item.text("SOPInstanceUID") or str(item.path),
                 item.text("ImagePositionPatient"), item.size)
                for item in slices))),
            sample=along[len(along) // 2].path,
            named_as_folder=named_as_folder)

    def _relative_path(self, path: Path) -> PurePosixPath:
        if self.item.name:
            inside = self.item.path in path.parents
            below = path.relative_to(self.item.path).parts if inside else ()
            return PurePosixPath(self.item.name, *below)
        if self.root is None or path == self.root:
            below = PurePosixPath(path.name or "volume")
        else:
            below = PurePosixPath(*path.relative_to(self.root).parts)
        return below if self.identifiers else below.with_name(public_path(path, None).name)

    def _take(self, path: Path, files: tuple[Path, ...] = ()) -> None:
        files = files or (path,)
        if self._is_new(files[0]):
            self.candidates.append(Candidate(path, files, self._relative_path(path)))

    def _is_new(self, first: Path) -> bool:
        """Whether it was not found before; what a list names again is left out."""
        if first in self.taken:
            self._leave_out_again(first)
            return False
        self.taken.add(first)
        return True

    def _leave_out_again(self, path: Path) -> None:
        """Leave out what was found before, if a list names it."""
        if self.item.row:
            self._leave_out(path, f"{os.path.basename(self.item.row)} names it again")

    def _leave_out(self, path: Path, reason: str) -> None:
        shown = path if self.identifiers else public_path(path, self.root)
        self.discovery.left_out.append((shown, reason))


def _is_dicom(path: Path) -> bool:
    """Whether it is a DICOM file that can be opened."""
    with suppress(OSError):
        return os.path.isfile(path) and dicom.is_dicom(path)
    return False


def _may_be_ct(path: Path) -> bool:
    try:
        return dicom.is_ct(path)
    except OSError:
        return True


def _holds_bytes(path: Path) -> bool:
    """Whether the voxels are bytes; False if the header cannot be read: its case will fail."""
    with suppress(InputError, OSError):
        return io.read_header(path).dtype.itemsize == 1
    return False

