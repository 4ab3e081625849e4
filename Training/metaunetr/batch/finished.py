"""The record of a finished case: what it was made from, and what was made.

It is written last, so its presence says that all results are complete; what it says decides
whether they are still those that are wanted.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metaunetr.batch.case import Case
from metaunetr.errors import InputError
from metaunetr.result import OrganResult

FORMAT = 1
HEADERS = (".mhd", ".nhdr")  # their voxels lie in another file of the same name


@dataclass(frozen=True)
class Finished:
    """What the record of a case says.

    Attributes:
        made_from: state of the input, model and options; equal when the result would be the same.
        outputs: size in bytes of each file, by its path in the folder of the record.
        record: the reproducibility record of the run.
    """

    input: str
    made_from: dict[str, Any]
    outputs: dict[str, int]
    organs: tuple[OrganResult, ...]
    record: dict[str, Any]

    @property
    def flags(self) -> list[str]:
        """Such as "liver: touches the border of the image"."""
        return [f"{item.organ.name}: {flag}" for item in self.organs for flag in item.flags]

    def text(self) -> str:
        """The record as JSON."""
        return json.dumps({
            "format": FORMAT, "input": self.input, "made_from": self.made_from,
            "outputs": self.outputs, "organs": [item.to_json() for item in self.organs],
            "record": self.record,
        }, indent=1)

    @classmethod
    def read(cls, case: Case) -> Finished | None:
        """The record of a case; None when there is none, or none of ours."""
        try:
            values = json.loads(case.record.read_text(encoding="utf-8"))
            if values["format"] != FORMAT:
                return None
            organs = tuple(map(OrganResult.from_json, values["organs"]))
            found = cls(values["input"], values["made_from"], values["outputs"], organs,
                        values["record"])
            found.sizes(case)
        except (OSError, ValueError, OverflowError, RecursionError, KeyError, TypeError,
                AttributeError):
            return None
        return found

    def sizes(self, case: Case) -> dict[Path, int]:
        """The outputs as paths; none outside the folder of the record."""
        folder = case.record.parent
        paths = {folder / name: size for name, size in self.outputs.items()}
        return {path: size for path, size in paths.items()
                if folder in path.parents and ".." not in path.parts}

    def holds(self, case: Case, made_from: dict[str, Any]) -> bool:
        """Whether this is the wanted result, and all its files are there."""
        return self.made_from == made_from and all(
            _size(path) == size for path, size in self.sizes(case).items())


def input_state(case: Case) -> str:
    """The state of the files of a case, see `state_of`."""
    return state_of(case.files)


def state_of(files: Iterable[Path]) -> str:
    """SHA-256 of names, sizes and modification times of files.

    Raises:
        InputError: one of them is gone or may not be read.
    """
    digest = hashlib.sha256()
    for path in _with_data(files):
        try:
            status = path.stat()
        except FileNotFoundError:
            raise InputError(f"{path}: there is no such file") from None
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
        name = os.fsencode(path.name)
        digest.update(b"%b %d %d\n" % (name, status.st_size, status.st_mtime_ns))
    return digest.hexdigest()


def _with_data(files: Iterable[Path]) -> list[Path]:
    paths = set(files)
    for path in files:
        if path.suffix.lower() in HEADERS:
            with suppress(OSError):
                paths |= {other for other in path.parent.iterdir()
                          if other.name.startswith(path.stem + ".")}
    return sorted(paths)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
