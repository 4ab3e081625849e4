"""Kinds of arguments that several commands of training take."""

from __future__ import annotations

import argparse
from pathlib import Path


def dataset(text: str) -> tuple[str, Path]:
    """Reads KIND:DIR, a data set of `data.datasets` and where it lies."""
    kind, colon, folder = text.partition(":")
    if not (kind and colon and folder):
        raise argparse.ArgumentTypeError(f"must read KIND:DIR, such as btcv:/data/btcv: {text!r}")
    return kind, Path(folder)
