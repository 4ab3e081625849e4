"""The record of a finished case: what its results were made from, and which files they are.

It is written last: if it is there, all results are complete. `--resume` compares it with what is
wanted now. While results are replaced, a note with the hashes of the files that are known to be
outputs of this program takes its place. All other files there, such as a corrected segmentation,
are kept under another name.
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
class CaseRecord:
    """The content of the record of a case.

    Attributes:
        input: the input as outputs may show it.
        made_from: state of input, model and options; equal if the result would be the same.
        outputs: size in bytes of each file, by its path relative to the folder of the record; the
            first are the labels.
        provenance: how the result was made, see `Result`.
        sha256: the hash of each file, by the same paths.
        warnings: sentences about the input, its labels and their format; they name no file.
        kept: new names of files of others that were in the way; not stored in the file.
    """

    input: str
    made_from: dict[str, Any]
    outputs: dict[str, int]
    organs: tuple[OrganResult, ...]
    provenance: dict[str, Any]
    sha256: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def flags(self) -> list[str]:
        """All warnings and flags, such as "liver: touches the border of the image"."""
        return [*self.warnings, *(f"{item.organ.name}: {flag}"
                                  for item in self.organs for flag in item.flags)]

    def labels(self, case: Case) -> Path:
        """The path of the labels."""
        return case.record.parent / next(iter(self.outputs), case.labels.name)

    @property
    def doubts(self) -> list[str]:
        """The flags because of which a person should look at the case."""
        return [f"{item.organ.name}: {flag}" for item in self.organs for flag in item.doubts]

    def text(self) -> str:
        """The record as JSON."""
        return json.dumps({
            "format": FORMAT, "input": self.input, "made_from": self.made_from,
            "outputs": self.outputs, "sha256": self.sha256, "warnings": self.warnings,
            "organs": [item.to_json() for item in self.organs], "record": self.provenance,
        }, indent=1)

    @classmethod
    def read(cls, case: Case) -> CaseRecord | None:
        """Read the record of a case; None if there is none, or it is not a valid one."""
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
        """The size in bytes of each output, by its path; none outside the folder of the record."""
        return _inside(case, self.outputs)

    def is_current(self, case: Case, made_from: dict[str, Any]) -> bool:
        """Whether the result was made from this, and all its files are there."""
        return ((self.input, self.made_from) == (case.public_input, made_from)
                and self.is_complete(case))

    def is_complete(self, case: Case) -> bool:
        """Whether all files of the result are there."""
        return all(_size(path) == size for path, size in self.sizes(case).items())


def own_outputs(case: Case) -> dict[Path, set[str]] | None:
    """Outputs of earlier runs with their possible SHA-256, from the record or the note.

    None if there is another file in the place of the record.
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


def keep_foreign_files(case: Case, record: CaseRecord) -> tuple[str, ...]:
    """Make room for the results of a case.

    A note takes the place of the record. Files that are no known outputs are renamed, for example
    to "ct (before).seg.nrrd".

    Returns:
        the new names.

    Raises:
        OutputError: a file cannot be written or renamed.
    """
    known = own_outputs(case)
    kept = [_renamed(case.record)] if known is None else []
    known = known or {}
    new = _inside(case, record.sha256)
    there = {path: digest for path in {*known, *new} if (digest := sha256_of(path))}
    own = {path for path, digest in there.items() if digest in known.get(path, ())}
    note = {path.relative_to(case.record.parent).as_posix():
            sorted({new.get(path), there[path] if path in own else None} - {None})
            for path in sorted(own | new.keys())}
    write_text(case.record, json.dumps({"format": FORMAT, "ours": note}, indent=1))
    return *kept, *(_renamed(path) for path in new if path in there.keys() - own)


def sha256_of(path: Path) -> str | None:
    """The SHA-256 of a file; None if it cannot be read."""
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
        raise OutputError(f"{path}: is a file of another program and cannot be renamed: "
                          f"{error.strerror}") from None
    return name


def _inside(case: Case, outputs: dict[str, Any]) -> dict[Path, Any]:
    """Values by path instead of relative path; none outside the folder of the record."""
    folder = case.record.parent
    paths = {folder / name: value for name, value in outputs.items()}
    return {path: value for path, value in paths.items()
            if folder in path.parents and ".." not in path.parts}


def input_state(case: Case) -> str:
    """The state of the files of a case, see `state_of`.

    Raises:
        InputError: one of them is missing or cannot be read.
    """
    return state_of(case.files)


def state_of(files: Iterable[Path]) -> str:
    """SHA-256 of names, sizes and modification times of files.

    Raises:
        InputError: one of them is missing or cannot be read.
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
    """Files, and the files with the voxels of those that are only headers; sorted."""
    paths = set(files)
    for path in files:
        if formats.readable(path):
            with suppress(InputError, OSError):
                paths.add(io.read_header(path).data)
    return sorted(paths)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
