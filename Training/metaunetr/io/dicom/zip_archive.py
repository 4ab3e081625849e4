"""Reading a CT series from a .zip file, as if all its files were in one folder.

The files are unpacked to the temporary folder, since SEG and RTSTRUCT refer to their headers later.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from zipfile import BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError

from metaunetr.errors import InputError, OutputError
from metaunetr.image import Image
from metaunetr.io import formats
from metaunetr.io.atomic import discard, discard_abandoned, temporary_beside
from metaunetr.io.dicom.header import is_dicom
from metaunetr.io.dicom.series import read_series
from metaunetr.io.file_checks import check_file

MAX_FILES = 20_000
MAX_BYTES = 8 << 30  # unpacked; the largest volume that is read has 4 GB
ENCRYPTED = 1  # of the flags of an entry
HEAD = 132  # bytes by which DICOM is recognised


class Unpacked:
    """The files of a .zip file in a temporary folder, which is deleted with this object.

    Raises:
        InputError: the file is not a .zip file, damaged, encrypted, or too large.
        OutputError: the temporary folder has no room, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        base = Path(tempfile.gettempdir())
        discard_abandoned(base, now=0)
        self.folder = temporary_beside(base / "series")
        weakref.finalize(self, discard, self.folder)
        with _opened(path) as (archive, entries):
            size = sum(entry.file_size for entry in entries)
            try:
                self.folder.mkdir(mode=0o700)
                if size > shutil.disk_usage(base).free:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                for number, entry in enumerate(entries):
                    with archive.open(entry) as source, open(
                        self.folder / _unpacked_name(number, entry), "wb"
                    ) as target:
                        shutil.copyfileobj(source, target, 1 << 20)
            except OSError as error:
                raise OutputError(
                    f"{path}: its {size / 1e6:,.0f} MB cannot be unpacked to the temporary folder "
                    f"{base} ({error.strerror or error}); make room there, or set TMPDIR to "
                    "another folder"
                ) from None


def read_archive(path: Path, name: str = "") -> Image:
    """The CT series in the .zip file `path`.

    Args:
        name: a file of the series, as in messages about several series; "" for the only series.

    Raises:
        InputError, OutputError: as `Unpacked` and `read_series`.
    """
    unpacked = Unpacked(path)
    if name and name not in os.listdir(unpacked.folder):
        raise InputError(f"{path / name}: there is no such file")
    try:
        image = read_series(unpacked.folder / name)
    except InputError as error:
        raise InputError(str(error).replace(str(unpacked.folder), str(path))) from None
    return replace(image, source=path / name, unpacked=unpacked)


def split_path(path: Path) -> tuple[Path, str] | None:
    """The .zip file and the file in it of a path such as "study.zip/00003.dcm"; None for others."""
    for file, name in ((path, ""), (path.parent, path.name)):
        if formats.suffix_of(file, formats.ARCHIVE) and os.path.isfile(file):
            return file, name
    return None


def holds_dicom(path: Path) -> bool:
    """Whether there is DICOM in a .zip file; True for a damaged one, which fails when read."""
    with suppress(InputError), closing(dicom_files(path)) as files:
        return any(files)
    return True


def dicom_files(path: Path) -> Iterator[Path]:
    """`path`, or the DICOM files of the .zip file that it names, unpacked one after the other.

    Each unpacked file is deleted when the next one is asked for.

    Args:
        path: a DICOM file, a .zip file, or one file in it, such as "study.zip/00003.dcm".

    Raises:
        InputError: as `Unpacked`.
    """
    if archive := split_path(path):
        yield from _unpacked(*archive)
    else:
        yield path


def _unpacked(path: Path, name: str) -> Iterator[Path]:
    """The DICOM files in a .zip file, or the one of that name if it is not ""."""
    with _opened(path) as (archive, entries), tempfile.TemporaryDirectory() as folder:
        for number, entry in enumerate(entries):
            file = Path(folder) / _unpacked_name(number, entry)
            if name in ("", file.name):
                with archive.open(entry) as source:
                    file.write_bytes(source.read(HEAD))
                    if is_dicom(file):
                        with open(file, "ab") as target:
                            shutil.copyfileobj(source, target, 1 << 20)
                        yield file
                file.unlink()


@contextmanager
def _opened(path: Path) -> Iterator[tuple[ZipFile, list[ZipInfo]]]:
    """A .zip file and those of its files that are not hidden."""
    check_file(path)
    try:
        with ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist()
                       if not entry.is_dir() and not _name(entry).startswith(".")]
            _check(path, entries)
            yield archive, entries
    except (BadZipFile, EOFError, ZlibError, ValueError) as error:
        raise InputError(f"{path}: is no .zip file, or damaged: {error}") from None
    except NotImplementedError as error:
        raise InputError(f"{path}: cannot be unpacked: {error}; unpack it first") from None


def _check(path: Path, entries: list[ZipInfo]) -> None:
    size = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_FILES:
        raise InputError(
            f"{path}: a .zip file may hold {MAX_FILES:,} files, this one holds {len(entries):,}; "
            "unpack it first"
        )
    if size > MAX_BYTES:
        raise InputError(
            f"{path}: a .zip file may hold {MAX_BYTES / 1e6:,.0f} MB, this one holds "
            f"{size / 1e6:,.0f} MB; unpack it first"
        )
    if any(entry.flag_bits & ENCRYPTED for entry in entries):
        raise InputError(f"{path}: is encrypted; unpack it first")


def _name(entry: ZipInfo) -> str:
    return PureWindowsPath(entry.filename).name  # knows both separators


def _unpacked_name(number: int, entry: ZipInfo) -> str:
    """A number with the suffixes of a file's name, the rest of which may name a patient."""
    suffixes = PureWindowsPath(_name(entry).lower()).suffixes[-2:]
    kept = (suffix for suffix in suffixes if re.fullmatch(r"\.[a-z0-9]{1,11}", suffix))
    return f"{number:05d}{''.join(kept)}"
