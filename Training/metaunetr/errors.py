"""Errors that a user can act on, each with the exit code of the command line.

Every message is one sentence or two: what is wrong (file and value), and what to do.
"""


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
    """The result cannot be written where it was asked for."""

    exit_code = 5


class DeviceError(MetaUNETRError):
    """The asked-for device cannot run the network, or memory ran out on every rung."""

    exit_code = 6


class Cancelled(MetaUNETRError):
    """The user stopped the run."""

    exit_code = 130
