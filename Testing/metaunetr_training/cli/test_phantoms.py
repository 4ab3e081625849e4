"""`phantoms` writes a data set that the general reader reads, and only what is missing of it."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from metaunetr import io, phantom
from metaunetr.cli import main
from metaunetr_training.cli import parser
from metaunetr_training.data.datasets import dataset_cases
from metaunetr_training.data.labels import read_reference

COARSE = ("--spacing", "20", "20", "20")


def run(*arguments) -> int:
    return main(["phantoms", *map(str, arguments)], make_parser=parser)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms") / "set"
    assert run(folder, "--count", 2, "--first-seed", 7, *COARSE) == 0
    return folder


@pytest.fixture
def phantoms(made, tmp_path) -> Path:
    return shutil.copytree(made, tmp_path / "set")


def test_phantoms_are_a_general_data_set(made):
    cases = dataset_cases("general", made)
    assert [case.key for case in cases] == ["phantoms/phantom_7", "phantoms/phantom_8"]
    expected = phantom.make(8, spacing=(20.0, 20.0, 20.0))
    np.testing.assert_array_equal(io.read_image(cases[1].image).array, expected.image.array)
    np.testing.assert_array_equal(read_reference(cases[1]).array, expected.labels.array)


def test_only_what_is_missing_is_made(phantoms, capsys):
    files = {path: path.read_bytes() for path in phantoms.rglob("*.nii.gz")}
    kept, lost = sorted((phantoms / "labelsTr").iterdir())
    before = kept.stat().st_mtime_ns
    lost.unlink()
    assert run(phantoms, "--count", 2, "--first-seed", 7, *COARSE) == 0
    assert "1 phantoms made, 1 were there" in capsys.readouterr().out
    assert kept.stat().st_mtime_ns == before
    assert {path: path.read_bytes() for path in phantoms.rglob("*.nii.gz")} == files


@pytest.mark.parametrize("there", ['{"labels": {"1": "liver"}}', "no JSON"])
def test_other_data_sets_are_left_alone(tmp_path, capsys, there):
    (tmp_path / "dataset.json").write_text(there)
    assert run(tmp_path, "--count", 1, *COARSE) == 5
    assert "choose another folder" in capsys.readouterr().err
    assert (tmp_path / "dataset.json").read_text() == there


def test_one_folder_has_one_spacing(phantoms, capsys):
    assert run(phantoms, "--count", 3, "--spacing", 13, 13, 15) == 5
    assert "phantoms of 13 × 13 × 15 mm" in capsys.readouterr().err
