"""AMOS22 (Ji et al., NeurIPS Datasets and Benchmarks 2022, zenodo.org/records/7262581).

    dataset.json   imagesTr/amos_0001.nii.gz   labelsTr/   imagesVa/   labelsVa/   imagesTs/
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from metaunetr import organs
from metaunetr.errors import InputError
from metaunetr_training.data.case import TEST, Case
from metaunetr_training.data.datasets import general, pairs

LABELS = ("spleen", "right kidney", "left kidney", "gallbladder", "esophagus", "liver", "stomach",
          "aorta", "inferior vena cava", "pancreas", "right adrenal gland", "left adrenal gland",
          "duodenum", "urinary bladder", "prostate or uterus")
LAST_CT = 500  # higher numbers are MR


def list_cases(folder: Path, report: Callable[[str], None]) -> list[Case]:
    """The CTs of AMOS22; those in labelsVa are the test set."""
    place = pairs.search(folder, lambda names: {"imagestr", "labelstr"} <= names.keys())
    if place is None:
        raise InputError(f"{folder}: AMOS22 must have the folders imagesTr and labelsTr; they are "
                         "not there")
    mapping = pairs.mapping_of(LABELS)
    _require_amos_labels(place / "dataset.json", mapping)
    names, found = pairs.subfolders(place), []
    for part, fold in (("tr", None), ("va", TEST)):
        if {f"images{part}", f"labels{part}"} <= names.keys():
            images, labels = (_files(names[kind + part]) for kind in ("images", "labels"))
            found += [(*case, fold) for case in pairs.pair("amos", images, labels, report)]
    cts = [case for case in found if int(case[0]) <= LAST_CT]
    if len(cts) < len(found):
        report(f"amos: {len(found) - len(cts)} MR images (numbers above {LAST_CT}) left out.")
    if not cts:
        raise InputError(f"{place}: AMOS22's CTs must be called amos_0001.nii.gz to "
                         "amos_0500.nii.gz, in imagesTr and labelsTr alike; no such pair is there")
    return [Case("amos", id, image, labels, mapping, fold) for id, image, labels, fold in cts]


def _files(folder: Path) -> dict[str, Path]:
    return pairs.numbered(folder, r"amos_(\d{4})")


def _require_amos_labels(path: Path, mapping: dict[int, tuple[int, ...]]) -> None:
    """Checks that a dataset.json, where there is one, has the label numbers of AMOS22."""
    if not path.is_file():
        return
    for label, (name, meant) in general.read_labels_of(path).items():
        if meant and mapping.get(label) != meant:
            usual = [organs.BY_NUMBER[number].name for number in mapping.get(label, ())]
            raise InputError(f"{path}: label {label} must be {' and '.join(usual) or 'unused'} in "
                             f"AMOS22, this file says {name!r}; use the kind general")
