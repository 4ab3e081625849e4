"""Arguments that several commands of training share."""

from __future__ import annotations

import argparse
from pathlib import Path

from metaunetr.cli.arguments import number
from metaunetr_training.data.folds import NO_FOLD, Fold

DEVICE = "cpu, cuda, cuda:1, or auto: the first GPU, else the CPU (default: auto)"


def dataset(text: str) -> tuple[str, Path]:
    """Reads KIND:DIR, a data set of `data.datasets` and where it lies."""
    kind, colon, folder = text.partition(":")
    if not (kind and colon and folder):
        raise argparse.ArgumentTypeError(f"must read KIND:DIR, such as btcv:/data/btcv: {text!r}")
    return kind, Path(folder)


def fold(text: str) -> Fold:
    """Reads the number of a fold, or NO_FOLD."""
    return NO_FOLD if text == NO_FOLD else number(int, 0, 1000)(text)


def add_changes(parser: argparse.ArgumentParser) -> None:
    """Adds the option --set."""
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="KEY=VALUE",
                        help="replace a value of the recipe, such as training.iterations=2000; can "
                             "be given several times (default: the recipe as it is)")
