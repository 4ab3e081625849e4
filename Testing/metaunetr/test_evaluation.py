"""`evaluate`: which organs are scored, which files are matched, and what is said otherwise."""

import csv
import json
import re
from dataclasses import replace
from math import cos, inf, isnan, sin

import numpy as np
import pytest
import SimpleITK as sitk

from metaunetr.errors import InputError
from metaunetr.evaluation import OrganScore, as_json, evaluate, format_table, write_csv
from metaunetr.image import Grid, Image
from metaunetr.io import write_labels
from metaunetr.organs import find
from metaunetr.result import Result

SPLEEN, LIVER, PANCREAS = (find(name).number for name in ("spleen", "liver", "pancreas"))
C, S = cos(0.3), sin(0.3)
OBLIQUE = (C, -S, 0.0, S, C, 0.0, 0.0, 0.0, 1.0)


def label_map(spleen=None, liver=None, pancreas=None):
    """A label map (D, H, W) = (8, 12, 16) whose organs are boxes of whole slices in D."""
    labels = np.zeros((8, 12, 16), np.uint8)
    for number, columns in ((SPLEEN, spleen), (LIVER, liver), (PANCREAS, pancreas)):
        if columns:
            labels[2:6, 3:9, slice(*columns)] = number
    return labels


def write(path, labels, spacing=(0.8, 0.8, 5.0), origin=(-10.0, 20.0, 30.0), direction=OBLIQUE):
    path.parent.mkdir(exist_ok=True)
    image = sitk.GetImageFromArray(labels)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(direction)
    sitk.WriteImage(image, str(path))
    return path


def scores(rows):
    return {row.organ: round(row.dice, 4) for row in rows if not isnan(row.dice)}


@pytest.mark.parametrize(
    ("prediction", "reference", "organs", "expected"),
    [
        ({"liver": (1, 9)}, {"liver": (1, 9)}, None, {"liver": 1.0}),
        ({"liver": (1, 9)}, {"liver": (3, 11)}, None, {"liver": 0.75}),
        ({}, {"liver": (1, 9)}, None, {"liver": 0.0}),
        ({"liver": (1, 9), "spleen": (10, 14)}, {"liver": (1, 9)}, None, {"liver": 1.0}),
        ({"liver": (1, 9), "spleen": (10, 14)}, {"liver": (1, 9)}, ["spleen", "liver"],
         {"liver": 1.0, "spleen": 0.0}),
        ({"liver": (1, 9)}, {"liver": (1, 9), "spleen": (10, 14)}, ["liver"], {"liver": 1.0}),
        ({"liver": (1, 9)}, {"liver": (1, 9)}, ["pancreas"], {}),
    ],
    ids=[
        "equal", "a quarter off", "missed", "an organ the reference does not annotate",
        "the same, named explicitly", "only what is named", "named, but in neither",
    ],
)
def test_scores(tmp_path, prediction, reference, organs, expected):
    rows = evaluate(
        write(tmp_path / "prediction.nrrd", label_map(**prediction)),
        write(tmp_path / "reference.nii.gz", label_map(**reference)),
        organs and [find(name) for name in organs],
    )
    assert scores(rows) == expected


def test_distances_and_volumes_are_in_mm_and_ml(tmp_path):
    [row] = evaluate(
        write(tmp_path / "prediction.nrrd", label_map(liver=(1, 9))),
        write(tmp_path / "reference.nrrd", label_map(liver=(5, 13))),
    )
    assert row.hd95_mm == pytest.approx(4 * 0.8, abs=1e-4)
    assert 0 < row.nsd_2mm < 1
    assert row.prediction_ml == row.reference_ml == pytest.approx(4 * 6 * 8 * 3.2 / 1000)


def test_an_unannotated_organ_is_listed_and_not_scored(tmp_path):
    rows = evaluate(
        write(tmp_path / "p.nrrd", label_map(liver=(1, 9), pancreas=(10, 12))),
        write(tmp_path / "r.nrrd", label_map(liver=(1, 9))),
    )
    [pancreas] = [row for row in rows if row.organ == "pancreas"]
    assert isnan(pancreas.dice) and "not in the reference" in pancreas.note
    assert pancreas.prediction_ml > 0


