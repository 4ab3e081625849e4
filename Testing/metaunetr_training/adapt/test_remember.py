"""A copy of a correction: a case like the original, without what identifies the patient."""

from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK as sitk

from metaunetr import io
from metaunetr.cli import main
from metaunetr.fill import AIR
from metaunetr.io.seg_nrrd import read_segments
from metaunetr_training.adapt.cases import find, read_corrections
from metaunetr_training.adapt.remember import remember
from metaunetr_training.cli import parser
from metaunetr_training.data.resample import to_model_arrays
from tiny_corrections import RECORD, edit, tiny_model, write_case


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("start") / "tiny")


@pytest.fixture
def original(tmp_path):
    """Spleen and liver corrected, the latter away."""
    path = write_case(tmp_path / "Smith, John", "Smith 1970", 1, (1,))
    image = sitk.ReadImage(str(path))
    gone = sitk.ChangeLabel(image, {6.0: 0.0})
    for key in image.GetMetaDataKeys():
        gone.SetMetaData(key, image.GetMetaData(key))
    gone.SetMetaData("patient", "Smith")
    sitk.WriteImage(gone, str(path))
    edit(path, Segment0_Name="liver of Smith")
    return read_corrections(path.with_name("Smith 1970.nii.gz"), path, print)


def test_it_is_a_case_with_the_same_organs_model_and_voxels(original, start, tmp_path):
    size = remember(original, tmp_path / "copy", start.preprocessing)
    assert size == sum(file.stat().st_size for file in (tmp_path / "copy").iterdir())
    case, = find([tmp_path / "copy"], (), range(1, 14), print)
    assert case.organs == original.organs == {1, 6}
    assert case.models == {RECORD["model_sha256"]: "tiny"}
    image = io.read_image(case.image)
    assert image.grid.spacing == start.preprocessing.spacing
    assert image.array.min() == AIR, "so that the guard takes it for HU"
    expected = to_model_arrays(io.read_image(original.image), original.read(), start.preprocessing)
    again = to_model_arrays(image, case.read(), start.preprocessing)
    for kept, voxels in zip(again, expected, strict=True):
        assert np.array_equal(kept, voxels)


def test_it_names_nobody(original, start, tmp_path):
    remember(original, tmp_path / "copy", start.preprocessing)
    assert {file.name for file in (tmp_path / "copy").iterdir()} == {
        "ct.nii.gz", "ct.seg.nrrd", "ct.png"}
    assert io.read_image(tmp_path / "copy" / "ct.nii.gz").grid.origin == (0, 0, 0)
    pairs = io.read_header(tmp_path / "copy" / "ct.seg.nrrd").pairs
    assert "Smith" not in json.dumps(pairs)
    assert {key for segment in read_segments(tmp_path / "copy" / "ct.seg.nrrd")[0]
            for key in segment["tags"]} == {
        "TerminologyEntry", "MetaUNETR.Model", "MetaUNETR.ModelSHA256", "Segmentation.Status"}


def test_on_the_command_line(original, start, tmp_path, capsys):
    arguments = ["remember", str(original.image), str(original.labels), "-o",
                 str(tmp_path / "copy"), "--from", str(start.folder)]
    for _ in range(2):  # the second one replaces the first
        assert not main(arguments, parser)
    assert capsys.readouterr().out.splitlines()[0].startswith(
        f"{tmp_path / 'copy'}: spleen, liver; ")
    write_case(original.labels.parent, "Smith 1970", 1)
    assert main(arguments, parser) == 3
    assert "no segment has been corrected" in capsys.readouterr().err
