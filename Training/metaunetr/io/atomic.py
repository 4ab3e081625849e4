"""Files appear complete or not at all."""

from __future__ import annotations

import errno
import os
import re
import shutil
import socket
import sys
import uuid
import zlib
from collections.abc import Iterator
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
    """A temporary file beside `path`, which takes its place when the block ends well.

    The temporary file keeps the suffixes of `path`, begins with PREFIX, and is removed when the
    block fails or is interrupted. Blocks nest: files opened in an ExitStack take their places
    together, once the last is complete.

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
    """Have the content of a complete file reach the disk, where the file system can be asked to.

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
    """Write `text` as UTF-8; bytes of file names that are no text become "\\udcff" and the like.

    Raises:
        OutputError: the file cannot be written; nothing is left behind.
    """
    with atomic(Path(path)) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def temporary_beside(path: Path) -> Path:
    """A new name in the folder of `path`, with its suffixes; `discard` it in the end."""
    suffixes = "".join(Path(path.name.lower()).suffixes[-2:])[-20:]
    mine = f"{PREFIX}{_host()}-{os.getpid()}-"
    temporary = path.with_name(f"{mine}{uuid.uuid4().hex[:12]}{suffixes}")
    _unfinished.add(temporary)
    return temporary


def discard(temporary: Path) -> None:
    """Remove a temporary file or folder, if it is still there."""
    if os.path.isdir(temporary):  # unlike Path.is_dir, False where nothing may be looked at
        shutil.rmtree(temporary, ignore_errors=True)
    with suppress(OSError):
        temporary.unlink()
    _unfinished.discard(temporary)


def discard_unfinished() -> None:
    """Remove all temporary files of this process, which is about to end.

    A signal may come between any two instructions, also between making a file and the block that
    removes it.
    """
    for temporary in list(_unfinished):
        discard(temporary)


def discard_abandoned(folder: Path, now: float) -> None:
    """Remove temporary files in `folder` that a killed run has left.

    Those of a process of this machine that has gone, and those that nothing has changed for long.

    Args:
        now: the folder's own time (the modification time of a new file in it): the clocks of
            file servers differ from ours.
    """
    abandoned: list[Path] = []
    with suppress(OSError):  # a folder that cannot be looked into, or whose path is too long
        abandoned.extend(folder.glob(PREFIX + "*"))
    for temporary in abandoned:
        with suppress(OSError):
            if _is_orphan(temporary):
                discard(temporary)
            elif temporary.stat().st_mtime < now - ABANDONED:
                temporary.unlink()  # which leaves folders: they may be in use for hours


def _is_orphan(temporary: Path) -> bool:
    """Whether the process that was writing `temporary` is known to have gone."""
    name = re.match(rf"{re.escape(PREFIX)}([0-9a-f]{{8}})-(\d+)-", temporary.name)
    if not name or name[1] != _host() or sys.platform == "win32":  # there, os.kill(pid, 0) kills
        return False
    try:
        os.kill(int(name[2]), 0)
    except ProcessLookupError:
        return True
    except OSError:  # it lives, and is another user's
        return False
    return False


def _host() -> str:
    """Tells this machine from others that write to the same folder."""
    return f"{zlib.crc32(socket.gethostname().encode()):08x}"


def _reason(error: OSError, path: Path) -> str:
    # Libraries do not always pass the cause on, so the free space is looked at as well.
    if error.errno == errno.ENOSPC or (
        error.errno is None and shutil.disk_usage(path.parent).free < 1 << 20
    ):
        return "the disk is full"
    return error.strerror or str(error)
