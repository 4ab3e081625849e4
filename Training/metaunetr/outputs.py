"""What is made sure of about files that will be written, before minutes of work."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from metaunetr.errors import OutputError

LONGEST_NAME = 255  # bytes; of all common file systems


def longest_name(folder: Path) -> int:
    """How many bytes the name of a file in `folder` may have (143 in encrypted shares)."""
    try:
        told = os.pathconf(folder, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):  # Windows; the folder is not there
        return LONGEST_NAME
    return min(told, LONGEST_NAME) if told > 0 else LONGEST_NAME


def make_folder(folder: Path) -> None:
    """Make `folder` and those above it, unless they are there.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: the folder cannot be made: {error.strerror or error}") from None


def check_distinct(outputs: Iterable[Path], inputs: Iterable[str | Path]) -> None:
    """Refuse outputs that would replace an input or each other.

    Raises:
        OutputError: two of the paths name one file.
    """
    taken = {_identity(path): "the input" for path in inputs}
    for path in outputs:
        identity = _identity(path)
        if identity in taken:
            raise OutputError(f"{path}: is {taken[identity]} as well; choose another name")
        taken[identity] = "another output"


def _identity(path: str | Path) -> tuple[int, int] | str:
    """Equal for two names of one file; of a file yet to be made, only the name is known."""
    try:
        status = os.stat(path)
        return status.st_dev, status.st_ino
    except OSError:
        return os.path.normcase(os.path.realpath(path))


@contextmanager
def together() -> Iterator[Callable[[Path], Path]]:
    """Yields a function from a path to a temporary one; the files take their places together.

    Raises:
        OutputError: one of them cannot be written; then none is.
    """
    from metaunetr.io.atomic import atomic

    with ExitStack() as files:
        yield lambda path: files.enter_context(atomic(path))
