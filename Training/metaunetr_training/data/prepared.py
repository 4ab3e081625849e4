"""The folder that training reads: cases at the model spacing, memory-mapped.

    prepared.json            preprocessing and format
    folds.json               the fold of every case (see `folds`)
    report.html              what was prepared, for people
    pictures/DATASET/ID.png
    cases/DATASET/ID/        image.npy   uint8 (D, H, W), the HU window in steps of 1/255
                             labels.npy  uint8 (D, H, W), organ numbers
                             points.npy  int16 (n, 4): organ number, d, h, w of some of its voxels
                             case.json   written last: the case is complete
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from metaunetr.bundle import Preprocessing
from metaunetr.errors import InputError
from metaunetr_training.data.case import TEST, Case
from metaunetr_training.data.folds import Fold

FORMAT = 2
BRIGHTEST = 255  # stored for the upper end of the HU window, which the network sees as 1
POINTS = 500  # of each organ


@dataclass(frozen=True)
class PreparedCase:
    """One case on disk.

    Attributes:
        source: the files it was made from.
        shape: (D, H, W) at the model spacing.
        volumes_ml: volume of each organ that it holds, on the source's grid.
        spacing: of the source, mm along its canonical axes (i, j, k).
        warnings: sentences about what was odd.
        state: what it was made from; another state means it must be made again.
        voxels: digest of the source's image, the same for identical images.
    """

    folder: Path
    source: Case
    shape: tuple[int, int, int]
    volumes_ml: dict[int, float]
    spacing: tuple[float, float, float]
    warnings: tuple[str, ...]
    state: str
    voxels: str

    @property
    def key(self) -> str:
        return self.source.key

    @property
    def annotated(self) -> frozenset[int]:
        return self.source.annotated

    def image(self) -> np.ndarray:
        """(D, H, W) uint8, the HU window as 0 to BRIGHTEST, memory-mapped."""
        return np.load(self.folder / "image.npy", mmap_mode="r")

    def labels(self) -> np.ndarray:
        """(D, H, W) uint8 organ numbers, memory-mapped."""
        return np.load(self.folder / "labels.npy", mmap_mode="r")

    @cached_property
    def points(self) -> dict[int, np.ndarray]:
        """Some voxels (n, 3) = (d, h, w) of each organ that the case holds."""
        points = np.load(self.folder / "points.npy")
        return {int(n): points[points[:, 0] == n, 1:] for n in np.unique(points[:, 0])}

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT, "source": self.source.to_json(), "shape": list(self.shape),
            "volumes_ml": {str(n): v for n, v in self.volumes_ml.items()},
            "spacing": list(self.spacing), "warnings": list(self.warnings),
            "state": self.state, "voxels": self.voxels,
        }

    @classmethod
    def read(cls, folder: Path) -> PreparedCase | None:
        """The case in `folder`; None when it is not complete or of another format."""
        try:
            values = json.loads((folder / "case.json").read_text(encoding="utf-8"))
            if values["format"] != FORMAT:
                return None
            return cls(
                folder, Case.from_json(values["source"]), tuple(values["shape"]),
                {int(n): v for n, v in values["volumes_ml"].items()},
                tuple(values["spacing"]), tuple(values["warnings"]), values["state"],
                values["voxels"],
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None


@dataclass(frozen=True)
class Prepared:
    """A prepared folder, read by `Prepared.read`."""

    folder: Path
    preprocessing: Preprocessing
    cases: tuple[PreparedCase, ...]
    folds: dict[str, Fold]

    def training(self, fold: Fold) -> list[PreparedCase]:
        """All but those of `fold` and of the test set; NO_FOLD leaves out only the test set."""
        return [case for case in self.cases if self.folds[case.key] not in (fold, TEST)]

    def held_out(self, fold: Fold) -> list[PreparedCase]:
        """Those of a fold, or of the test set."""
        return [case for case in self.cases if self.folds[case.key] == fold]

    @classmethod
    def read(cls, folder: Path) -> Prepared:
        """
        Raises:
            InputError: the folder was not made by `prepare`, or preparation has not ended.
        """
        try:
            values = json.loads((folder / "prepared.json").read_text(encoding="utf-8"))
            folds = json.loads((folder / "folds.json").read_text(encoding="utf-8"))
            preprocessing = preprocessing_of_json(values["preprocessing"])
            if values["format"] != FORMAT:
                raise ValueError(f"format {values['format']}")
        except OSError as error:
            raise InputError(f"{folder}: is no prepared folder ({error.strerror}: "
                             f"{error.filename}); make one with `prepare`") from error
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{folder}: prepared.json or folds.json is damaged ({error}); "
                             "run `prepare` again") from error
        found = [PreparedCase.read(path.parent)
                 for path in sorted((folder / "cases").glob("*/*/case.json"))]
        cases = tuple(case for case in found if case is not None and case.key in folds)
        if not cases:
            raise InputError(f"{folder}: holds no prepared case; run `prepare` again")
        return cls(folder, preprocessing, cases, folds)


def case_folder(folder: Path, key: str) -> Path:
    """Where a prepared folder keeps a case."""
    return folder / "cases" / key


def picture_file(folder: Path, key: str) -> Path:
    return folder / "pictures" / f"{key}.png"


def preprocessing_to_json(preprocessing: Preprocessing) -> dict[str, Any]:
    return asdict(preprocessing)


def preprocessing_of_json(values: dict[str, Any]) -> Preprocessing:
    return Preprocessing(
        tuple(values["spacing"]), tuple(values["hu_window"]), values["antialias"],
        tuple(values["body_crop"]),
    )
