"""AbdomenCT-1K (Ma et al., IEEE TPAMI 2022, doi 10.1109/TPAMI.2021.3100536).

    Image/Case_00001_0000.nii.gz   Mask/Case_00001.nii.gz

The archives of zenodo.org unpack to several folders of images (AbdomenCT-1K-ImagePart1, …) beside
Mask; some programs unpack into a folder within a folder of the same name. All are read as one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from metaunetr.errors import InputError
from metaunetr_training.data.case import Case
from metaunetr_training.data.datasets import pairs

LABELS = ("liver", "kidneys", "spleen", "pancreas")


def list_cases(folder: Path, report: Callable[[str], None]) -> list[Case]:
    """The cases of AbdomenCT-1K; their label 2 stands for both kidneys."""
    place = pairs.search(folder, lambda names: bool("mask" in names and _image_folders(names)))
    if place is None:
        raise InputError(f"{folder}: AbdomenCT-1K must have the folders Image and Mask; they are "
                         "not there")
    names = pairs.subfolders(place)
    images: dict[str, Path] = {}
    for part in _image_folders(names):
        for id, path in pairs.numbered(part, r"case_(\d{5})_0000").items():
            if id in images:
                raise InputError(f"{path}: is there twice, also as {images[id]}; remove one")
            images[id] = path
    labels = pairs.numbered(_innermost(names["mask"]), r"case_(\d{5})")
    found = pairs.pair("abdomenct1k", images, labels, report)
    if not found:
        raise InputError(f"{place}: AbdomenCT-1K's files must be called Case_00001_0000.nii.gz in "
                         "Image and Case_00001.nii.gz in Mask; no such pair is there")
    mapping = pairs.mapping_of(LABELS)
    return [Case("abdomenct1k", id, image, label, mapping) for id, image, label in found]


def _image_folders(names: Mapping[str, Path]) -> list[Path]:
    return [_innermost(path) for name, path in names.items()
            if name in ("image", "images") or name.startswith("abdomenct-1k-imagepart")]


def _innermost(folder: Path) -> Path:
    return pairs.subfolders(folder).get(folder.name.lower(), folder)
