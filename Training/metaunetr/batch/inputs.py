"""The inputs of a batch: files, folders, and lists of them in CSV or JSON.

    image,name                        [{"image": "ct/001.nii.gz", "name": "patient 1"},
    ct/001.nii.gz,patient 1            "ct/002.nii.gz"]
    ct/002.nii.gz,

Relative paths in a list start at the folder of the list. If there is a name, it is the name of the
case and the path of its results in the output folder.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from metaunetr.errors import InputError

LISTS = (".csv", ".json")
FORBIDDEN = set('\\:*?"<>|')  # in names of files on Windows


@dataclass(frozen=True)
class Input:
    """A file or folder.

    Attributes:
        path: absolute path.
        name: of the case; "" to use its path.
        row: where it is listed, such as "list.csv, line 3"; "" if it is in no list.
    """

    path: Path
    name: str = ""
    row: str = ""


def read_inputs(paths: Iterable[Path]) -> list[Input]:
    """The files and folders of `paths`, with lists replaced by what they name.

    Raises:
        InputError: a list cannot be read, or a name occurs twice or leads out of the output
            folder; the message names file, row and value.
    """
    inputs = []
    for path in paths:
        path = Path(os.path.abspath(path))
        if path.suffix.lower() in LISTS and not path.is_dir():
            inputs.extend(_entries(path))
        else:
            inputs.append(Input(path))
    _check_names(inputs)
    return inputs


def _entries(path: Path) -> Iterator[Input]:
    """The inputs of a list."""
    read = _csv_rows if path.suffix.lower() == ".csv" else _json_rows
    empty = True
    for row, image, name in read(path, _text(path)):
        empty = False
        if not isinstance(image, str) or not image.strip() or "\0" in image:
            raise InputError(f"{row}: 'image' must be a path, it is {image!r}")
        yield Input(Path(os.path.abspath(path.parent / image.strip())), _valid_name(row, name), row)
    if empty:
        raise InputError(f"{path}: the list of inputs is empty")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: the list cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: a list must be UTF-8 text, byte {error.start} is not") from None


def _csv_rows(path: Path, text: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield (row, image, name); columns are separated by commas, semicolons or tabs."""
    header, *_ = text.splitlines() or [""]
    reader = csv.DictReader(StringIO(text, newline=""), strict=True,
                            delimiter=max(",;\t", key=header.count))
    try:
        columns = [(column or "").strip() for column in reader.fieldnames or ()]
        if "image" not in columns:
            raise InputError(f"{path}: a list needs a column 'image', its first line is "
                             f"{header[:200]!r}")
        reader.fieldnames = columns
        for values in reader:
            row = f"{path}, line {reader.line_num}"
            if None in values:
                raise InputError(f"{row}: has more values than there are columns: "
                                 f"{values[None]}")
            yield row, values["image"], values.get("name")
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.reader.line_num}: is no CSV: {error}") from None


def _json_rows(path: Path, text: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield (row, image, name)."""
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is no JSON: {error}") from None
    if not isinstance(entries, list):
        raise InputError(f"{path}: must be a list of paths, or of objects with 'image' and "
                         f"'name', it is {type(entries).__name__}")
    for number, entry in enumerate(entries, start=1):
        row = f"{path}, entry {number}"
        if isinstance(entry, str):
            yield row, entry, None
        elif isinstance(entry, dict) and set(entry) <= {"image", "name"}:
            yield row, entry.get("image"), entry.get("name")
        else:
            raise InputError(f"{row}: must be a path or an object with 'image' and 'name', it is "
                             f"{json.dumps(entry)[:200]}")


def _valid_name(row: str, name: Any) -> str:
    """The name, or "" for none, after a check that it is a path inside the output folder."""
    if name is None or name == "":
        return ""
    if not isinstance(name, str):
        raise InputError(f"{row}: 'name' must be text, it is {name!r}")
    name = name.strip()
    if not all(map(_is_file_name, name.split("/"))):
        raise InputError(
            f"{row}: 'name' must be a path inside the output folder, without parts that begin "
            f"or end with a dot or hold {' '.join(sorted(FORBIDDEN))}, it is {name!r}")
    return name


def _is_file_name(part: str) -> bool:
    return (bool(part) and part == part.strip() and not part.startswith(".")
            and not part.endswith(".") and part.isprintable() and not FORBIDDEN & set(part))


def _check_names(inputs: list[Input]) -> None:
    rows: dict[str, str] = {}
    for item in inputs:
        key = item.name.casefold()
        if key and key in rows:
            raise InputError(f"{item.row}: every name must occur once, {item.name!r} is in "
                             f"{rows[key]} as well")
        rows[key] = item.row
