"""Any folder of images and labels with a JSON file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from metaunetr import organs
from metaunetr.errors import InputError
from metaunetr.io.seg_nrrd import write_segments
from metaunetr_training.data.case import TEST
from metaunetr_training.data.datasets import dataset_cases
from metaunetr_training.data.labels import read_reference
from tiny_dataset import small_case


def describe(folder: Path, file: str = "dataset.json", **values) -> Path:
    (folder / file).write_text(json.dumps({"labels": {"1": "liver", "2": "spleen"}} | values))
    return folder


@pytest.mark.parametrize(("image", "label", "labels"), [
    ("imagesTr/a.nii.gz", "labelsTr/a.nii.gz", {"0": "background", "1": "liver", "2": "spleen"}),
    ("imagesTr/a_0000.nii.gz", "labelsTr/a.nii.gz", {"background": 0, "liver": 1, "spleen": 2}),
    ("images/a.nii", "labels/a.nii.gz", {"1": "liver", "2": "spleen"}),
    ("Image/a.mha", "Mask/a.nrrd", {"1": "liver", "2": "spleen"}),
])
def test_images_go_with_labels_of_the_same_name(tree, image, label, labels):
    folder = describe(tree(image, label), name="Ours, 2024", labels=labels)
    case, = dataset_cases("general", folder)
    assert (case.image, case.labels) == (folder / image, folder / label)
    assert (case.key, case.fold, case.mapping) == ("ours_2024/a", None, {1: (6,), 2: (1,)})
    assert set(read_reference(case).array.flat) == {0, 1, 6}


def test_segments_are_known_by_their_names_not_by_label_numbers(tree):
    """The numbers in the JSON file are those of the other label maps."""
    folder = describe(tree("images/a.nii"), labels={"1": "spleen", "6": "aorta", "3": "liver"})
    (folder / "labels").mkdir()
    image, labels = small_case()
    path = folder / "labels" / "a.seg.nrrd"
    write_segments(path, labels, {organs.find("liver"): {}, organs.find("spleen"): {}})
    case, = dataset_cases("general", folder)
    assert case.annotated == {1, 6, 8}
    found = read_reference(case, image).array
    assert ((found == 6) == (labels.array == 6)).all() and set(found.flat) == {0, 1, 6}


def test_cases_numbered_like_channels_keep_their_names(tree):
    folder = describe(tree("images/x_0000.nii", "images/x_0001.nii", "labels/x_0000.nii",
                           "labels/x_0001.nii"))
    assert [case.id for case in dataset_cases("general", folder)] == ["x_0000", "x_0001"]


def test_several_numbers_may_mean_one_organ_and_one_number_two(tree):
    folder = describe(tree("images/a.nii", "labels/a.nii"),
                      labels={"1": "liver", "2": "kidneys", "3": "liver"})
    case, = dataset_cases("general", folder)
    assert case.dataset == folder.name.lower()  # without a name in the JSON file
    assert case.mapping == {1: (6,), 2: (2, 3), 3: (6,)}
    assert case.annotated == {2, 3, 6}


def test_a_case_may_annotate_fewer_organs_than_the_others(tree):
    folder = describe(tree("images/a.nii", "labels/a.nii", "images/b.nii", "labels/b.nii"),
                      annotated={"b": ["spleen"]})
    a, b = dataset_cases("general", folder)
    assert (a.annotated, b.annotated) == ({1, 6}, {1})
    assert set(read_reference(b).array.flat) == {0, 1}


def test_unknown_organs_count_as_background_and_are_reported(tree, messages):
    folder = describe(tree("images/a.nii", "labels/a.nii"), name="ours",
                      labels={"liver": 1, "cancer": 2, "femur": 3})
    case, = dataset_cases("general", folder, messages.append)
    assert case.mapping == {1: (6,), 2: (), 3: ()}
    assert messages == [
        "ours: labels that are no organ known here count as background: 2 (cancer), 3 (femur). "
        "Where one is part of an organ, name that organ in dataset.json."]
    assert set(read_reference(case).array.flat) == {0, 6}


LISTS = {
    "Decathlon": {"training": [{"image": "./imagesTr/a.nii.gz", "label": "./labelsTr/a.nii.gz"}],
                  "test": ["./imagesTs/z.nii.gz"], "modality": {"0": "CT"}},
    "nnU-Net v1, which lists images without channel": {
        "training": [{"image": "./imagesTr/b.nii.gz", "label": "./labelsTr/b.nii.gz"}]},
    "nnU-Net v2": {"dataset": {"a": {"images": ["imagesTr/a.nii.gz"],
                                     "label": "labelsTr/a.nii.gz"}},
                   "channel_names": {"0": "CT"}, "file_ending": ".nii.gz"},
    "MONAI": {"training": [{"fold": 3, "image": "imagesTr/a.nii.gz",
                            "label": "labelsTr/a.nii.gz"}],
              "validation": [{"image": ["imagesTr/b_0000.nii.gz"],
                              "label": "labelsTr/b.nii.gz"}]},
}


@pytest.mark.parametrize(("values", "folds"), list(zip(
    LISTS.values(), [{"a": None}, {"b": None}, {"a": None}, {"a": 3, "b": 0}], strict=True,
)), ids=LISTS)
def test_cases_may_be_listed(tree, values, folds):
    folder = describe(tree("imagesTr/a.nii.gz", "labelsTr/a.nii.gz", "imagesTr/b_0000.nii.gz",
                           "labelsTr/b.nii.gz"), **values)
    cases = dataset_cases("general", folder)
    assert {case.id: case.fold for case in cases} == folds
    assert all(case.image.is_file() and case.labels.is_file() for case in cases)


def test_a_json_file_of_another_name_may_list_cases_anywhere(tree, tmp_path):
    folder = tree("far/away/a.nii", "elsewhere/b.nii")
    describe(folder, "mine.json", name="mine",
             training=[{"image": "far/away/a.nii", "label": str(tmp_path / "elsewhere/b.nii")}])
    assert [case.key for case in dataset_cases("general", folder / "mine.json")] == ["mine/a"]


def test_test_images_count_only_with_labels(tree):
    folder = describe(tree("imagesTr/a.nii", "labelsTr/a.nii", "imagesTs/t.nii"))
    assert [case.id for case in dataset_cases("general", folder)] == ["a"]
    tree("labelsTs/t.nii")
    cases = dataset_cases("general", folder)
    assert {case.id: case.fold for case in cases} == {"a": None, "t": TEST}


def test_hidden_files_of_archives_are_no_cases(tree, messages):
    folder = describe(tree("images/a.nii", "labels/a.nii"))
    (folder / "images" / "._a.nii").touch()
    assert [case.id for case in dataset_cases("general", folder, messages.append)] == ["a"]
    assert messages == []


@pytest.mark.parametrize(("values", "message"), [
    ({"labels": {}}, "must give \"labels\""),
    ({"labels": {"kidneys": [1, 2], "right kidney": 2}}, "'kidneys' is a region"),
    ({"labels": {"liver": 1, "ignore": 2}}, "to be ignored"),
    ({"labels": {"liver": 256}}, "0 to 255, that of 'liver' is 256"),
    ({"labels": {"liver": 1.5}}, "0 to 255, that of 'liver' is 1.5"),
    ({"labels": {"1": None}}, "must have the name of an organ: None"),
    ({"labels": {"0": "liver"}}, "label 0 must be the background: 'liver'"),
    ({"labels": {"liver": 1, "spleen": 1}}, "label 1 has two names: 'liver' and 'spleen'"),
    ({"labels": {"1": "femur", "2": "rib"}}, r"these are not: 1 \(femur\), 2 \(rib\)"),
    ({"channel_names": {"0": "CT", "1": "PET"}}, "one channel, a CT; these have 2: CT, PET"),
    ({"training": [{"image": "images/a.nii"}]}, "one \"image\" and one \"label\""),
    ({"training": [{"image": ["images/a.nii"] * 2, "label": "labels/a.nii"}]}, "one \"image\""),
    ({"training": 30}, "'training' must be a list of cases: 30"),
    ({"training": [{"image": "images/z.nii", "label": "labels/a.nii"}]}, "images/z.nii, which"),
    ({"training": [{"image": "images/a.nii", "label": "labels/a.nii", "fold": -1}]}, "a fold"),
    ({"training": [{"image": "images/a.nii", "label": "labels/a.nii"}] * 2}, "one name: a"),
    ({"dataset": {"../a": {"images": ["images/a.nii"], "label": "labels/a.nii"}}}, "'../a'"),
])
def test_what_cannot_be_meant_is_refused(tree, values, message):
    folder = describe(tree("images/a.nii", "labels/a.nii"), **values)
    with pytest.raises(InputError, match=message) as error:
        dataset_cases("general", folder)
    assert str(folder / "dataset.json") in str(error.value)


@pytest.mark.parametrize(("text", "message"), [
    ("{", "is no JSON"), ("[1]", "must hold keys and values"), (None, "dataset.json: is missing"),
])
def test_the_json_must_be_there_and_be_one(tree, text, message):
    folder = tree("images/a.nii", "labels/a.nii")
    if text is not None:
        (folder / "dataset.json").write_text(text)
    with pytest.raises(InputError, match=message):
        dataset_cases("general", folder)


@pytest.mark.parametrize(("names", "message"), [
    (("ct/a.nii", "seg/a.nii"), "must have images in imagesTr"),
    (("images/a.nii", "labels/b.nii"), "there are none"),
    (("images/a.nii", "images/a.nii.gz", "labels/a.nii"), "two files stand for one image"),
])
def test_folders_must_hold_pairs(tree, names, message):
    with pytest.raises(InputError, match=message):
        dataset_cases("general", describe(tree(*names)), lambda sentence: None)