@pytest.mark.parametrize("name", ["p.nii.gz", "p.nii", "p.nrrd", "p.seg.nrrd"])
def test_an_organ_that_the_prediction_did_not_look_for_is_no_miss(tmp_path, name):
    """The mean is of the organs that the model was asked for, of which the liver was missed."""
    grid = Grid((8, 12, 16), (0.8, 0.8, 5.0), (-10.0, 20.0, 30.0), np.reshape(OBLIQUE, (3, 3)))
    labels = Image(label_map(spleen=(10, 14)), grid, organs=frozenset({SPLEEN, LIVER}))
    write_labels(tmp_path / name, Result(labels, (), {}))
    reference = write(tmp_path / "r.nii.gz",
                      label_map(spleen=(10, 14), liver=(1, 5), pancreas=(6, 8)))
    rows = evaluate(tmp_path / name, reference)
    assert scores(rows) == {"spleen": 1.0, "liver": 0.0}
    [pancreas] = [row for row in rows if row.organ == "pancreas"]
    assert "did not look for it" in pancreas.note and pancreas.reference_ml > 0
    assert re.search("^mean of organs +0.500 ", format_table(rows), re.MULTILINE)
    named = evaluate(tmp_path / name, reference, [find("pancreas")])
    assert scores(named) == {"pancreas": 0.0}


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
@pytest.mark.parametrize("flips", [(), (0,), (1, 2)])
def test_arrays_that_run_another_way_over_the_same_voxels_match_exactly(tmp_path, axes, flips):
    labels = label_map(spleen=(2, 6), liver=(7, 13))
    reference = write(tmp_path / "reference.nrrd", labels)
    image = sitk.Flip(
        sitk.PermuteAxes(sitk.ReadImage(str(reference)), axes),
        [axis in flips for axis in range(3)],
        False,
    )
    sitk.WriteImage(image, str(tmp_path / "prediction.nrrd"))
    assert scores(evaluate(tmp_path / "prediction.nrrd", reference)) == {"spleen": 1, "liver": 1}


@pytest.mark.parametrize(
    "geometry",
    [
        {"spacing": (0.8, 0.8, 5.1)},
        {"origin": (-10.0, 20.0, 31.0)},
        {"origin": (-10.0, 20.0, 35.0)},
        {"direction": np.eye(3).ravel()},
    ],
    ids=["spacing", "origin", "a whole voxel", "direction"],
)
def test_other_grids_are_refused_with_both_geometries(tmp_path, geometry):
    prediction = write(tmp_path / "p.nrrd", label_map(liver=(1, 9)), **geometry)
    reference = write(tmp_path / "r.nrrd", label_map(liver=(1, 9)))
    with pytest.raises(InputError, match=r"one grid.*p\.nrrd has 16×12×8.*r\.nrrd has 16×12×8"):
        evaluate(prediction, reference)


def sitk_crop(path, low, high):
    """The file without some voxels (i, j, k) at its lower and upper ends, as a file beside it."""
    image = sitk.ReadImage(str(path))
    sitk.WriteImage(sitk.Crop(image, low, high), str(path.with_name("crop.nrrd")))
    return path.with_name("crop.nrrd")


@pytest.mark.parametrize(("low", "high"), [((1, 2, 1), (2, 3, 2)), ((0, 0, 0), (0, 0, 2))])
@pytest.mark.parametrize("direction", [OBLIQUE, (-C, S, 0.0, -S, -C, 0.0, 0.0, 0.0, -1.0)])
def test_a_reference_may_be_a_crop_by_whole_voxels(tmp_path, low, high, direction):
    """As 3D Slicer crops .seg.nrrd files; in files whose axes run another way, too."""
    labels = label_map(liver=(2, 12), spleen=(12, 14))
    reference = write(tmp_path / "r.nrrd", labels, direction=direction)
    prediction = write(tmp_path / "p.nrrd", label_map(liver=(2, 12), spleen=(11, 13)),
                       direction=direction)
    whole = evaluate(prediction, reference)
    assert evaluate(prediction, sitk_crop(reference, low, high)) == [
        replace(row, case="crop") for row in whole]


@pytest.mark.parametrize(("shift", "fits"), [(0.1, True), (0.12, False), (0.4, False)])
@pytest.mark.parametrize("cropped", [False, True])
def test_a_tenth_of_a_millimetre_is_the_same_place(tmp_path, shift, fits, cropped):
    prediction = write(tmp_path / "p.nii.gz", label_map(liver=(1, 9)))
    reference = write(tmp_path / "r.nii.gz", label_map(liver=(1, 9)),
                      origin=(-10.0, 20.0, 30.0 + shift))
    if cropped:
        reference = sitk_crop(reference, (1, 1, 1), (0, 0, 0))
    if fits:
        assert scores(evaluate(prediction, reference)) == {"liver": 1.0}
    else:
        with pytest.raises(InputError, match="must lie on one grid"):
            evaluate(prediction, reference)


