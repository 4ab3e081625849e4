"""Atomic writing: files appear complete or not at all."""

from __future__ import annotations

import csv
import errno
import os
import re
import shutil
import socket
import sys
import uuid
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path

from metaunetr.errors import OutputError

PREFIX = ".metaunetr-"
ABANDONED = 3600.0  # seconds without a change; writing a file takes minutes at most
NO_FSYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}  # of some shares

_unfinished: set[Path] = set()


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary file in the folder of `path` that is renamed to `path` when the block ends.

    The temporary file keeps the suffixes of `path`, begins with PREFIX, and is removed when the
    block fails or is interrupted. In an ExitStack, several files are renamed together once the last
    is complete.

    Raises:
        OutputError: the file cannot be written; the message says why.
    """
    temporary = temporary_beside(path)
    try:
        yield temporary
        _flush(temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {_reason(error, path)}") from error
    except OutputError as error:  # of another block, about our temporary file
        raise OutputError(str(error).replace(str(temporary), str(path))) from error
    finally:
        discard(temporary)


def _flush(path: Path) -> None:
    """Flush a complete file to the disk, where the file system supports it.

    Raises:
        OSError: the disk is full or broken.
    """
    with open(path, "rb+") as file:
        try:
            os.fsync(file.fileno())
        except OSError as error:
            if error.errno not in NO_FSYNC:
                raise


def write_text(path: str | PathLike[str], text: str) -> None:
    """Write `text` as UTF-8; undecodable bytes of file names become "\\udcff" and the like.

    Raises:
        OutputError: the file cannot be written; nothing is left behind.
    """
    with atomic(Path(path)) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_csv(
    path: str | PathLike[str], header: Iterable[str], rows: Iterable[Iterable[object]]
) -> None:
    """Write a table as CSV: UTF-8 as of `write_text`, separated by commas.

    Raises:
        OutputError: the file cannot be written; nothing is left behind.
    """
    with atomic(Path(path)) as temporary, open(
        temporary, "w", encoding="utf-8", errors="backslashreplace", newline=""
    ) as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def temporary_beside(path: Path) -> Path:
    """A new name in the folder of `path`, with its suffixes; pass it to `discard` in the end."""
    suffixes = "".join(Path(path.name.lower()).suffixes[-2:])[-20:]
    process = f"{_host()}-{os.getpid()}"
    temporary = path.with_name(f"{PREFIX}{process}-{uuid.uuid4().hex[:12]}{suffixes}")
    _unfinished.add(temporary)
    return temporary


def discard(temporary: Path) -> None:
    """Remove a temporary file or folder, if it still exists."""
    if os.path.isdir(temporary):  # unlike Path.is_dir, False where nothing may be looked at
        shutil.rmtree(temporary, ignore_errors=True)
    with suppress(OSError):
        temporary.unlink()
    _unfinished.discard(temporary)


def discard_unfinished() -> None:
    """Remove all temporary files of this process, when a signal ends it.

    A signal may arrive between the creation of a file and the block that removes it.
    """
    for temporary in list(_unfinished):
        discard(temporary)


def discard_abandoned(folder: Path, now: float) -> None:
    """Remove temporary files in `folder` that killed processes have left.

    These are files of processes of this machine that no longer run, and files that have not been
    modified for ABANDONED seconds.

    Args:
        now: modification time of a new file in `folder`; the clock of a file server may differ
            from the local one.
    """
    abandoned: list[Path] = []
    with suppress(OSError):  # the folder cannot be listed, or its path is too long
        abandoned.extend(folder.glob(PREFIX + "*"))
    for temporary in abandoned:
        with suppress(OSError):
            if _is_orphan(temporary):
                discard(temporary)
            elif temporary.stat().st_mtime < now - ABANDONED:
                temporary.unlink()  # fails for folders, which may be in use for hours


def _is_orphan(temporary: Path) -> bool:
    """Whether `temporary` belongs to a process of this machine that no longer runs."""
    name = re.match(rf"{re.escape(PREFIX)}([0-9a-f]{{8}})-(\d+)-", temporary.name)
    if not name or name[1] != _host() or sys.platform == "win32":  # there, os.kill(pid, 0) kills
        return False
    try:
        os.kill(int(name[2]), 0)
    except ProcessLookupError:
        return True
    except OSError:  # it runs, as another user
        return False
    return False


def _host() -> str:
    """An identifier of the machine and container whose process numbers are known here.

    Several may write to the same folder, and may have the same host name.
    """
    parts = [socket.gethostname().encode()]
    with suppress(OSError):  # not on Linux
        parts.append(os.readlink(b"/proc/self/ns/pid"))
    with suppress(OSError):
        parts.append(Path("/etc/machine-id").read_bytes())
    return f"{zlib.crc32(b' '.join(parts)):08x}"


def _reason(error: OSError, path: Path) -> str:
    # Libraries do not always pass the error number on, so the free space is checked as well.
    if error.errno == errno.ENOSPC or (
        error.errno is None and shutil.disk_usage(path.parent).free < 1 << 20
    ):
        return "the disk is full"
    return error.strerror or str(error)
