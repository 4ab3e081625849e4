"""Prepared cases as one small file, for training on another machine.

A zip archive of the files of a prepared folder, without report and pictures, each compressed by xz.
Noise does not compress, so images are reduced to 64 grey levels; over 400 HU, one level is 6.3 HU,
which is below the noise of most CTs.
"""

from __future__ import annotations

import io
import json
import lzma
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from metaunetr.errors import InputError, OutputError
from metaunetr.io.atomic import atomic
from metaunetr_training.data.prepared import BRIGHTEST, Prepared, PreparedCase
from metaunetr_training.export.target import new_folder

LEVELS = 64
XZ = ".xz"
OVERHEAD = 600  # bytes of a case, beside its key: headers of four zip members, folds.json
MEMBER = re.compile(r"(prepared|folds)\.json|cases/\w[^/\\]*/\w[^/\\]*/(case\.json|\w+\.npy)")


@dataclass(frozen=True)
class Packed:
    """The content of a packed file.

    Attributes:
        size: of the file, in bytes.
        cases, left_out: keys of the cases.
    """

    size: int
    cases: list[str]
    left_out: list[str]


def pack(
    prepared: Prepared, file: Path, most_bytes: float, report: Callable[[str], None]
) -> Packed:
    """Writes the cases that annotate most organs into `file`, as many as fit.

    Raises:
        InputError: no case fits.
        OutputError: the file cannot be written.
    """
    ordered = sorted(prepared.cases, key=lambda case: (-len(case.annotated), case.key))
    taken: list[str] = []
    room = most_bytes - len(ordered) * OVERHEAD - sum(9 * len(case.key) for case in ordered)
    try:
        with atomic(file) as temporary, zipfile.ZipFile(temporary, "w") as archive:
            room -= _add(archive, _compressed({
                "prepared.json": (prepared.folder / "prepared.json").read_bytes()}))
            for number, case in enumerate(ordered, start=1):
                members = _compressed(_members(case))
                size = sum(map(len, members.values()))
                fits = size <= room
                if fits:
                    room -= _add(archive, members)
                    taken.append(case.key)
                report(f"[{number}/{len(ordered)}] {case.key}: {size / 1e6:.1f} MB"
                       f"{'' if fits else ', left out'}")
            if not taken:
                raise InputError(f"{prepared.folder}: no case fits into {most_bytes / 1e6:g} MB")
            folds = {key: prepared.folds[key] for key in taken}
            _add(archive, _compressed({"folds.json": json.dumps(folds, indent=1).encode()}))
        size = file.stat().st_size
    except OSError as error:
        raise OutputError(f"{file}: cannot be written: {error.strerror or error}") from error
    return Packed(size, taken, [case.key for case in ordered if case.key not in taken])


def unpack(file: Path, folder: Path) -> Prepared:
    """Restores the prepared `folder` from a packed file.

    Raises:
        InputError: the file was not made by `pack`, or is damaged.
        OutputError: the folder exists or cannot be written.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            for name in names:
                if not (name.endswith(XZ) and MEMBER.fullmatch(name.removesuffix(XZ))):
                    raise InputError(f"{file}: holds {name!r}, which `pack` does not write")
            with new_folder(folder) as place:
                for name in names:
                    target = place / name.removesuffix(XZ)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(lzma.decompress(archive.read(name)))
    except FileNotFoundError:
        raise InputError(f"{file}: there is no such file") from None
    except (zipfile.BadZipFile, lzma.LZMAError, EOFError) as error:
        raise InputError(f"{file}: is no file made by `pack`, or damaged ({error})") from error
    return Prepared.read(folder)


def reduce_levels(image: np.ndarray, levels: int = LEVELS) -> np.ndarray:
    """An image (uint8, 0 to BRIGHTEST) with at most `levels` evenly spaced values."""
    steps = (levels - 1) / BRIGHTEST
    table = np.rint(np.rint(np.arange(BRIGHTEST + 1) * steps) / steps).astype(np.uint8)
    return table[image]


def _members(case: PreparedCase) -> dict[str, bytes]:
    """The files of a case by their path in the prepared folder."""
    place = f"cases/{case.key}"
    return {
        f"{place}/image.npy": _npy(reduce_levels(case.image())),
        f"{place}/labels.npy": _npy(case.labels()),
        f"{place}/points.npy": (case.folder / "points.npy").read_bytes(),
        f"{place}/case.json": (case.folder / "case.json").read_bytes(),
    }


def _compressed(members: dict[str, bytes]) -> dict[str, bytes]:
    return {name + XZ: lzma.compress(data) for name, data in members.items()}


def _add(archive: zipfile.ZipFile, members: dict[str, bytes]) -> int:
    """Adds files to an archive, and returns their size in bytes."""
    for name, data in members.items():
        archive.writestr(name, data)
    return sum(map(len, members.values()))


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()
