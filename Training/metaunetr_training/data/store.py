"""One case: from its files to its folder, which is complete once case.json is there."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from metaunetr import io, schema
from metaunetr.batch.case_record import state_of
from metaunetr.bundle import Preprocessing
from metaunetr.errors import OutputError
from metaunetr.orientation import Orientation
from metaunetr.outputs import together
from metaunetr.report import save_png
from metaunetr_training.data import checks
from metaunetr_training.data.case import Case
from metaunetr_training.data.labels import read_reference
from metaunetr_training.data.pictures import picture
from metaunetr_training.data.prepared import (
    FORMAT,
    POINTS,
    UNKNOWN,
    PreparedCase,
    case_folder,
    picture_file,
)
from metaunetr_training.data.resample import to_model_arrays

KINDS = {"image": np.uint8, "labels": np.uint8}


def prepare_case(case: Case, folder: Path, preprocessing: Preprocessing) -> PreparedCase:
    """Checks and resamples a case, and writes it into the prepared `folder`.

    Raises:
        InputError: its files cannot be read or do not match.
        OutputError: it cannot be written.
    """
    state = made_from(case, preprocessing)  # before reading, so that later changes count
    image = io.read_image(case.image)
    reference = read_reference(case, image)
    warnings, volumes = checks.inspect_case(image, reference)
    volume, labels = to_model_arrays(image, reference, preprocessing)
    orientation = Orientation.of(image.grid)
    prepared = PreparedCase(
        case_folder(folder, case.key), case, volume.shape, volumes,
        orientation.canonical(image.grid).spacing, tuple(warnings), state,
        _digest(orientation.view(image.array)),
    )
    write_case(prepared, volume, labels, picture_file(folder, case.key), preprocessing)
    return prepared


def read_complete(case: Case, folder: Path, preprocessing: Preprocessing) -> PreparedCase | None:
    """The prepared case; None if it is missing, incomplete, or made from other files.

    The files may lie in another folder than before.

    Raises:
        InputError: its files cannot be found.
    """
    prepared = PreparedCase.read(case_folder(folder, case.key))
    if prepared is None or prepared.state != made_from(case, preprocessing) \
            or not _is_whole(prepared) or not picture_file(folder, case.key).is_file():
        return None
    return prepared


def update_source(prepared: PreparedCase, case: Case) -> None:
    """Updates the paths of the files of a prepared case.

    Raises:
        OutputError: it cannot be written.
    """
    io.write_text(prepared.folder / "case.json", _text(replace(prepared, source=case)))


def made_from(case: Case, preprocessing: Preprocessing) -> str:
    """A digest of everything that the prepared case depends on.

    Raises:
        InputError: a file of the case is gone or may not be read.
    """
    what: list[Any] = [FORMAT, POINTS, state_of([case.image]), state_of([case.labels]),
                       schema.to_json(case.mapping), schema.to_json(preprocessing)]
    return blake2b(json.dumps(what).encode(), digest_size=16).hexdigest()


def sample_points(labels: np.ndarray) -> np.ndarray:
    """Up to POINTS random voxels of each organ, int16 (n, 4) = (organ number, d, h, w); with a
    fixed seed."""
    rng = np.random.default_rng(0)
    places = np.flatnonzero((labels != 0) & (labels != UNKNOWN))
    organs = labels.ravel()[places]
    drawn = [np.empty((0, 4), np.int16)]
    for number in np.unique(organs):
        mine = places[organs == number]
        mine = np.sort(rng.choice(mine, min(POINTS, len(mine)), replace=False))
        drawn.append(np.stack([np.full(len(mine), number),
                               *np.unravel_index(mine, labels.shape)], axis=1).astype(np.int16))
    return np.concatenate(drawn)


def _is_whole(prepared: PreparedCase) -> bool:
    try:
        arrays = {"image": prepared.image(), "labels": prepared.labels()}
        _ = prepared.points
    except (OSError, ValueError):
        return False
    return all(array.shape == prepared.shape and array.dtype == KINDS[name]
               for name, array in arrays.items())


def write_case(
    prepared: PreparedCase, volume: np.ndarray, labels: np.ndarray, shown: Path,
    preprocessing: Preprocessing,
) -> None:
    """Writes a case into its folder, and its picture; removes case.json first, writes it last.

    Raises:
        OutputError: it cannot be written.
    """
    folder = prepared.folder
    try:
        for place in (folder, shown.parent):
            place.mkdir(parents=True, exist_ok=True)
        (folder / "case.json").unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}") from None
    known = np.where(labels == UNKNOWN, 0, labels)
    save_png(shown, picture(volume, known, preprocessing))
    with together() as place:
        record = place(folder / "case.json")  # the first of the group is renamed last
        for name, array in (("image", volume), ("labels", labels),
                            ("points", sample_points(labels))):
            _save(place(folder / f"{name}.npy"), array)
        record.write_text(_text(prepared), encoding="utf-8", errors="backslashreplace")


def _save(path: Path, array: np.ndarray) -> None:
    """Writes a .npy file; np.save may report a failed write without its reason."""
    with open(path, "wb") as file:
        header = np.lib.format.header_data_from_array_1_0(array)
        np.lib.format.write_array_header_1_0(file, header)
        file.write(np.ascontiguousarray(array).data)


def _text(prepared: PreparedCase) -> str:
    return json.dumps(prepared.to_json(), indent=1)


def _digest(view: np.ndarray) -> str:
    """A digest of canonical voxels, independent of type and order of axes of the file."""
    digest = blake2b(repr(view.shape).encode(), digest_size=16)
    for plane in view:
        digest.update(np.ascontiguousarray(plane, np.float32))
    return digest.hexdigest()
