"""A case: one CT of a batch, its name, and the paths of its results."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from metaunetr.batch.candidate import Candidate
from metaunetr.batch.privacy import public_text, series_id
from metaunetr.errors import InputError
from metaunetr.io import formats
from metaunetr.outputs import longest_name

SUFFIX_BYTES = 40  # left free behind a name, for suffixes such as " (before 2).seg.nrrd"


@dataclass(frozen=True)
class Case:
    """One CT, and the paths of its results.

    Attributes:
        name: its path below the folder that all inputs have in common, without suffix.
        input: the file or DICOM folder to read; `files` all that it consists of, and `beside` what
            reading a DICOM series has to look at as well, see `Candidate`.
        labels, record: the files to write. `record` is written last.
        surfaces: the folder for the surfaces.
        thumbnail: a small picture of the result.
        public_input: the input as outputs may show it, see `privacy`.
        id: identifies a DICOM series, see `privacy.series_id`; "" if it is no DICOM.
    """

    name: str
    input: Path
    files: tuple[Path, ...]
    labels: Path
    record: Path
    surfaces: Path
    thumbnail: Path
    beside: tuple[Path, ...] = ()
    public_input: str = ""
    id: str = ""

    @property
    def report(self) -> Path:
        """The report page."""
        return self.with_suffix(" report.html")

    def with_suffix(self, suffix: str) -> Path:
        """The path of a result with this suffix."""
        return self.record.with_name(self.record.name.removesuffix(".json") + suffix)

    def public_text(self, text: str) -> str:
        """A message about this case as outputs may show it, see `privacy`."""
        if self.public_input == str(self.input):
            return text
        text = public_text(text, self.input, self.files, self.public_input)
        folder = str(self.record.parent)
        return text.replace(folder + os.sep, "").replace(folder, "the folder of the results")


def make_cases(
    found: Iterable[Candidate], output: Path, suffix: str, identifiers: bool = False
) -> list[Case]:
    """The cases of a batch. Their names are unique, also if upper and lower case are the same.

    "ct.nii.gz" is called "ct". If there is also a "ct.nrrd" beside it, both keep their suffix. If
    names are still equal (series with the same number), a hash of their paths is added. Names that
    are too long for the file system of `output` are cut, with a hash of the whole name at the end.

    Args:
        suffix: of the labels, with its dot.
        identifiers: whether outputs may name the patient.

    Raises:
        InputError: two cases would have the same name all the same.
    """
    found = list(found)
    names = [_stem(item) for item in found]
    names = _unique(names, [str(item.relative_path) for item in found])
    names = _unique(names, [f"{name} {_path_hash(item.first)}"
                                for name, item in zip(names, found, strict=True)])
    longest = longest_name(output) - SUFFIX_BYTES
    cases = [_case(item, _shortened(name, longest), output, suffix, identifiers)
             for item, name in zip(found, names, strict=True)]
    by_name: dict[str, Case] = {}
    for case in cases:
        other = by_name.setdefault(case.name.casefold(), case)
        if other is not case:
            raise InputError(f"{case.public_input}: its results would have the same name as those "
                             f"of {other.public_input}, {case.name!r}; rename one of the inputs")
    return cases


def _case(found: Candidate, name: str, output: Path, suffix: str, identifiers: bool) -> Case:
    base = Path(os.path.abspath(output)) / name
    return Case(
        name, found.path, found.files,
        labels=base.with_name(base.name + suffix),
        record=base.with_name(base.name + ".json"),
        surfaces=base.with_name(base.name + " surfaces"),
        thumbnail=base.with_name(base.name + ".png"),
        beside=found.beside,
        public_input=str(found.path if identifiers else found.relative_path),
        id=series_id(found.series),
    )


def _stem(found: Candidate) -> str:
    """The relative path without the suffix of an image file; names of folders may have dots."""
    name = str(found.relative_path)
    suffix = formats.suffix_of(found.path) if found.path.name == found.relative_path.name else ""
    return name[: -len(suffix)] if suffix and found.relative_path.name != suffix else name


def _unique(names: list[str], alternatives: list[str]) -> list[str]:
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
    digest = f" {hashlib.sha256(whole).hexdigest()[:8]}"
    while len(os.fsencode(part + digest)) > longest:
        part = part[:-1]
    return part + digest


def _path_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(os.path.abspath(path))).hexdigest()[:8]
