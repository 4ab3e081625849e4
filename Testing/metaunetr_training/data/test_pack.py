"""Prepared cases as one file, and back."""

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from metaunetr.errors import InputError, OutputError
from metaunetr_training.data.pack import LEVELS, pack, reduce_levels, unpack
from metaunetr_training.data.prepared import BRIGHTEST, Prepared
from tiny_prepared import write_prepared

ROOT = Path(__file__).parents[3]


@pytest.fixture
def prepared(tmp_path) -> Prepared:
    """Cases 0 to 2 annotate three organs, 3 and 4 one."""
    folder = tmp_path / "prepared"
    write_prepared(folder, cases=2, organs=(6,), dataset="livers")
    folds = (folder / "folds.json").read_text()
    write_prepared(folder, cases=3)
    merged = folds.rstrip("}") + ", " + (folder / "folds.json").read_text().lstrip("{")
    (folder / "folds.json").write_text(merged)
    return Prepared.read(folder)


def test_what_is_unpacked_is_what_was_packed_but_for_grey_levels(prepared, tmp_path):
    packed = pack(prepared, tmp_path / "cases.pack", 1e9, lambda line: None)
    found = unpack(tmp_path / "cases.pack", tmp_path / "there")
    assert packed.size == (tmp_path / "cases.pack").stat().st_size
    assert (found.preprocessing, found.folds) == (prepared.preprocessing, prepared.folds)
    for before, after in zip(prepared.cases, found.cases, strict=True):
        assert (before.key, before.annotated) == (after.key, after.annotated)
        np.testing.assert_array_equal(before.labels(), after.labels())
        np.testing.assert_array_equal(reduce_levels(before.image()), after.image())
        assert before.points.keys() == after.points.keys()


def test_levels_are_spread_over_the_whole_range():
    found = reduce_levels(np.arange(BRIGHTEST + 1))
    assert (found[0], found[-1], len(np.unique(found))) == (0, BRIGHTEST, LEVELS)
    assert np.abs(found - np.arange(BRIGHTEST + 1)).max() <= BRIGHTEST / (LEVELS - 1) / 2 + 0.5


def test_cases_with_most_organs_come_first(prepared, tmp_path):
    whole = pack(prepared, tmp_path / "all.pack", 1e9, lambda line: None)
    packed = pack(prepared, tmp_path / "some.pack", 0.75 * whole.size, lambda line: None)
    assert packed.size <= 0.75 * whole.size
    assert set(packed.cases) >= {"tiny/000", "tiny/001", "tiny/002"}
    assert packed.left_out and set(packed.left_out) <= {"livers/000", "livers/001"}


def test_many_small_cases_stay_within_the_limit(tmp_path):
    prepared = write_prepared(tmp_path / "prepared", cases=40)
    whole = pack(prepared, tmp_path / "all.pack", 1e9, lambda line: None)
    packed = pack(prepared, tmp_path / "some.pack", 0.9 * whole.size, lambda line: None)
    assert packed.size <= 0.9 * whole.size and packed.left_out


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def escaping(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("cases/../../outside.npy.xz", b"")


@pytest.mark.parametrize(("damage", "words"), [
    (truncated, "is no file made by `pack`, or damaged"),
    (escaping, r"holds 'cases/\.\./\.\./outside.npy.xz', which `pack` does not write"),
    (Path.unlink, "there is no such file"),
])
def test_a_file_that_is_none_leaves_no_folder(prepared, tmp_path, damage, words):
    file = tmp_path / "cases.pack"
    pack(prepared, file, 1e9, lambda line: None)
    damage(file)
    with pytest.raises(InputError, match=words):
        unpack(file, tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_what_is_there_is_kept(prepared, tmp_path):
    pack(prepared, tmp_path / "cases.pack", 1e9, lambda line: None)
    with pytest.raises(OutputError, match="exists"):
        unpack(tmp_path / "cases.pack", prepared.folder)


def test_no_room_for_a_single_case(prepared, tmp_path):
    with pytest.raises(InputError, match=r"no case fits into 0\.002 MB"):
        pack(prepared, tmp_path / "cases.pack", 2000, lambda line: None)
    assert not (tmp_path / "cases.pack").exists()


@pytest.mark.slow
def test_training_from_it_needs_neither_simpleitk_nor_monai(prepared, tmp_path):
    pack(prepared, tmp_path / "cases.pack", 1e9, lambda line: None)
    absent = ("SimpleITK", "monai", "pydicom", "matplotlib", "tensorboard", "tqdm", "vtk")
    code = f"""
import sys
sys.path[:0] = {[str(ROOT / "Training"), str(ROOT / "Testing/standins")]}
sys.modules.update(dict.fromkeys({absent}))
from metaunetr_training.cli import parser
import tiny_prepared
def main(*words):
    arguments = parser().parse_args(words)
    assert not arguments.run(arguments)
changes = [word for change in tiny_prepared.CHANGES for word in ("--set", change)]
main("unpack", "cases.pack", "there")
main("train", "run", "--recipe", "fast", "--prepared", "there", *changes)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run/checkpoint.safetensors").is_file()
