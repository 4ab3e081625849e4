"""A copy of a CT and its corrected organs that is small and does not identify the patient.

A folder with

    ct.nii.gz    HU at the spacing of a model, 256 levels of its HU window, air below it, cropped to
                 the body and the organs; without place in the scanner
    ct.seg.nrrd  the corrected organs as segments, with the model that made them
    ct.png       a picture of both

is a case of `metaunetr-training adapt`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from metaunetr import io
from metaunetr.batch.thumbnail import write_thumbnail
from metaunetr.bundle import Preprocessing
from metaunetr.fill import AIR
from metaunetr.image import Grid, Image
from metaunetr.io.seg_nrrd import (
    CONTENT,
    MODEL,
    MODEL_SHA256,
    STATUS,
    organ_of,
    read_segments,
    write_segments,
)
from metaunetr.organs import BY_NUMBER
from metaunetr.outputs import make_folder, together
from metaunetr.result import Result
from metaunetr_training.adapt.cases import Correction
from metaunetr_training.adapt.files import IMAGE, LABELS, PICTURE
from metaunetr_training.data.checks import inspect_case
from metaunetr_training.data.prepared import BRIGHTEST
from metaunetr_training.data.resample import to_model_arrays

KEPT = (MODEL, MODEL_SHA256, CONTENT)  # tags; others may name the patient


def remember(case: Correction, folder: Path, preprocessing: Preprocessing) -> int:
    """Writes the copy of a case, in place of an earlier one; returns its size in bytes.

    Raises:
        InputError: a file cannot be read, is no CT, or image and labels lie on different grids.
        OutputError: the folder cannot be written.
    """
    image, labels = io.read_image(case.image), case.read()
    inspect_case(image, labels)
    voxels, drawn = to_model_arrays(image, labels, preprocessing)
    low, high = preprocessing.hu_window
    hu = np.round(low + voxels * np.float32((high - low) / BRIGHTEST)).astype(np.int16)
    hu[voxels == 0] = min(low, AIR)  # the guard knows HU by air, among others
    grid = Grid(hu.shape, preprocessing.spacing, (0.0, 0.0, 0.0))
    copy, organs = Image(hu, grid), Image(drawn, grid)
    make_folder(folder)
    with together() as place:
        io.write_image(place(folder / IMAGE), copy)
        write_segments(place(folder / LABELS), organs, _marks(case))
        write_thumbnail(place(folder / PICTURE), Result(organs, (), {}), copy)
    return sum((folder / name).stat().st_size for name in (IMAGE, LABELS, PICTURE))


def _marks(case: Correction) -> dict:
    """The tags of the corrected organs: completed, so that each counts as corrected."""
    known = {}
    for segment in read_segments(case.labels)[0]:
        if organ := organ_of(segment):
            known[organ.number] = known.get(organ.number, {}) | {
                key: value for key, value in segment["tags"].items() if key in KEPT}
    return {BY_NUMBER[number]: known.get(number, {}) | {STATUS: "completed"}
            for number in sorted(case.organs)}
