"""Output folders that are written completely or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from metaunetr.errors import OutputError
from metaunetr.io.atomic import PREFIX


def refuse_existing(path: Path) -> None:
    """Checks that an output does not exist: an earlier export may be in use, and is kept.

    Raises:
        OutputError: it exists.
    """
    if path.exists() or path.is_symlink():
        raise OutputError(f"{path}: exists; remove it, or choose another name")


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A temporary folder of the same name, renamed to `path` when the block succeeds.

    Raises:
        OutputError: `path` exists, or cannot be written.
    """
    refuse_existing(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=PREFIX, dir=path.parent) as place:
            folder = Path(place) / path.name
            folder.mkdir()
            yield folder
            folder.rename(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
