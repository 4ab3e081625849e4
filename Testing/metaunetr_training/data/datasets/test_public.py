"""BTCV, AMOS22 and AbdomenCT-1K as their downloads lie on disk."""

from __future__ import annotations

import json

import pytest

from metaunetr.errors import InputError
from metaunetr_training.data.case import TEST
from metaunetr_training.data.datasets import KINDS, dataset_cases

LAYOUTS = {
    "btcv": [("imagesTr/img0001.nii.gz", "labelsTr/label0001.nii.gz"),
             ("img/img0001.nii.gz", "label/label0001.nii.gz"),
             ("Abdomen/RawData/Training/img/img0001.nii",
              "Abdomen/RawData/Training/label/label0001.nii")],
    "amos": [("imagesTr/amos_0001.nii.gz", "labelsTr/amos_0001.nii.gz"),
             ("amos22/imagesTr/amos_0001.nii.gz", "amos22/labelsTr/amos_0001.nii.gz")],
    "abdomenct1k": [("Image/Case_00001_0000.nii.gz", "Mask/Case_00001.nii.gz"),
                    ("AbdomenCT-1K-ImagePart2/Case_00001_0000.nii.gz", "Mask/Case_00001.nii.gz"),
                    ("AbdomenCT-1K-ImagePart1/AbdomenCT-1K-ImagePart1/Case_00001_0000.nii.gz",
                     "Mask/Mask/Case_00001.nii.gz")],
}


@pytest.mark.parametrize(("kind", "image", "label"), [
    (kind, *names) for kind, layouts in LAYOUTS.items() for names in layouts
])
def test_a_case_is_found_where_its_data_set_puts_it(tree, messages, kind, image, label):
    folder = tree(image, label)
    case, = dataset_cases(kind, folder, messages.append)
    assert (case.image, case.labels) == (folder / image, folder / label)
    assert case.key == f"{kind}/{'00001' if kind == 'abdomenct1k' else '0001'}"
    assert messages == []


@pytest.mark.parametrize(("kind", "labels", "annotated"), [
    ("btcv", {10: (10,), 11: (11,)}, set(range(1, 14))),
    ("amos", {10: (11,), 15: (16,)}, set(range(1, 17)) - {10}),
    ("abdomenct1k", {1: (6,), 2: (2, 3), 3: (1,)}, {1, 2, 3, 6, 11}),
])
def test_label_numbers_are_those_of_the_data_set(tree, kind, labels, annotated):
    case, = dataset_cases(kind, tree(*LAYOUTS[kind][0]))
    assert {label: case.mapping[label] for label in labels} == labels
    assert case.annotated == annotated


def test_the_common_validation_cases_of_btcv_are_fold_0(tree):
    for number in (1, 34, 35, 40):
        folder = tree(f"img/img{number:04d}.nii.gz", f"label/label{number:04d}.nii.gz")
    folds = {case.id: case.fold for case in dataset_cases("btcv", folder)}
    assert folds == {"0001": None, "0034": None, "0035": 0, "0040": 0}


def test_registered_and_test_images_of_btcv_are_no_cases(tree, messages):
    folder = tree("Training/img/img0001.nii.gz", "Training/label/label0001.nii.gz",
                  "Training/img/img0001-0002.nii.gz", "Testing/img/img0061.nii.gz",
                  "averaged-training-images/DET0000101_avg.nii.gz")
    assert [case.id for case in dataset_cases("btcv", folder, messages.append)] == ["0001"]
    assert messages == []


def test_amos_holds_its_validation_cases_out_and_leaves_mr_images_out(tree, messages):
    for part, numbers in (("Tr", (1, 500, 507, 600)), ("Va", (8, 510))):
        for number in numbers:
            tree(f"images{part}/amos_{number:04d}.nii.gz", f"labels{part}/amos_{number:04d}.nii.gz")
    folder = tree("imagesTs/amos_0003.nii.gz")
    folds = {case.id: case.fold for case in dataset_cases("amos", folder, messages.append)}
    assert folds == {"0001": None, "0008": TEST, "0500": None}
    assert messages == ["amos: 3 MR images (numbers above 500) left out."]


