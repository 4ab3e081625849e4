"""Any folder of images and labels with a dataset.json that names the organ of each label number.

    {"name": "clinic", "labels": {"1": "liver", "2": "kidneys", "3": "liver"}}

Images and labels lie in imagesTr and labelsTr (or images and labels, image and label, image and
mask); an image and its labels have the same name, except for the _0000 of nnU-Net. Several numbers
may mean one organ; "kidneys" means both, which are separated when the labels are read. Labels in
.seg.nrrd are known by the names of their segments, not by label numbers.

Organs that only some cases annotate: "annotated": {"case_07": ["liver", "spleen"]} lists the
organs of one case; the other organs are unknown there. Cases without a list annotate all organs.

Also understood:
    labels as {"liver": 1}                nnU-Net v2
    training: [{image, label[, fold]}]    Medical Segmentation Decathlon, nnU-Net v1, MONAI; paths
                                          relative to the JSON file
    validation: [{image, label}]          MONAI: held out as fold 0
    dataset: {id: {images, label}}        nnU-Net v2
    imagesTs with labelsTs                held out as test set
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from metaunetr.errors import InputError
from metaunetr.io import formats
from metaunetr_training.data.case import TEST, Case
from metaunetr_training.data.datasets import pairs
from metaunetr_training.data.datasets.names import organs_of

FILE = "dataset.json"
FOLDERS = (("imagestr", "labelstr"), ("images", "labels"), ("image", "label"), ("image", "mask"))
CHANNEL = "_0000"  # suffix of nnU-Net for the first channel
Entry = tuple[str, Path, Path, int | str | None]  # id, image, labels, fold


def list_cases(folder: Path, report: Callable[[str], None]) -> list[Case]:
    """The cases of a folder with a dataset.json, or of a JSON file of another name."""
    path = folder if folder.is_file() else folder / FILE
    values = _read(path)
    name = re.sub(r"[^\w-]+", "_", str(values.get("name") or path.parent.name)).strip("_").lower()
    if not name:
        raise InputError(f"{path}: must give the data set's \"name\"")
    mapping = _mapping(path, name, report)
    channels = values.get("channel_names", values.get("modality"))
    if isinstance(channels, dict) and len(channels) > 1:
        raise InputError(f"{path}: an image must have one channel, a CT; these have "
                         f"{len(channels)}: {', '.join(map(str, channels.values()))}")
    found = _listed(path, values) or _in_folders(path, name, report)
    twice = {id for n, (id, *_) in enumerate(found) if id in {other for other, *_ in found[:n]}}
    if twice:
        raise InputError(f"{path}: two cases may not have one name: {pairs.join_ids(twice)}")
    annotated = _annotated(path, values, {id for id, *_ in found})
    return [Case(name, id, image, labels,
                 _of_file(labels, _restricted(mapping, annotated.get(id))), fold)
            for id, image, labels, fold in found]


def read_labels_of(path: Path) -> dict[int, tuple[str, tuple[int, ...]]]:
    """Name and organ numbers (none when unknown) of every label number in the file.

    Raises:
        InputError: the file is no such JSON, or a label is a region, "ignore" or no number.
    """
    labels = _read(path).get("labels")
    if not isinstance(labels, dict) or not labels:
        raise InputError(f"{path}: must give \"labels\" as {{\"1\": \"liver\"}} or "
                         f"{{\"liver\": 1}}: {labels!r}")
    meanings = {}
    for key, value in labels.items():
        name, label = (value, key) if str(key).isdigit() else (key, value)
        if isinstance(label, list) or isinstance(name, list):
            raise InputError(f"{path}: every label must be one number, {key!r} is a region: "
                             f"{value!r}; write one label map without overlaps")
        if not re.fullmatch(r"\d+", str(label)) or not 0 <= int(label) <= 255:
            raise InputError(f"{path}: a label must be a number from 0 to 255, that of {name!r} "
                             f"is {label!r}")
        if not isinstance(name, str):
            raise InputError(f"{path}: label {label} must have the name of an organ: {name!r}")
        if name.lower() == "ignore":
            raise InputError(f"{path}: voxels that are to be ignored (label {label}) are not "
                             "supported; leave these cases out")
        if int(label) == 0 and organs_of(name):
            raise InputError(f"{path}: label 0 must be the background: {name!r}")
        if int(label) in meanings:
            raise InputError(f"{path}: label {label} has two names: {meanings[int(label)][0]!r} "
                             f"and {name!r}")
        meanings[int(label)] = name, organs_of(name)
    return {label: meaning for label, meaning in meanings.items() if label}


def _mapping(
    path: Path, dataset: str, report: Callable[[str], None]
) -> dict[int, tuple[int, ...]]:
    meanings = read_labels_of(path)
    unknown = {label: name for label, (name, organs) in meanings.items() if not organs}
    names = ", ".join(f"{label} ({name})" for label, name in unknown.items())
    if len(unknown) == len(meanings):
        raise InputError(f"{path}: at least one label must be a known organ, these are not: "
                         f"{names or 'none'}")
    if unknown:
        report(f"{dataset}: labels that are no organ known here count as background: {names}. "
               f"Where one is part of an organ, name that organ in {path.name}.")
    return {label: organs for label, (_, organs) in sorted(meanings.items())}


def _annotated(path: Path, values: dict[str, Any], known: set[str]) -> dict[str, frozenset[int]]:
    """Organ numbers by case id, of the cases that have a list."""
    lists = values.get("annotated", {})
    if not isinstance(lists, dict) or not all(isinstance(names, list) for names in lists.values()):
        raise InputError(f"{path}: \"annotated\" must give lists of organs by case, such as "
                         f"{{\"case_07\": [\"liver\"]}}: {str(lists)[:60]}")
    if unknown := sorted(set(lists) - known):
        raise InputError(f"{path}: \"annotated\" names {unknown[0]}, which is no case")
    for id, names in lists.items():
        for name in names:
            if not organs_of(str(name)):
                raise InputError(f"{path}: \"annotated\" of {id} must name organs: {name!r}")
    return {id: frozenset(n for name in names for n in organs_of(name))
            for id, names in lists.items()}


def _restricted(
    mapping: dict[int, tuple[int, ...]], annotated: frozenset[int] | None
) -> dict[int, tuple[int, ...]]:
    """`mapping` of a case that annotates only some organs; its other labels mean none."""
    if annotated is None:
        return mapping
    return {label: organs if annotated.issuperset(organs) else ()
            for label, organs in mapping.items()}


def _of_file(
    labels: Path, mapping: dict[int, tuple[int, ...]]
) -> dict[int, tuple[int, ...]]:
    """`mapping`; of a .seg.nrrd, whose values become organ numbers when it is read, of these."""
    if not formats.suffix_of(labels, formats.SEGMENTATION):
        return mapping
    return {number: (number,) for organs in mapping.values() for number in organs}


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{path}: is missing; it must say which label is which organ, such as "
                         '{"labels": {"1": "liver", "2": "kidneys"}}') from None
    except ValueError as error:
        raise InputError(f"{path}: is no JSON: {error}") from None
    if not isinstance(values, dict):
        raise InputError(f"{path}: must hold keys and values: {str(values)[:60]!r}")
    return values


def _listed(path: Path, values: dict[str, Any]) -> list[Entry]:
    """The cases that the JSON lists."""
    found = []
    for part, fold in (("training", None), ("validation", 0)):
        entries = values.get(part) or []
        if not isinstance(entries, list):
            raise InputError(f"{path}: {part!r} must be a list of cases: {entries!r}")
        found += [_entry(path, entry, fold) for entry in entries]
    named = values.get("dataset")
    for id, entry in named.items() if isinstance(named, dict) else ():
        if not re.fullmatch(r"[^./\\][^/\\]*", id):
            raise InputError(f"{path}: a case must have a name that a file may have: {id!r}")
        found.append((id, *_entry(path, entry, None)[1:]))
    return found


def _entry(path: Path, entry: Any, fold: int | None) -> Entry:
    try:
        image, label = entry.get("image", entry.get("images")), entry["label"]
        image, = image if isinstance(image, list) else [image]
        image, label = path.parent / image, path.parent / label
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InputError(f"{path}: a case must have one \"image\" and one \"label\": {entry!r}"
                         ) from None
    suffix = formats.suffix_of(image, formats.IMAGES)
    stem = image.name[:len(image.name) - len(suffix)]
    channel = image.with_name(stem + CHANNEL + suffix)  # nnU-Net v1 lists it without
    if not image.is_file() and channel.is_file():
        image = channel
    for file in (image, label):
        if not file.is_file():
            raise InputError(f"{path}: lists {file}, which does not exist")
    fold = entry.get("fold", fold)
    if fold is not None and fold != TEST and (type(fold) is not int or fold < 0):
        raise InputError(f"{path}: a fold must be a number from 0, or {TEST!r}: {fold!r}")
    return stem.removesuffix(CHANNEL), image, label, fold


def _in_folders(path: Path, name: str, report: Callable[[str], None]) -> list[Entry]:
    """The cases in imagesTr and labelsTr, or folders of equivalent names."""
    names, found = pairs.subfolders(path.parent), []
    training = [both for both in FOLDERS if set(both) <= names.keys()]
    for both, fold in [(both, None) for both in training[:1]] + [(("imagests", "labelsts"), TEST)]:
        if set(both) <= names.keys():
            labels = pairs.files(names[both[1]], formats.LABELS)
            images = {_id(stem, labels): image for stem, image
                      in pairs.files(names[both[0]], formats.IMAGES).items()}
            found += [(*case, fold) for case in pairs.pair(name, images, labels, report)]
    if not found:
        raise InputError(f"{path.parent}: must have images in imagesTr and labels of the same "
                         f"names in labelsTr, or list them in {path.name}; there are none")
    return found


def _id(stem: str, labels: dict[str, Path]) -> str:
    return stem if stem in labels else stem.removesuffix(CHANNEL)
