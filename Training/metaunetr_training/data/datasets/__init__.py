"""Data sets as they lie on disk → cases.

    btcv, amos, abdomenct1k   the public data sets, as their downloads unpack
    general                   any folder with a dataset.json: nnU-Net's, the Decathlon's, our own
    names                     the organ that a data set means by a name
    pairs                     images and their labels, found by file names
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
    "btcv": btcv.find, "amos": amos.find, "abdomenct1k": abdomenct1k.find, "general": general.find,
})


def tell(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def find_cases(kind: str, folder: Path, report: Callable[[str], None] = tell) -> list[Case]:
    """The labelled CTs of a data set, in the order of their ids. Opens no image.

    Args:
        kind: one of KINDS.
        folder: where the data set was unpacked; for "general", a JSON file may be named as well.
        report: is told, in sentences, what was left out, and why.

    Raises:
        InputError: the folder is not laid out like the data set; the message says what is
            expected.
    """
    if kind not in KINDS:
        raise InputError(f"a data set must be of the kind {', '.join(KINDS)}: {kind!r}")
    folder = Path(os.path.abspath(folder))
    if not folder.is_dir() and not (kind == "general" and folder.is_file()):
        raise InputError(f"{folder}: the folder of the data set does not exist")
    return sorted(KINDS[kind](folder, report), key=lambda case: case.id)
