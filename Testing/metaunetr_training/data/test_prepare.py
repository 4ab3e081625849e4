"""From data sets to the prepared folder: complete or not at all, and only what is missing."""

import errno
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from metaunetr import io
from metaunetr.errors import InputError, OutputError
from metaunetr_training import recipe
from metaunetr_training.data import prepare, resources, store
from metaunetr_training.data.datasets import dataset_cases
from metaunetr_training.data.prepared import BRIGHTEST, POINTS, Prepared
from tiny_dataset import small_case, write_dataset

PREPROCESSING = recipe.load("fast", ["preprocessing.spacing=[8, 8, 8]"]).preprocessing


def plan_of(out: Path, *folders: Path, preprocessing=PREPROCESSING, folds: int = 2):
    cases = [case for folder in folders for case in dataset_cases("general", folder)]
    return prepare.plan(out, preprocessing, cases, folds, jobs=1)


def run(out: Path, *folders: Path, lines: list[str] | None = None, **options) -> Prepared:
    return prepare.prepare(plan_of(out, *folders, **options), [].append if lines is None
                           else lines.append)


def temporary_files(folder: Path) -> list[Path]:
    return list(folder.rglob(".metaunetr-*"))


@pytest.fixture
def ours(tmp_path) -> Path:
    return write_dataset(tmp_path / "ours")


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "prepared"


def test_training_finds_what_it_needs(ours, out):
    lines = []
    prepared = run(out, ours, lines=lines)
    assert [case.key for case in prepared.cases] == ["ours/a", "ours/b", "ours/c"]
    assert prepared.preprocessing == PREPROCESSING
    for case in prepared.cases:
        image, labels = case.image(), case.labels()
        assert isinstance(image, np.memmap)
        assert (image.dtype, labels.dtype) == (np.uint8, np.uint8)
        assert image.shape == labels.shape == case.shape
        assert 0 <= image.min() < image.max() <= BRIGHTEST
        assert case.points.keys() == case.volumes_ml.keys() == {1, 2, 3, 6}
        for number, points in case.points.items():
            assert len(points) == min(POINTS, np.count_nonzero(labels == number))
            assert (labels[tuple(points.T)] == number).all()
            assert len(np.unique(points, axis=0)) == len(points)
        assert (case.spacing, case.warnings) == ((6.0, 6.0, 6.0), ())
    assert sorted(len(prepared.held_out(fold)) for fold in (0, 1)) == [1, 2]
    assert len(lines) == 3 and lines[-1].startswith("[3/3] ours/c: ") and "0 s left" in lines[-1]


def test_the_plan_writes_nothing_and_promises_enough(ours, out):
    plan = plan_of(out, ours)
    assert not out.exists()
    assert plan.work.keys() == {"ours/a", "ours/b", "ours/c"}
    run(out, ours)
    taken = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    assert 0.2 * plan.disk < taken <= plan.disk


def case_of(out: Path, name: str, file: str = "") -> Path:
    return out / "cases/ours" / name / file


def change_inputs(ours, out):
    image = ours / "imagesTr" / "b.nii"
    os.utime(image, ns=(0, image.stat().st_mtime_ns + 1))
    io.write_image(ours / "labelsTr" / "c.nii", small_case(9)[1])


def remove_files(ours, out):
    case_of(out, "a", "points.npy").unlink()
    (out / "pictures/ours/c.png").unlink()


def damage_files(ours, out):
    os.truncate(case_of(out, "a", "image.npy"), 1000)
    case_of(out, "b", "case.json").write_text("{")


def change_meaning(ours, out):
    labels = {"1": "spleen", "2": "kidneys", "3": "kidneys", "6": "liver"}
    (ours / "dataset.json").write_text(json.dumps({"name": "ours", "labels": labels}))


@pytest.mark.parametrize("change, again", [
    (lambda ours, out: (out / "folds.json").unlink(), set()),
    (change_inputs, {"ours/b", "ours/c"}),
    (remove_files, {"ours/a", "ours/c"}),
    (damage_files, {"ours/a", "ours/b"}),
    (lambda ours, out: shutil.rmtree(case_of(out, "b")), {"ours/b"}),
    (change_meaning, {"ours/a", "ours/b", "ours/c"}),
])
def test_only_what_has_changed_is_done_again(ours, out, change, again):
    before = run(out, ours).folds
    change(ours, out)
    assert plan_of(out, ours).work.keys() == again
    assert run(out, ours).folds == before
    assert plan_of(out, ours).work == {}


def test_a_data_set_that_was_moved_is_not_done_again(ours, out, tmp_path):
    run(out, ours)
    moved = ours.rename(tmp_path / "elsewhere")
    assert plan_of(out, moved).work == {}
    for case in run(out, moved).cases:
        assert case.source.image.parent == moved / "imagesTr"


