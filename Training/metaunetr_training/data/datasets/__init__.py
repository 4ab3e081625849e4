"""Folders of data sets → cases.

    btcv, amos, abdomenct1k   public data sets, in the folder layout of their downloads
    general                   any folder with a dataset.json, also of nnU-Net and the Decathlon
    names                     organ numbers by the names that data sets use
    pairs                     images and their labels, matched by file name
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

from metaunetr.errors import InputError
from metaunetr_training.data.case import Case
from metaunetr_training.data.datasets import abdomenct1k, amos, btcv, general

KINDS = MappingProxyType({
    "btcv": btcv.list_cases,
    "amos": amos.list_cases,
    "abdomenct1k": abdomenct1k.list_cases,
    "general": general.list_cases,
})


def print_warning(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def dataset_cases(
    kind: str, folder: Path, report: Callable[[str], None] = print_warning
) -> list[Case]:
    """The labelled CTs of a data set, in the order of their ids. Opens no image.

    Args:
        kind: one of KINDS.
        folder: where the data set was unpacked; for "general", a JSON file may be named as well.
        report: called with a sentence about what is left out.

    Raises:
        InputError: the folder has another layout; the message says which layout is expected.
    """
    if kind not in KINDS:
        raise InputError(f"a data set must be of the kind {', '.join(KINDS)}: {kind!r}")
    folder = Path(os.path.abspath(folder))
    if not folder.is_dir() and not (kind == "general" and folder.is_file()):
        raise InputError(f"{folder}: the folder of the data set does not exist")
    return sorted(KINDS[kind](folder, report), key=lambda case: case.id)
