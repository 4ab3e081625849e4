"""BTCV: Beyond the Cranial Vault, abdomen (Landman et al. 2015, synapse.org syn3193805).

    imagesTr|img/img0001.nii.gz   labelsTr|label/label0001.nii.gz   or both in RawData/Training
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from metaunetr.errors import InputError
from metaunetr_training.data.case import Case
from metaunetr_training.data.datasets import pairs

LABELS = ("spleen", "right kidney", "left kidney", "gallbladder", "esophagus", "liver", "stomach",
          "aorta", "inferior vena cava", "portal and splenic vein", "pancreas",
          "right adrenal gland", "left adrenal gland")
# The validation cases of UNETR (Hatamizadeh et al., WACV 2022) and Swin UNETR (Tang et al., CVPR
# 2022) in MONAI's tutorials (dataset_0.json), to which most published figures refer.
VALIDATION = frozenset(f"{number:04d}" for number in range(35, 41))
VALIDATION_FOLD = 0


def list_cases(folder: Path, report: Callable[[str], None]) -> list[Case]:
    """The cases of BTCV; 0035 to 0040 are fold 0."""
    place = pairs.search(folder, lambda names: bool(_folders(names)))
    if place is None:
        raise InputError(f"{folder}: BTCV must have its images in imagesTr or img and its labels "
                         "in labelsTr or label; no such folders are there")
    images, labels = _folders(pairs.subfolders(place))
    found = pairs.pair("btcv", pairs.numbered(images, r"img(\d{4})"),
                       pairs.numbered(labels, r"label(\d{4})"), report)
    if not found:
        raise InputError(f"{place}: BTCV's files must be called img0001.nii.gz in {images.name} "
                         f"and label0001.nii.gz in {labels.name}; no such pair is there")
    mapping = pairs.mapping_of(LABELS)
    return [Case("btcv", id, image, label, mapping, VALIDATION_FOLD if id in VALIDATION else None)
            for id, image, label in found]


def _folders(names: dict[str, Path]) -> tuple[Path, Path] | None:
    images, labels = ([names[name] for name in both if name in names]
                      for both in (("imagestr", "img"), ("labelstr", "label")))
    return (images[0], labels[0]) if images and labels else None