def test_a_reference_beyond_the_prediction_is_refused(tmp_path):
    reference = write(tmp_path / "r.nrrd", label_map(liver=(1, 9)))
    prediction = sitk_crop(reference, (1, 0, 0), (0, 0, 0))
    with pytest.raises(InputError, match="the reference on a crop of it"):
        evaluate(prediction, reference)


def test_folders_are_matched_by_name_and_leftovers_reported(tmp_path):
    labels = label_map(liver=(1, 9))
    for name in ("a.nrrd", "b.nii.gz", "only_predicted.mha"):
        write(tmp_path / "predictions" / name, labels)
    for name in ("a.nii.gz", "b.nii.gz", "only_reference.nii.gz"):
        write(tmp_path / "references" / name, labels)
    (tmp_path / "predictions" / "statistics.csv").write_text("not a label map")

    rows = evaluate(tmp_path / "predictions", tmp_path / "references")

    assert [(row.case, row.organ) for row in rows] == [
        ("a", "liver"), ("b", "liver"), ("only_predicted", ""), ("only_reference", ""),
    ]
    assert "no reference" in rows[2].note and "no prediction" in rows[3].note


def test_inputs_that_do_not_fit_together(tmp_path):
    labels = label_map(liver=(1, 9))
    one = write(tmp_path / "one" / "a.nrrd", labels)
    write(tmp_path / "two" / "b.nrrd", labels)
    write(tmp_path / "twice" / "a.nrrd", labels)
    write(tmp_path / "twice" / "a.nii.gz", labels)
    strange = write(tmp_path / "strange.nrrd", labels * 20)
    for prediction, reference, rule in [
        (one, tmp_path / "two", "two files or two folders"),
        (tmp_path / "one", tmp_path / "two", "share file names"),
        (tmp_path / "one", tmp_path / "twice", "must have one file"),
        (strange, one, "must be organ numbers from 1 to 16, this file also has 120"),
    ]:
        with pytest.raises(InputError, match=rule):
            evaluate(prediction, reference)


ROWS = [
    OrganScore("a", "spleen", 0.9, 0.95, 2.0, 210.0, 200.0),
    OrganScore("b", "spleen", 0.0, 0.0, inf, 0.0, 200.0),
    OrganScore("a", "liver", 0.97, 0.9, 4.0, 1500.0, 1510.0),
    OrganScore("b", "pancreas", prediction_ml=70.0, reference_ml=0.0, note="not scored"),
    OrganScore("c", "", note="no prediction of this name"),
]


def test_the_table_has_means_per_organ_and_says_what_was_missed():
    lacking = [OrganScore(case, "spleen", prediction_ml=70.0, reference_ml=0.0) for case in "de"]
    assert format_table(ROWS + lacking).splitlines() == [
        "organ           cases  missed   Dice  NSD 2 mm  HD95 mm",
        "spleen              2       1  0.450     0.475      2.0  not in 2 references",
        "liver               1       0  0.970     0.900      4.0",
        "pancreas            0       0      –         –        –  not in the reference",
        "mean of organs                 0.710     0.688      3.0",
        "",
        "b: pancreas: not scored",
        "c: no prediction of this name",
    ]


def test_as_json_what_has_no_value_is_null():
    rows = json.loads(as_json(ROWS))
    assert rows[0] == {
        "case": "a", "organ": "spleen", "dice": 0.9, "nsd_2mm": 0.95, "hd95_mm": 2.0,
        "prediction_ml": 210.0, "reference_ml": 200.0, "note": "",
    }
    assert rows[1]["hd95_mm"] is None
    assert rows[4]["dice"] is None and rows[4]["note"]


def test_the_csv_leaves_empty_what_has_no_value(tmp_path):
    write_csv(tmp_path / "scores.csv", ROWS)
    with open(tmp_path / "scores.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "case": "a", "organ": "spleen", "dice": "0.9000", "nsd_2mm": "0.9500", "hd95_mm": "2.0000",
        "prediction_ml": "210.0000", "reference_ml": "200.0000", "note": "",
    }
    assert rows[1]["hd95_mm"] == "inf"
    assert rows[4]["dice"] == "" and rows[4]["note"]
