"""Prints warnings and log messages of libraries on standard error, without quoted values.

pydicom and highdicom quote the values that they warn about, such as the name of a patient. Equal
messages are printed once.
"""

from __future__ import annotations

import logging
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ContextDecorator, contextmanager, suppress
from contextvars import ContextVar

QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")

_shown_before: set[str] = set()
_hide: ContextVar[Callable[[str], str]] = ContextVar("hide", default=str)


@contextmanager
def shown() -> Iterator[None]:
    """Within, messages of libraries are printed by this module, in all threads.

    Except those of libraries that write to a stream themselves.
    """
    showwarning, last_resort = warnings.showwarning, logging.lastResort
    warnings.showwarning = _show_warning
    logging.lastResort = _Handler(logging.WARNING)
    _shown_before.clear()
    try:
        yield
    finally:
        warnings.showwarning, logging.lastResort = showwarning, last_resort


@contextmanager
def filtered_by(hide: Callable[[str], str]) -> Iterator[None]:
    """Within, messages of libraries in this thread are changed by `hide` before printing."""
    token = _hide.set(hide)
    try:
        yield
    finally:
        _hide.reset(token)


def hidden() -> ContextDecorator:
    """Within, messages of libraries in this thread are not printed. Also a decorator."""
    return filtered_by(lambda text: "")


def _show_warning(message: Warning | str, category: type[Warning], *_, **__) -> None:
    if not issubclass(category, (DeprecationWarning, PendingDeprecationWarning)):
        _show(str(message))  # deprecations concern programmers


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _show(record.getMessage())


def _show(text: str) -> None:
    text = _hide.get()(QUOTED.sub("…", text))
    if not text or text in _shown_before:
        return
    _shown_before.add(text)
    with suppress(OSError, ValueError):  # the stream is closed
        print(f"warning: {' '.join(text.split())}", file=sys.stderr)
