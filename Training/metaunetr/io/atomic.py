"""Files appear complete or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from metaunetr.errors import OutputError


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary file beside `path`, which takes its place when the block ends well.

    The temporary file keeps the suffixes of `path`, begins with ".metaunetr-", and is removed
    when the block fails or is interrupted.

    Raises:
        OutputError: the file cannot be written; the message says why.
    """
    suffixes = "".join(Path(path.name.lower()).suffixes[-2:])
    temporary = path.with_name(f".metaunetr-{uuid.uuid4().hex[:12]}{suffixes}")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {_reason(error, path)}") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _reason(error: OSError, path: Path) -> str:
    # Libraries do not always pass the cause on, so the free space is looked at as well.
    if error.errno == errno.ENOSPC or (
        error.errno is None and shutil.disk_usage(path.parent).free < 1 << 20
    ):
        return "the disk is full"
    return error.strerror or str(error)
