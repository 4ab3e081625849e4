"""The folder that training reads: cases at the model spacing, memory-mapped.

    prepared.json            preprocessing and format
    folds.json               the fold of every case (see `folds`)
    report.html              what was prepared, for people
    pictures/DATASET/ID.png
    cases/DATASET/ID/        image.npy   uint8 (D, H, W), the HU window in steps of 1/255
                             labels.npy  uint8 (D, H, W), organ numbers, or UNKNOWN
                             points.npy  int16 (n, 4): organ number, d, h, w of some of its voxels
                             case.json   written last: the case is complete
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from metaunetr import schema
from metaunetr.bundle import Preprocessing
from metaunetr.errors import InputError
from metaunetr.io.atomic import write_text
from metaunetr.schema import Reader
from metaunetr_training.data.case import TEST, Case
from metaunetr_training.data.folds import Fold

FORMAT = 2
UNKNOWN = 255  # label of a voxel that training leaves out; only in pseudo-labelled cases
BRIGHTEST = 255  # stored for the upper end of the HU window, which the network sees as 1
POINTS = 500  # of each organ
MAX_FOLDS = 64 << 20  # bytes of folds.json, which has a line for each case


@dataclass(frozen=True)
class PreparedCase:
    """One prepared case.

    Attributes:
        source: the files it was prepared from.
        shape: (D, H, W) at the model spacing.
        volumes_ml: volume (mL) by organ number, on the source's grid; organs it holds.
        spacing: of the source, mm along its canonical axes (i, j, k).
        warnings: sentences about doubts, see `checks`.
        state: digest of files and preprocessing; with another one it must be prepared again.
        voxels: digest of the source's voxels, equal for identical images.
        pseudo_labelled: organ numbers that a model has labelled, see `training.pseudo_labels`.
    """

    folder: Path
    source: Case
    shape: tuple[int, int, int]
    volumes_ml: dict[int, float]
    spacing: tuple[float, float, float]
    warnings: tuple[str, ...]
    state: str
    voxels: str
    pseudo_labelled: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        return self.source.key

    @property
    def annotated(self) -> frozenset[int]:
        """Organ numbers that the labels include."""
        return self.source.annotated.union(self.pseudo_labelled)

    def image(self) -> np.ndarray:
        """(D, H, W) uint8, the HU window as 0 to BRIGHTEST, memory-mapped."""
        return np.load(self.folder / "image.npy", mmap_mode="r")

    def labels(self) -> np.ndarray:
        """(D, H, W) uint8 organ numbers or UNKNOWN, memory-mapped."""
        return np.load(self.folder / "labels.npy", mmap_mode="r")

    @cached_property
    def points(self) -> dict[int, np.ndarray]:
        """Random voxels (n, 3) = (d, h, w) by organ number, of each organ that the case holds."""
        points = np.load(self.folder / "points.npy")
        return {int(n): points[points[:, 0] == n, 1:] for n in np.unique(points[:, 0])}

    def to_json(self) -> dict[str, Any]:
        """The values of case.json."""
        values = schema.to_json(self)
        del values["folder"]
        return {"format": FORMAT, **values}

    @classmethod
    def read(cls, folder: Path) -> PreparedCase | None:
        """The case in `folder`; None when it is not complete or of another format."""
        try:
            values = schema.read_json(folder / "case.json")
            if values["format"] != FORMAT:
                return None
            return Reader("case.json").read(cls, values | {"folder": str(folder)})
        except (OSError, ValueError, KeyError, TypeError):
            return None


@dataclass(frozen=True)
class _Header:
    """The values of prepared.json."""

    format: int
    preprocessing: Preprocessing


@dataclass(frozen=True)
class Prepared:
    """A prepared folder, read by `Prepared.read`."""

    folder: Path
    preprocessing: Preprocessing
    cases: tuple[PreparedCase, ...]
    folds: dict[str, Fold]

    def training(self, fold: Fold) -> list[PreparedCase]:
        """The cases outside `fold` (any fold for NO_FOLD) and outside the test set."""
        return [case for case in self.cases if self.folds[case.key] not in (fold, TEST)]

    def held_out(self, fold: Fold) -> list[PreparedCase]:
        """The cases of a fold, or of the test set."""
        return [case for case in self.cases if self.folds[case.key] == fold]

    @classmethod
    def read(cls, folder: Path) -> Prepared:
        """The prepared folder.

        Raises:
            InputError: the folder was not made by `prepare`, or is incomplete or damaged.
        """
        try:
            preprocessing, version = read_preprocessing(folder)
            folds = read_folds(folder)
            if version != FORMAT:
                raise ValueError(f"format {version}")
        except OSError as error:
            raise InputError(f"{folder}: is no prepared folder ({error.strerror}: "
                             f"{error.filename}); make one with `prepare`") from error
        except ValueError as error:
            raise InputError(f"{folder}: prepared.json or folds.json is damaged ({error}); "
                             "run `prepare` again") from error
        found = [PreparedCase.read(path.parent)
                 for path in sorted((folder / "cases").glob("*/*/case.json"))]
        cases = tuple(case for case in found if case is not None and case.key in folds)
        if not cases:
            raise InputError(f"{folder}: holds no prepared case; run `prepare` again")
        return cls(folder, preprocessing, cases, folds)


def case_folder(folder: Path, key: str) -> Path:
    """The folder of a case in a prepared folder."""
    return folder / "cases" / key


def picture_file(folder: Path, key: str) -> Path:
    """The picture of a case in a prepared folder."""
    return folder / "pictures" / f"{key}.png"


def read_preprocessing(folder: Path) -> tuple[Preprocessing, int]:
    """The preprocessing of a prepared folder, and the version of its format.

    Raises:
        OSError, ValueError: prepared.json cannot be read, or is damaged.
    """
    header = Reader("prepared.json").read(_Header, schema.read_json(folder / "prepared.json"))
    return header.preprocessing, header.format


def write_preprocessing(folder: Path, preprocessing: Preprocessing) -> None:
    """Writes prepared.json.

    Raises:
        OutputError: it cannot be written.
    """
    header = schema.to_json(_Header(FORMAT, preprocessing))
    write_text(folder / "prepared.json", json.dumps(header, indent=1))


def read_folds(folder: Path) -> dict[str, Fold]:
    """The fold of every case by its key.

    Raises:
        OSError, ValueError: folds.json cannot be read, or is damaged.
    """
    values = schema.read_json(folder / "folds.json", MAX_FOLDS)
    return Reader("folds.json").read(dict[str, int | str], values, "folds.json")


def write_folds(folder: Path, folds: dict[str, Fold]) -> None:
    """Writes folds.json.

    Raises:
        OutputError: it cannot be written.
    """
    write_text(folder / "folds.json", json.dumps(folds, indent=1))