AMOS = {"0": "background", "1": "spleen", "2": "right kidney", "3": "left kidney",
        "4": "gall bladder", "5": "esophagus", "6": "liver", "7": "stomach", "8": "arota",
        "9": "postcava", "10": "pancreas", "11": "right adrenal gland",
        "12": "left adrenal gland", "13": "duodenum", "14": "bladder", "15": "prostate/uterus"}


@pytest.mark.parametrize(("change", "message"), [
    ({}, None),
    ({"9": "something else"}, None),
    ({"10": "portal and splenic vein"},
     "label 10 must be pancreas in AMOS22, this file says 'portal and splenic vein'"),
    ({"16": "liver"}, "label 16 must be unused in AMOS22, this file says 'liver'"),
])
def test_the_dataset_json_of_amos_must_agree(tree, change, message):
    folder = tree(*LAYOUTS["amos"][0])
    (folder / "dataset.json").write_text(json.dumps({"labels": AMOS | change}))
    if message is None:
        assert len(dataset_cases("amos", folder)) == 1
        return
    with pytest.raises(InputError, match=message) as error:
        dataset_cases("amos", folder)
    assert str(folder / "dataset.json") in str(error.value)


def test_the_parts_of_abdomenct1k_are_one(tree):
    for part, number in ((1, 1), (2, 500), (3, 1062)):
        folder = tree(f"AbdomenCT-1K-ImagePart{part}/Case_{number:05d}_0000.nii.gz",
                      f"Mask/Case_{number:05d}.nii.gz")
    assert [case.id for case in dataset_cases("abdomenct1k", folder)] == ["00001", "00500", "01062"]


def test_images_and_labels_without_each_other_are_reported_and_left_out(tree, messages):
    folder = tree("img/img0001.nii.gz", "img/img0002.nii.gz", "img/img0003.nii.gz",
                  "label/label0001.nii.gz", "label/label0004.nii.gz")
    assert [case.id for case in dataset_cases("btcv", folder, messages.append)] == ["0001"]
    assert messages == ["btcv: 2 images without labels left out: 0002, 0003.",
                    "btcv: 1 label maps without an image left out: 0004."]


def test_what_is_left_out_is_said_on_stderr_when_nobody_listens(tree, capsys):
    folder = tree("img/img0001.nii.gz", "img/img0002.nii.gz", "label/label0001.nii.gz")
    dataset_cases("btcv", folder)
    assert "btcv: 1 images without labels left out: 0002." in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["btcv", "amos", "abdomenct1k"])
def test_a_folder_of_another_layout_is_refused_with_what_is_expected(tree, kind):
    folder = tree("scans/a.nii.gz", "masks/a.nii.gz")
    with pytest.raises(InputError, match=str(folder)) as error:
        dataset_cases(kind, folder)
    assert "must have" in str(error.value)


@pytest.mark.parametrize(("kind", "names"), [
    ("btcv", ("img/patient1.nii.gz", "label/patient1.nii.gz")),
    ("amos", ("imagesTr/amos_0507.nii.gz", "labelsTr/amos_0507.nii.gz")),
    ("abdomenct1k", ("Image/Case_00001.nii.gz", "Mask/Case_00001.nii.gz")),
])
def test_folders_without_a_single_case_are_refused_with_the_names_expected(tree, kind, names):
    with pytest.raises(InputError, match="must be called"):
        dataset_cases(kind, tree(*names), lambda sentence: None)


def test_two_data_sets_below_one_folder_are_not_mixed(tree):
    folder = tree("a/img/img0001.nii.gz", "a/label/label0001.nii.gz",
                  "b/img/img0001.nii.gz", "b/label/label0001.nii.gz")
    with pytest.raises(InputError, match="several data sets"):
        dataset_cases("btcv", folder)


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_must_exist(tmp_path, kind):
    with pytest.raises(InputError, match="missing: the folder of the data set does not exist"):
        dataset_cases(kind, tmp_path / "missing")


def test_other_kinds_are_refused(tmp_path):
    with pytest.raises(InputError, match="must be of the kind btcv, amos, abdomenct1k, general"):
        dataset_cases("flare", tmp_path)
