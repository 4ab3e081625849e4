"""Which organs count as corrected, where the image is, and what is refused."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import SimpleITK as sitk

from metaunetr import io
from metaunetr.batch.case_record import sha256_of
from metaunetr.errors import InputError
from metaunetr.image import Image
from metaunetr.io.nrrd import write_nrrd
from metaunetr.io.seg_nrrd import cropped, segment_digest
from metaunetr_training.adapt.cases import find
from tiny_corrections import RECORD, edit, write_case
from tiny_dataset import small_case, write_dataset

KNOWN = (1, 3, 6)  # the liver is 6, the spleen 1, the kidneys are 2 and 3


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """Three cases: liver; liver and spleen; right kidney and spleen corrected."""
    folder = tmp_path_factory.mktemp("three")
    for seed, organs in enumerate(((6,), (6, 1), (2, 1))):
        write_case(folder, f"ct{seed}", seed, organs)
    return folder


@pytest.fixture
def folder(three, tmp_path):
    return shutil.copytree(three, tmp_path / "cases")


def organs_of(*paths, images=(), warn=lambda text: None):
    return [set(case.organs) for case in find(paths, images, KNOWN, warn)]


def test_only_segments_that_have_changed_count_and_only_of_the_models_organs(folder):
    said = []
    assert organs_of(folder, warn=said.append) == [{6}, {1, 6}, {1}]
    assert said == [f"{folder / 'ct2.seg.nrrd'}: the model does not know right kidney; left out."]


def drawn(path):
    """A segment that a person has drawn has no tags of MetaUNETR."""
    edit(path, Segment0_Tags="Segmentation.Status:inprogress|")


def completed(path):
    tags = io.read_header(path).pairs["Segment0_Tags"]
    edit(path, Segment0_Tags=f"{tags}Segmentation.Status:completed|")


def as_the_module_made_it(path, **changes):
    header = io.read_header(path)
    mask = cropped(Image(header.read() == 1, header.grid))
    x, y, z = mask.grid.origin
    made = {"colour": [157, 108, 162], "status": "", **changes}
    digest = segment_digest(mask.array, "spleen", made["colour"], "entry", made["status"])
    edit(path, Segment0_Name="spleen", Segment0_Color="0.615686 0.423529 0.635294",
         Segment0_Tags=f"MetaUNETR.Content:{digest} {-x} {-y} {z} 0 0 0|TerminologyEntry:entry|"
                       "MetaUNETR.VolumeML:1|")


def as_version_0_2_wrote_it(path, volume):
    edit(path, Segment0_Tags=f"MetaUNETR.VolumeML:{volume:.3f}|")


@pytest.mark.parametrize(("change", "corrected"), [
    (lambda path: None, False),
    (lambda path: edit(path, crop=3), False),
    (lambda path: edit(path, Segment0_Color="1 0 0", Segment0_Name="Milz"), False),
    (lambda path: edit(path, moved=1), True),
    (lambda path: edit(path, moved=1, Segment0_Name="tumor", Segment0_ID="tumor",
                       Segment0_Tags=""), False),
    (drawn, True),
    (completed, True),
    (as_the_module_made_it, False),
    (lambda path: as_the_module_made_it(path, colour=[255, 0, 0]), True),
    (lambda path: as_the_module_made_it(path, status="completed"), True),
    (lambda path: as_version_0_2_wrote_it(path, small_volume(1)), False),
    (lambda path: as_version_0_2_wrote_it(path, small_volume(1) + 0.3), True),
])
def test_what_a_change_is(folder, change, corrected):
    path = folder / "ct0.seg.nrrd"
    change(path)
    assert organs_of(folder)[0] == ({6, 1} if corrected else {6})


def small_volume(number: int) -> float:
    labels = small_case()[1]
    return (labels.array == number).sum() * labels.grid.voxel_volume


def test_labels_of_the_corrected_organs_on_the_grid_of_the_image(folder):
    edit(folder / "ct1.seg.nrrd", crop=3)  # as 3D Slicer crops
    case = find([folder], (), KNOWN, lambda text: None)[1]
    labels = case.read()
    expected = small_case(1)[1].array
    assert labels.grid.same_as(io.read_header(case.image).grid)
    assert set(np.unique(labels.array)) == {0, 1, 6}
    assert (labels.array[3:] == 1).sum() == (expected[3:] == 1).sum()
    assert not labels.array[:3].any()


def test_what_is_added_in_a_second_segment_does_not_make_the_first_one_background(folder):
    path = folder / "ct2.seg.nrrd"  # its liver is unchanged
    header = io.read_header(path)
    labels, pairs = header.read().copy(), dict(header.pairs)
    liver = labels == 6
    assert not labels[0, 0].any()
    labels[0, 0] = 20
    number = sum(key.endswith("_LabelValue") for key in pairs)
    second = {"ID": "liver_1", "Name": "liver", "LabelValue": "20", "Layer": "0",
              "Color": "1 0 0", "Tags": ""}
    write_nrrd(path, Image(labels, header.grid), pairs | {
        f"Segment{number}_{key}": value for key, value in second.items()})
    case = find([folder], (), KNOWN, lambda text: None)[2]
    assert case.organs == {1, 6}
    assert np.array_equal(case.read().array == 6, liver | (labels == 20))


def test_an_organ_that_was_deleted_from_its_segment_is_absent(folder):
    path = folder / "ct0.seg.nrrd"
    header = io.read_header(path)
    empty = np.where(header.read() == 1, 0, header.read())
    pairs = {key: value for key, value in header.pairs.items() if key.startswith("Segment")}
    write_nrrd(path, Image(empty.astype(np.uint8), header.grid), pairs)
    case = find([folder], (), KNOWN, lambda text: None)[0]
    assert case.organs == {1, 6} and not (case.read().array == 1).any()


@pytest.mark.parametrize(("image", "labels"), [
    ("ct0.nii.gz", "ct0 organs.seg.nrrd"),
    ("imagesTr/ct0_0000.nii.gz", "labelsTr/ct0.seg.nrrd"),
    ("images/ct0.nii.gz", "labels/ct0_corrected.seg.nrrd"),
])
def test_the_image_has_the_same_name(folder, image, labels):
    for old, new in (("ct0.nii.gz", image), ("ct0.seg.nrrd", labels)):
        (folder / new).parent.mkdir(exist_ok=True)
        (folder / old).rename(folder / new)
    assert folder / image in {case.image for case in find([folder], (), KNOWN, lambda text: None)}


def test_of_a_batch_only_results_that_have_changed_since(folder, tmp_path):
    """Three changed results, one that is as it was written, one whose image is not there."""
    results, studies = tmp_path / "results", tmp_path / "studies"
    results.mkdir(), studies.mkdir()
    for name in ("ct0", "ct1", "ct2", "same", "lost"):
        source = name if name.startswith("ct") else "ct0"
        path = results / f"{name}.seg.nrrd"
        shutil.copy(folder / f"{source}.seg.nrrd", path)
        if name != "lost":
            shutil.copy(folder / f"{source}.nii.gz", studies / f"{name}.nii.gz")
        digest = sha256_of(path) if name == "same" else "before"
        path.with_name(f"{name}.json").write_text(json.dumps({"sha256": {path.name: digest}}))
    said = []
    assert organs_of(results, images=[studies], warn=said.append) == [{6}, {1, 6}, {1}]
    assert f"{results / 'lost.seg.nrrd'}: left out, there is no image of this name." in said
    assert "1 segmentation without a corrected organ left out." in said
    (results / "run.sqlite").touch()
    assert organs_of(results / "ct1.seg.nrrd", images=[studies]) == [{1, 6}]
    with pytest.raises(InputError, match="name with --images what was its --input"):
        organs_of(results)


def test_single_segmentations(folder):
    files = [folder / "ct1.seg.nrrd", folder / "ct2.seg.nrrd"]
    assert organs_of(*files) == [{1, 6}, {1}]
    for paths in ([folder, *files], [*files, folder]):
        assert organs_of(*paths) == [{6}, {1, 6}, {1}]


def test_label_maps_need_names_and_all_their_organs_count(tmp_path):
    folder = write_dataset(tmp_path / "data")
    assert organs_of(folder) == [set(KNOWN)] * 3
    (folder / "dataset.json").unlink()
    with pytest.raises(InputError, match=r"holds no .seg.nrrd, and no dataset.json that names"):
        organs_of(folder)


def another_model(folder):
    write_case(folder, "ct2", 2, (1,), RECORD | {"model": "other", "model_sha256": "cd" * 32})


def two_files(folder):
    shutil.copy(folder / "ct1.seg.nrrd", folder / "ct1 organs.seg.nrrd")


def overlapping(folder):
    """Two layers, as 3D Slicer writes segments that overlap."""
    path = folder / "ct0.seg.nrrd"
    image = sitk.ReadImage(str(path))
    layers = sitk.Compose(image, image)
    for key in image.GetMetaDataKeys():
        layers.SetMetaData(key, image.GetMetaData(key))
    sitk.WriteImage(layers, str(path))


def uncorrected(folder):
    for seed in range(3):
        write_case(folder, f"ct{seed}", seed)


@pytest.mark.parametrize(("spoil", "message"), [
    (uncorrected, "no segment has been corrected"),
    (another_model, r"results of one model: .*ct1.seg.nrrd is of tiny \(abababab\), .*ct2"),
    (two_files, "ct1.nii.gz: has two segmentations"),
    (overlapping, "ct0.seg.nrrd: .*overlapping segments"),
    (shutil.rmtree, "there is no such folder"),
])
def test_what_is_wrong_is_one_sentence(folder, spoil, message):
    spoil(folder)
    with pytest.raises(InputError, match=message):
        organs_of(folder)


def test_labels_on_another_grid(folder):
    edit(folder / "ct0.seg.nrrd", shift_mm=2)
    case = find([folder], (), KNOWN, lambda text: None)[0]
    with pytest.raises(InputError, match="image and labels must lie on one grid"):
        case.read()
