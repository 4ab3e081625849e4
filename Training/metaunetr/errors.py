"""Errors that a user can act on, each with its exit code.

A message is one or two sentences: what is wrong (file and value), and what to do.
"""

import re


class MetaUNETRError(Exception):
    """Base of all errors raised on purpose; its text is shown to the user as it is."""

    exit_code = 1


class InputError(MetaUNETRError):
    """The input cannot be read, or is not an image this tool may segment."""

    exit_code = 3


class BundleError(MetaUNETRError):
    """A model bundle is missing, damaged, or from a newer format."""

    exit_code = 4


class OutputError(MetaUNETRError):
    """The result cannot be written to its file."""

    exit_code = 5


class DeviceError(MetaUNETRError):
    """The requested device cannot run the network, or memory ran out on the last fallback."""

    exit_code = 6


class PackageError(MetaUNETRError):
    """An optional Python package is not installed."""

    exit_code = 6


class Cancelled(MetaUNETRError):
    """The user stopped the run."""

    exit_code = 130


BUG = 1


def explain(error: BaseException) -> tuple[str, int]:
    """A sentence for the user about any error, and the exit code of the command line."""
    if isinstance(error, MetaUNETRError):
        return str(error), error.exit_code
    if isinstance(error, OSError):  # those of outputs are OutputErrors
        why = error.strerror or (str(error).splitlines() or [type(error).__name__])[0]
        return f"{error.filename or 'The input'}: cannot be read: {why}", InputError.exit_code
    if isinstance(error, ImportError) and (module := _not_installed(error)):
        from metaunetr import extras

        if module.startswith("metaunetr"):
            return f"The module {module} is missing; install MetaUNETR again.", BUG
        return extras.advice(module), PackageError.exit_code
    if isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and re.search("allocate memory|out of memory", str(error))
    ):
        return ("Not enough memory; close other programs or use a smaller image.",
                DeviceError.exit_code)
    what = f"{type(error).__name__}: {error}".rstrip(".: ")
    return (f"Unexpected {what}. This is a bug; please report it with the output under "
            "METAUNETR_DEBUG=1.", BUG)


def _not_installed(error: ImportError) -> str:
    """The module that is not installed; "" where the import failed for another reason.

    MONAI raises its own error, which quotes the original.
    """
    if isinstance(error, ModuleNotFoundError) and error.name:
        return error.name
    found = re.search(r"No module named '([\w.]+)'", str(error))
    return found[1] if found else ""
