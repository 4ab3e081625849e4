"""A CT of a batch: its name, and where its results lie."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from metaunetr.batch.candidates import Candidate
from metaunetr.batch.privacy import id_of, message
from metaunetr.io import formats
from metaunetr.outputs import longest_name

ROOM = 40  # bytes behind a name, for suffixes such as " (before 2).seg.nrrd"


@dataclass(frozen=True)
class Case:
    """One CT, and the results that it will have.

    Attributes:
        name: its place below the folder that all inputs have in common, without suffix.
        input: the file or DICOM folder to read; `files` all that it consists of, and `beside` what
            reading a DICOM series has to look at as well, see `Candidate`.
        labels, record: the files to write. `record` is written last.
        surfaces: the folder for the surfaces.
        thumbnail: a picture for people who look through many cases.
        told: how the input is called in what may be shown around, see `privacy`.
        id: of a DICOM series; "" for what is no DICOM.
    """

    name: str
    input: Path
    files: tuple[Path, ...]
    labels: Path
    record: Path
    surfaces: Path
    thumbnail: Path
    beside: tuple[Path, ...] = ()
    told: str = ""
    id: str = ""

    def labels_as(self, suffix: str) -> Path:
        """The file for the labels in another format."""
        return self.record.with_name(self.record.name.removesuffix(".json") + suffix)

    def tell(self, text: str) -> str:
        """A message about this case as it may be shown around."""
        if self.told == str(self.input):
            return text
        text = message(text, self.input, self.files, self.told)
        folder = str(self.record.parent)
        return text.replace(folder + os.sep, "").replace(folder, "the folder of the results")


def make_cases(
    found: Iterable[Candidate], output: Path, suffix: str, identifiers: bool = False
) -> list[Case]:
    """The cases of a batch; no two share a name, also where upper case counts as lower.

    "ct.nii.gz" is called "ct". Where "ct.nrrd" lies beside it, both keep their suffix; what is
    still alike then (series of one number) gets a mark made from its path. Names that are too
    long for the file system of `output` are cut and end in a hash of what they were.

    Args:
        suffix: of the labels, with its dot.
        identifiers: whether the patient may be named.
    """
    found = list(found)
    names = [_stem(item) for item in found]
    names = _told_apart(names, [str(item.relative_path) for item in found])
    names = _told_apart(names, [f"{name} {_mark(item.files[0])}"
                                for name, item in zip(names, found, strict=True)])
    longest = longest_name(output) - ROOM
    return [_case(item, _shortened(name, longest), output, suffix, identifiers)
            for item, name in zip(found, names, strict=True)]


def _case(found: Candidate, name: str, output: Path, suffix: str, identifiers: bool) -> Case:
    base = Path(os.path.abspath(output)) / name
    return Case(
        name, found.path, found.files,
        labels=base.with_name(base.name + suffix),
        record=base.with_name(base.name + ".json"),
        surfaces=base.with_name(base.name + " surfaces"),
        thumbnail=base.with_name(base.name + ".png"),
        beside=found.beside,
        told=str(found.path if identifiers else found.relative_path),
        id=id_of(found.series),
    )


def _stem(found: Candidate) -> str:
    """The place without the suffix of an image file; a folder's name may hold dots."""
    name = str(found.relative_path)
    suffix = formats.suffix_of(found.path) if found.path.name == found.relative_path.name else ""
    return name[: -len(suffix)] if suffix and found.relative_path.name != suffix else name


def _told_apart(names: list[str], alternatives: list[str]) -> list[str]:
    """The names, or the alternatives of those that occur more than once."""
    counts = Counter(name.casefold() for name in names)
    return [other if counts[name.casefold()] > 1 else name
            for name, other in zip(names, alternatives, strict=True)]


def _shortened(name: str, longest: int) -> str:
    """The name with folders and file of at most `longest` bytes each."""
    return "/".join(_cut(part, longest) for part in name.split("/"))


def _cut(part: str, longest: int) -> str:
    whole = os.fsencode(part)
    if len(whole) <= longest:
        return part
    mark = f" {hashlib.sha256(whole).hexdigest()[:8]}"
    while len(os.fsencode(part + mark)) > longest:
        part = part[:-1]
    return part + mark


def _mark(path: Path) -> str:
    return hashlib.sha256(os.fsencode(os.path.abspath(path))).hexdigest()[:8]
