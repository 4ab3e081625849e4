"""The record of a finished case: what it was made from, and what was made.

It is written last, so its presence says that all results are complete; what it says decides
whether they are still those that are wanted. While they are replaced, a note stands in its place
that tells which files are ours. Others (a corrected segmentation, what lay there before) are kept
under another name.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import Any

from metaunetr import io
from metaunetr.batch.case import Case
from metaunetr.errors import InputError, OutputError
from metaunetr.io import formats
from metaunetr.io.atomic import write_text
from metaunetr.result import OrganResult

FORMAT = 1


@dataclass(frozen=True)
class Finished:
    """What the record of a case says.

    Attributes:
        made_from: state of the input, model and options; equal when the result would be the same.
        outputs: size in bytes of each file, by its path in the folder of the record.
        sha256: of each file.
        record: the reproducibility record of the run.
        warnings: sentences about what had to be left out to read the input; they name no file.
        kept: names under which files that were not ours are kept; not in the record.
    """

    input: str
    made_from: dict[str, Any]
    outputs: dict[str, int]
    organs: tuple[OrganResult, ...]
    record: dict[str, Any]
    sha256: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def flags(self) -> list[str]:
        """What should be looked at, such as "liver: touches the border of the image"."""
        return [*self.warnings, *(f"{item.organ.name}: {flag}"
                                  for item in self.organs for flag in item.flags)]

    def labels(self, case: Case) -> Path:
        """The file of the labels, the first of the outputs."""
        return case.record.parent / next(iter(self.outputs), case.labels.name)

    @property
    def doubts(self) -> list[str]:
        """Those of the flags for which a person should look at the case."""
        return [f"{item.organ.name}: {flag}" for item in self.organs for flag in item.doubts]

    def text(self) -> str:
        """The record as JSON."""
        return json.dumps({
            "format": FORMAT, "input": self.input, "made_from": self.made_from,
            "outputs": self.outputs, "sha256": self.sha256, "warnings": self.warnings,
            "organs": [item.to_json() for item in self.organs], "record": self.record,
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
                        values["record"], values.get("sha256", {}),
                        tuple(map(str, values.get("warnings", ()))))
            found.sizes(case)
        except (OSError, ValueError, OverflowError, RecursionError, KeyError, TypeError,
                AttributeError):
            return None
        return found

    def sizes(self, case: Case) -> dict[Path, int]:
        """The outputs as paths; none outside the folder of the record."""
        return _inside(case, self.outputs)

    def holds(self, case: Case, made_from: dict[str, Any]) -> bool:
        """Whether this is the wanted result, and all its files are there."""
        return (self.input, self.made_from) == (case.told, made_from) and all(
            _size(path) == size for path, size in self.sizes(case).items())


def ours(case: Case) -> dict[Path, set[str]] | None:
    """Results of earlier runs with their SHA-256, by the record or the note in its place.

    None when something else lies there.
    """
    try:
        values = json.loads(case.record.read_text(encoding="utf-8"))
        if values["format"] != FORMAT:
            return None
        known = values["ours"] if "ours" in values else {
            name: [digest] for name, digest in values.get("sha256", {}).items()}
        return {path: set(digests) for path, digests in _inside(case, known).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None


def set_aside(case: Case, finished: Finished) -> tuple[str, ...]:
    """Makes room for the results of a case: a note takes the place of the record, and what is not
    ours is renamed, such as "ct (before).seg.nrrd".

    Returns:
        the new names.

    Raises:
        OutputError: a file cannot be written or renamed.
    """
    known = ours(case)
    kept = [_renamed(case.record)] if known is None else []
    known = known or {}
    new = _inside(case, finished.sha256)
    there = {path: digest for path in {*known, *new} if (digest := sha256_of(path))}
    mine = {path for path, digest in there.items() if digest in known.get(path, ())}
    note = {path.relative_to(case.record.parent).as_posix():
            sorted({new.get(path), there[path] if path in mine else None} - {None})
            for path in sorted(mine | new.keys())}
    write_text(case.record, json.dumps({"format": FORMAT, "ours": note}, indent=1))
    return *kept, *(_renamed(path) for path in new if path in there.keys() - mine)


def sha256_of(path: Path) -> str | None:
    """None when there is no such file."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _renamed(path: Path) -> str:
    suffix = formats.suffix_of(path, formats.WRITABLE_LABELS) or path.suffix
    stem = path.name.removesuffix(suffix)
    numbers = chain([""], map(" {}".format, count(2)))
    names = (f"{stem} (before{number}){suffix}" for number in numbers)
    name = next(name for name in names if not path.with_name(name).exists())
    try:
        os.replace(path, path.with_name(name))
    except OSError as error:
        raise OutputError(f"{path}: is not ours and cannot be renamed: {error.strerror}") from None
    return name


def _inside(case: Case, outputs: dict[str, Any]) -> dict[Path, Any]:
    """Outputs as paths; none outside the folder of the record."""
    folder = case.record.parent
    paths = {folder / name: value for name, value in outputs.items()}
    return {path: value for path, value in paths.items()
            if folder in path.parents and ".." not in path.parts}


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
    """Also the voxels of headers that lie beside them."""
    paths = set(files)
    for path in files:
        with suppress(InputError, OSError):
            paths.add(io.read_header(path).data)
    return sorted(paths)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
