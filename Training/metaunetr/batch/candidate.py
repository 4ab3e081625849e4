"""A candidate: a file or DICOM series that a batch found, and may segment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

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
        sample: the path of a slice of a series, the same one of copies; as `path`.
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
    sample: Path = Path()
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
