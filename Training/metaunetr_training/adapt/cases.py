"""Which organs of which CTs a person has corrected.

    dataset.json, or a folder with one     all organs that the data set annotates
                                           (see `data.datasets.general`)
    a folder of .seg.nrrd                  the segments that a person has drawn or changed; the
                                           image has the same name
    an output folder of `metaunetr batch`  the same, of the files that have changed since
    a .seg.nrrd                            this one, beside its image or in such an output folder

A segment that is still as a model made it, and an organ without a segment, are unknown: they count
neither as the organ nor as background. A segment is changed if it differs from the digest in its
tags. One that was found right as it is can be marked as completed in the Segment Editor.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import isclose
from pathlib import Path

import numpy as np

from metaunetr import io
from metaunetr.batch.case import make_cases
from metaunetr.batch.case_ledger import DATABASE
from metaunetr.batch.case_record import sha256_of, state_of
from metaunetr.batch.discover import discover
from metaunetr.errors import InputError
from metaunetr.evaluation import SAME_PLACE_MM, uncropped
from metaunetr.image import Grid, Image
from metaunetr.io import formats
from metaunetr.io.image_info import describe_grid
from metaunetr.io.nrrd import NrrdHeader
from metaunetr.io.seg_nrrd import (
    CONTENT,
    MODEL,
    MODEL_SHA256,
    STATUS,
    VOXELS,
    content_digest,
    cropped,
    organ_of,
    read_segments,
    segment_digest,
)
from metaunetr.organs import BY_NUMBER
from metaunetr.orientation import Orientation
from metaunetr.text import counted
from metaunetr_training.data.case import Case
from metaunetr_training.data.datasets import dataset_cases, general, pairs
from metaunetr_training.data.labels import read_reference

IMAGE_FOLDERS = {labels: images for images, labels in general.FOLDERS}
SUFFIX, = formats.SEGMENTATION
ADDITION = re.compile(r"[\s_-]+(organs|seg(mentation)?|labels?|corrected)$", re.IGNORECASE)

Warn = Callable[[str], None]


@dataclass(frozen=True)
class Correction:
    """A CT with organs that a person has corrected.

    Attributes:
        image, labels: its files.
        organs: numbers of the corrected organs.
        mapping: organ numbers by label value, as in `Case`; () for organs that are unchanged.
        models: name by SHA-256 of the models that made segments of the file.
    """

    image: Path
    labels: Path
    organs: frozenset[int] = frozenset()
    mapping: dict[int, tuple[int, ...]] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)

    def state(self) -> str:
        """Equal as long as the files and what counts as corrected are the same.

        Raises:
            InputError: a file cannot be read.
        """
        return f"{state_of([self.image, self.labels])} {sorted(self.organs)}"

    def read(self) -> Image:
        """The numbers of the corrected organs, uint8 (D, H, W), on the grid of the image.

        Raises:
            InputError: a file cannot be read, or image and labels lie on different grids.
        """
        if _is_segmentation(self.labels):
            header = NrrdHeader(self.labels)
            numbers = np.zeros(256, np.uint8)
            for label, organs in self.mapping.items():
                numbers[label] = next(iter(organs), 0)
            labels = Image(numbers[_labels(header)], header.grid, self.labels)
        else:
            labels = read_reference(
                Case("the data set", "", self.image, self.labels, self.mapping))
        kept = np.zeros(256, np.uint8)
        kept[list(self.organs)] = list(self.organs)
        labels = replace(labels, array=kept[labels.array])
        grid = _grid(self.image)
        orientation = Orientation.of(labels.grid)
        canonical = replace(labels, array=orientation.view(labels.array),
                            grid=orientation.canonical(labels.grid))
        whole = uncropped(canonical, Orientation.of(grid).canonical(grid))
        if whole is None:
            raise InputError(f"image and labels must lie on one grid: {self.image} has "
                             f"{describe_grid(grid)}; {self.labels} has "
                             f"{describe_grid(labels.grid)}")
        return whole


def find(
    paths: Sequence[Path], images: Sequence[Path], known: Iterable[int], warn: Warn
) -> list[Correction]:
    """The CTs with organs that a person has corrected, in a fixed order.

    Args:
        paths: see the head of this module.
        images: what `metaunetr batch` had as --input, if `paths` has results of it.
        known: numbers of the organs that the model knows; others are left out.
        warn: called with a sentence about what is left out.

    Raises:
        InputError: a path holds no case, a file cannot be read, segments of two models were
            corrected, or no segment was.
    """
    known, found, unchanged = frozenset(known), {}, 0
    for path, files in _places(paths).items():
        for case in _in_path(path, files, images, warn):
            if unknown := sorted(case.organs - known):
                names = ", ".join(BY_NUMBER[number].name for number in unknown)
                warn(f"{case.labels}: the model does not know {names}; left out.")
            if case.organs & known:
                found[case.image, case.labels] = replace(case, organs=case.organs & known)
            else:
                unchanged += 1
    if unchanged:
        warn(f"{counted(unchanged, 'segmentation')} without a corrected organ left out.")
    cases = list(found.values())
    _require_one_model(cases)
    if not cases:
        raise InputError(f"{', '.join(map(str, paths))}: no segment has been corrected; correct "
                         "some in 3D Slicer, save them, and start again")
    return cases


def _places(paths: Sequence[Path]) -> dict[Path, list[Path]]:
    """The folders and data sets among the paths, with no files; of single segmentations, the folder
    or the output folder of their batch, with these files."""
    places: dict[Path, list[Path]] = {}
    for path in map(Path, map(os.path.abspath, paths)):
        if _is_segmentation(path) and path.is_file():
            batch = (folder for folder in path.parents if (folder / DATABASE).is_file())
            files = places.setdefault(next(batch, path.parent), [path])
            if files and path not in files:
                files.append(path)
        else:
            places[path] = []
    return places


def _in_path(
    path: Path, files: list[Path], images: Sequence[Path], warn: Warn
) -> Iterator[Correction]:
    """The cases of a path, or only those of these segmentations in it."""
    if not files and (path.is_file() or (path / general.FILE).is_file()):
        for case in dataset_cases("general", path, warn):
            yield _of_case(case, warn)
        return
    if not path.is_dir():
        raise InputError(f"{path}: there is no such folder")
    files = files or [Path(folder) / name for folder, _, names in sorted(os.walk(path))
                      for name in sorted(names)
                      if name.lower().endswith(SUFFIX) and not name.startswith(".")]
    if not files:
        raise InputError(f"{path}: holds no {SUFFIX}, and no {general.FILE} that names the organs "
                         "of label maps")
    results = {file: digest for file in files if (digest := _batch_digest(file))}
    changed = [file for file, digest in results.items() if sha256_of(file) != digest]
    inputs = _batch_inputs(path, images) if changed else {}
    taken: dict[Path, Path] = {}
    for file in files:
        if file in results and file not in changed:
            yield Correction(file, file)
            continue
        image = inputs.get(file) if file in results else _image_of(file)
        if image is None:
            warn(f"{file}: left out, there is no image of this name.")
            continue
        if image in taken:
            raise InputError(f"{image}: has two segmentations, {taken[image]} and {file}; remove "
                             "one")
        taken[image] = file
        yield read_corrections(image, file, warn)


def _of_case(case: Case, warn: Warn) -> Correction:
    if not _is_segmentation(case.labels):
        return Correction(case.image, case.labels, case.annotated, case.mapping)
    found = read_corrections(case.image, case.labels, warn)
    return replace(found, organs=found.organs & case.annotated)


def read_corrections(image: Path, path: Path, warn: Warn) -> Correction:
    """The corrected segments of a .seg.nrrd.

    Raises:
        InputError: the file cannot be read.
    """
    segments, _ = read_segments(path)
    if unknown := ", ".join(item["name"] for item in segments if organ_of(item) is None):
        warn(f"{path}: segments that are no organ known here are left out: {unknown}.")
    header = NrrdHeader(path)
    labels = cropped(Image(_labels(header), header.grid))
    changed, models = set(), {}
    for index, segment in enumerate(segments):
        tags, organ = segment["tags"], organ_of(segment)
        if sha256 := tags.get(MODEL_SHA256):
            models[sha256] = tags.get(MODEL, sha256)
        same = organ is None or _is_unchanged(
            segment, header.pairs.get(f"Segment{index}_Color", ""),
            cropped(replace(labels, array=labels.array == segment["label"])))
        if not same:
            changed.add(organ.number)
    # what a person adds to an organ in a second segment does not make the first one background
    mapping = {segment["label"]: (organ.number,) if organ and organ.number in changed else ()
               for segment in segments for organ in [organ_of(segment)]}
    return Correction(image, path, frozenset(changed), mapping, models)


def _is_unchanged(segment: dict, colour: str, mask: Image) -> bool:
    """Whether a segment is as a model made it, and nobody has marked it as completed.

    Args:
        colour: three numbers from 0 to 1.
        mask: the smallest box.
    """
    tags, (x, y, z) = segment["tags"], mask.grid.origin
    status = tags.get(STATUS, "")
    if status == "completed":
        return False
    try:
        if CONTENT in tags:
            channels = [round(float(channel) * 255) for channel in colour.split()]
            digest = segment_digest(mask.array, segment["name"], channels,
                                    tags.get("TerminologyEntry", ""), status)
            return _is_same(tags[CONTENT], digest, (-x, -y, z))
        if VOXELS in tags:
            return _is_same(tags[VOXELS], content_digest(mask.array), (x, y, z))
        volume = float(tags["MetaUNETR.VolumeML"])  # all that versions up to 0.2.0 wrote
        return isclose(mask.array.sum() * mask.grid.voxel_volume, volume, rel_tol=1e-5,
                       abs_tol=1e-3)
    except (KeyError, ValueError):  # no tag of MetaUNETR, or a damaged one
        return False


def _is_same(tag: str, digest: str, place: tuple[float, float, float]) -> bool:
    """Whether a tag has this digest, and this place of the first voxel (mm)."""
    written, *places = tag.split()
    return written == digest and np.allclose(np.array(places[:3], float), place, rtol=0,
                                             atol=SAME_PLACE_MM)


def _batch_digest(file: Path) -> str | None:
    """The SHA-256 of a result of `metaunetr batch` as it was written; None for other files."""
    try:
        record = file.with_name(file.name[:-len(SUFFIX)] + ".json")
        return json.loads(record.read_text(encoding="utf-8"))["sha256"][file.name]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _batch_inputs(folder: Path, images: Sequence[Path]) -> dict[Path, Path]:
    """The image of each result in an output folder of `metaunetr batch`."""
    if not images:
        raise InputError(f"{folder}: holds results of `metaunetr batch`, which do not say where "
                         "the images are; name with --images what was its --input")
    found = discover(images, folder).found
    return {case.labels: case.input for case in make_cases(found, folder, SUFFIX)}


def _image_of(labels: Path) -> Path | None:
    """The image of a segmentation, by its name: ct.nrrd of "ct.seg.nrrd" or "ct organs.seg.nrrd".

    It lies beside it, in imagesTr beside labelsTr (or images and labels, …), or is the folder "ct"
    of a DICOM series.
    """
    stem, folder = labels.name[:-len(SUFFIX)], labels.parent
    beside = pairs.subfolders(folder.parent).get(IMAGE_FOLDERS.get(folder.name.lower(), ""))
    for place in filter(None, (folder, beside)):
        images = pairs.files(place, formats.IMAGES)
        images |= {path.name: path for path in place.iterdir() if path.is_dir()}
        images |= {name.removesuffix(general.CHANNEL): path for name, path in images.items()}
        for name in (stem, ADDITION.sub("", stem)):
            if name in images:
                return images[name]
    return None


def _labels(header: NrrdHeader) -> np.ndarray:
    return header.read().clip(0, 255).astype(np.uint8)


def _grid(image: Path) -> Grid:
    if image.is_file() and formats.readable(image):
        return io.read_header(image).grid
    return io.read_image(image).grid


def _is_segmentation(path: Path) -> bool:
    return bool(formats.suffix_of(path, formats.SEGMENTATION))


def _require_one_model(cases: Sequence[Correction]) -> None:
    first: tuple[str, str, Path] | None = None
    for case in cases:
        for sha256, name in case.models.items():
            if first and first[0] != sha256:
                raise InputError(f"all cases must be corrected results of one model: {first[2]} "
                                 f"is of {first[1]} ({first[0][:8]}), {case.labels} of {name} "
                                 f"({sha256[:8]})")
            first = sha256, name, case.labels