def test_another_preprocessing_needs_another_folder(ours, out):
    run(out, ours)
    other = recipe.load("fast", ["preprocessing.spacing=[7, 7, 7]"]).preprocessing
    with pytest.raises(InputError, match="choose another folder"):
        plan_of(out, ours, preprocessing=other)


def test_folds_stay_when_cases_and_data_sets_are_added(ours, out, tmp_path):
    before = run(out, ours).folds
    write_dataset(ours, ["d", "e"], first_seed=10)
    more = run(out, ours).folds
    assert more.keys() - before.keys() == {"ours/d", "ours/e"}
    other = write_dataset(tmp_path / "other", ["a"], first_seed=20)
    both = run(out, other)
    assert len(both.cases) == 6
    assert both.folds.items() >= more.items() >= before.items()


def test_identical_images_stay_in_one_fold(ours, out, tmp_path):
    other = write_dataset(tmp_path / "other", ["x", "y"], first_seed=1)  # as b and c of ours
    prepared = run(out, ours, other)
    for a, b in (("ours/b", "other/x"), ("ours/c", "other/y")):
        assert prepared.folds[a] == prepared.folds[b]
    assert "ours/b are one image" in (out / "report.html").read_text()


def test_a_copy_of_a_training_case_cannot_be_held_out(ours, out, tmp_path):
    other = write_dataset(tmp_path / "other", ["x", "y"], first_seed=1)  # as b and c of ours
    cases = [case for folder in (ours, other) for case in dataset_cases("general", folder)]

    def hold_out(cases, *keys):
        said = []
        found = prepare.prepare(
            prepare.plan(out, PREPROCESSING, cases, jobs=1, held_out=keys), said.append)
        return found.folds, said

    hold_out(cases[:3], "ours/a")
    folds, said = hold_out(cases, "ours/a", "other/x")
    assert folds["ours/b"] == folds["other/x"] == 1
    assert sum(line.endswith("kept in one fold, so other/x is in fold 1, not in fold 0.")
               for line in said) == 1



def test_a_bad_case_is_told_and_the_rest_goes_on(ours, out):
    image = ours / "imagesTr" / "a.nii"
    image.write_bytes(image.read_bytes()[:5000])
    labels = ours / "labelsTr" / "b.nii"
    os.truncate(labels, 0)
    lines, plan = [], plan_of(out, ours)
    prepared = prepare.prepare(plan, lines.append)
    assert [case.key for case in prepared.cases] == ["ours/c"]
    assert plan.failed.keys() == {"ours/a", "ours/b"}
    assert "a.nii: the file is truncated" in lines[0] and "FAILED" in lines[0]
    assert "b.nii: the file is empty" in (out / "report.html").read_text()
    assert plan_of(out, ours).work.keys() == plan.failed.keys()


def test_a_case_that_has_become_bad_is_not_trained_on(ours, out):
    run(out, ours)
    os.truncate(ours / "imagesTr" / "a.nii", 5000)
    before = json.loads((out / "folds.json").read_text())
    assert [case.key for case in run(out, ours).cases] == ["ours/b", "ours/c"]
    assert json.loads((out / "folds.json").read_text()) == before  # for when it is good again


def test_no_case_at_all_is_an_error(ours, out):
    for image in (ours / "imagesTr").iterdir():
        image.write_bytes(b"no image at all")
    with pytest.raises(InputError, match=r"no case could be prepared; the first: .*is not a NIfTI"):
        run(out, ours)


def test_too_small_a_disk_is_refused_before_the_work(ours, out, monkeypatch):
    monkeypatch.setattr(resources, "free_disk", lambda folder: 100_000)
    with pytest.raises(OutputError, match="takes at most 1 MB, only 0 MB are free"):
        run(out, ours)
    assert not out.exists()


def test_a_disk_that_fills_up_ends_it_and_the_next_run_goes_on(ours, out, monkeypatch):
    write = store._save

    def full(path, array):
        if len(list(out.glob("cases/ours/*/case.json"))) == 1:
            path.write_bytes(b"begun")
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, array)

    monkeypatch.setattr(store, "_save", full)
    with pytest.raises(OutputError, match=r"b.*: the disk is full"):
        run(out, ours)
    assert temporary_files(out) == []
    assert plan_of(out, ours).work.keys() == {"ours/b", "ours/c"}
    monkeypatch.undo()
    assert len(run(out, ours).cases) == 3


def test_files_of_a_killed_run_are_removed(ours, out):
    run(out, ours)
    left = out / "cases/ours/a/.metaunetr-00000000-1-abc.npy"
    left.touch()
    os.utime(left, (0, -10_000))
    run(out, ours)
    assert temporary_files(out) == []
