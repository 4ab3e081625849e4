"""A process that reads files with bounded memory, and reports whether that ended as it should.

Lines of JSON on standard input, {"kind": ..., "path": ...}; one line of JSON each on standard
output: {"wrong": null, or what should not have happened, "cpu": seconds of this process}. One
more when it is ready.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
import sys
import time
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import TextIO

import numpy as np

from metaunetr import bundle
from metaunetr.batch.case_record import CaseRecord, own_outputs
from metaunetr.errors import MetaUNETRError
from metaunetr.guard import check_grid, inspect_ct
from metaunetr.io import read_header, read_image, read_labels
from metaunetr.io.image_info import describe

ROOM = 1 << 30  # bytes above what the libraries take; the files have some kB


def read(kind: str, path: Path) -> None:
    """Read, and look at what was read as the program would.

    Raises:
        AssertionError: something that no caller can use was let pass.
    """
    if kind == "card":
        bundle.load(path.parent).network()
    elif kind == "weights":
        values = json.loads((path.parent / "card.json").read_text())
        values["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        (path.parent / "card.json").write_text(json.dumps(values))
        bundle.load(path.parent).network()
    elif kind == "record":
        read_record(path)
    elif kind == "dicom":
        examine(read_image(path.parent))
    elif kind == "seg_nrrd":
        labels = read_labels(path)
        assert labels.array.dtype == np.uint8
        check_grid(path, labels.grid)
        json.dumps(describe(path))
    else:
        with contextlib.suppress(MetaUNETRError):
            check_grid(path, read_header(path).grid)
        examine(read_image(path))
        json.dumps(describe(path))


def examine(image) -> None:
    check_grid("the image", image.grid)
    assert image.array.ndim == 3 and image.array.dtype in (np.int16, np.float32)
    assert float(image.array[-1, -1, -1]) is not None
    with contextlib.suppress(MetaUNETRError):
        assert all(isinstance(text, str) for text in inspect_ct(image))
        assert np.isfinite(image.array).all()


def read_record(path: Path) -> None:
    case = SimpleNamespace(record=path, public_input="ct.nii.gz")  # of a case, no more is looked at
    assert all(path.parent in place.parents for place in own_outputs(case) or ())
    found = CaseRecord.read(case)
    if found is not None:
        assert all(path.parent in place.parents for place in found.sizes(case))
        found.is_current(case, {})
        json.loads(found.text())
        assert all(isinstance(flag, str) for flag in found.flags)


def attempt(kind: str, path: Path) -> str | None:
    """What went wrong; None when the file was read, or refused as it should be."""
    try:
        read(kind, path)
    except MetaUNETRError as error:
        text = str(error)
        if not text.startswith(str(path.parent)):
            return f"the message names no file: {text}"
        if "\n" in text.rstrip() or len(text) > 1200:
            return f"the message is not one sentence: {text[:300]!r}"
    except BaseException:
        return traceback.format_exc(limit=-4)
    return None


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")  # libraries print to the standard output
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    import torch

    import metaunetr.network  # noqa: F401

    torch.set_num_threads(1)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + ROOM, resource.RLIM_INFINITY))
    answer(answers, None)
    for line in sys.stdin:
        asked = json.loads(line)
        answer(answers, attempt(asked["kind"], Path(asked["path"])))


def answer(answers: TextIO, wrong: str | None) -> None:
    print(json.dumps({"wrong": wrong, "cpu": time.process_time()}), file=answers, flush=True)


if __name__ == "__main__":
    main()
