"""Checks of output files before minutes of work, and writing several of them together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from metaunetr.errors import OutputError

LONGEST_NAME = 255  # bytes; of all common file systems


def longest_name(folder: Path) -> int:
    """The most bytes that the name of a file in `folder` may have (143 in encrypted shares)."""
    try:
        longest = os.pathconf(folder, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):  # Windows; the folder is not there
        return LONGEST_NAME
    return min(longest, LONGEST_NAME) if longest > 0 else LONGEST_NAME


def make_folder(folder: Path) -> None:
    """Create `folder` and its parents, unless they exist.

    Raises:
        OutputError: one of them cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: the folder cannot be made: {error.strerror or error}") from None


def check_distinct(outputs: Iterable[Path], inputs: Iterable[str | Path]) -> None:
    """Check that no output would replace an input or another output.

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
    """Equal for two names of one file; by the path where the file does not exist yet."""
    try:
        status = os.stat(path)
        return status.st_dev, status.st_ino
    except OSError:
        return os.path.normcase(os.path.realpath(path))


@contextmanager
def together() -> Iterator[Callable[[Path], Path]]:
    """Yields a function from a path to a temporary file that replaces it when the block ends well.

    All files are replaced together, once the last one is complete.

    Raises:
        OutputError: a file cannot be written; then none is.
    """
    from metaunetr.io.atomic import atomic

    with ExitStack() as files:
        yield lambda path: files.enter_context(atomic(path))
