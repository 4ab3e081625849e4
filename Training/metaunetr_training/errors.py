"""Errors of training, in addition to those of the core."""

from metaunetr.errors import MetaUNETRError


class TrainingError(MetaUNETRError):
    """Training cannot go on: a loss or gradient is not finite."""

    exit_code = 8
