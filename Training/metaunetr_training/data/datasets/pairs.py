"""Images and their labels, matched by the names of folders and files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from metaunetr import organs
from metaunetr.errors import InputError
from metaunetr.io import formats

DEPTH = 3  # levels of folders that are searched: Abdomen/RawData/Training
LISTED_IDS = 5  # in a message


def mapping_of(names: Iterable[str]) -> dict[int, tuple[int, ...]]:
    """What the labels 1, 2, … of a data set mean, of the organs' names (`organs.select`)."""
    return {label: tuple(organ.number for organ in organs.select(name))
            for label, name in enumerate(names, start=1)}


def subfolders(folder: Path) -> dict[str, Path]:
    """The visible folders in `folder` by their names in lower case."""
    return {path.name.lower(): path for path in sorted(folder.iterdir())
            if path.is_dir() and not path.name.startswith(".")}


def search(top: Path, has: Callable[[Mapping[str, Path]], bool]) -> Path | None:
    """`top`, or the folder nearest below it, for whose `subfolders` the predicate `has` is true.

    Raises:
        InputError: there are several on one level.
    """
    level = [top]
    for _ in range(DEPTH + 1):
        inside = {folder: subfolders(folder) for folder in level}
        right = [folder for folder in level if has(inside[folder])]
        if len(right) > 1:
            raise InputError(f"{top}: holds several data sets of this kind; name one of them: "
                             f"{', '.join(map(str, right))}")
        if right:
            return right[0]
        level = [path for folders in inside.values() for path in folders.values()]
    return None


def files(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """The visible files in `folder` by their names without suffix.

    Raises:
        InputError: two files differ by their suffix only.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        suffix = formats.suffix_of(path)
        if suffix not in suffixes or path.name.startswith(".") or not path.is_file():
            continue
        stem = path.name[:-len(suffix)]
        if stem in found:
            raise InputError(f"{folder}: two files stand for one image: {found[stem].name} and "
                             f"{path.name}; remove one")
        found[stem] = path
    return found


def numbered(folder: Path, pattern: str) -> dict[str, Path]:
    """NIfTI files in `folder` whose names match `pattern`, by its group: the case's number."""
    matches = {re.fullmatch(pattern, stem, re.IGNORECASE): path
               for stem, path in files(folder, formats.NIFTI).items()}
    return {match[1]: path for match, path in matches.items() if match}


def pair(
    name: str, images: Mapping[str, Path], labels: Mapping[str, Path],
    report: Callable[[str], None],
) -> list[tuple[str, Path, Path]]:
    """(id, image, labels) of the cases that have both; the others are reported and left out."""
    for what, unpaired in (("images without labels", images.keys() - labels.keys()),
                         ("label maps without an image", labels.keys() - images.keys())):
        if unpaired:
            report(f"{name}: {len(unpaired)} {what} left out: {join_ids(unpaired)}.")
    return [(id, images[id], labels[id]) for id in sorted(images.keys() & labels.keys())]


def join_ids(ids: Iterable[str]) -> str:
    """The first ids, for a message."""
    ids = sorted(ids)
    more = f" and {len(ids) - LISTED_IDS} more" if len(ids) > LISTED_IDS else ""
    return ", ".join(ids[:LISTED_IDS]) + more
