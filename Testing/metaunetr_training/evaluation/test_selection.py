"""Which cases a model is measured on, and what is said about having seen them."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from metaunetr.bundle import load
from metaunetr.calibration import read_calibration
from metaunetr.errors import BundleError, InputError
from metaunetr_training.data.prepared import Prepared
from metaunetr_training.evaluation.selection import choose
from tiny_bundle import write_bundle
from tiny_dataset import write_dataset
from tiny_prepared import write_prepared

CURVE = {"confidence": [0.5, 1.0], "dice": [0.2, 0.9]}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run on fold 0 of five cases, of which the last is for testing."""
    prepared = write_prepared(tmp_path / "prepared", cases=5, folds=2).folder
    folds = json.loads((prepared / "folds.json").read_text()) | {"tiny/004": "test"}
    (prepared / "folds.json").write_text(json.dumps(folds))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    made = SimpleNamespace(folder=tmp_path / "run", prepared=prepared, fold=0, record={},
                           bundle=lambda: SimpleNamespace(name="tiny", calibration=None))
    monkeypatch.setattr("metaunetr_training.training.run.Run.open", lambda folder: made)
    return made


@pytest.mark.parametrize(("arguments", "expected", "split"), [
    ({}, ["000", "002"], "fold 0 of prepared, none of them trained on"),
    ({"test": True}, ["004"], "test set of prepared, none of them trained on"),
    ({"fold": 1}, ["001", "003"], "fold 1 of prepared; 2 of the 2 cases were TRAINED ON"),
])
def test_a_run_is_measured_on_what_it_held_out(run, arguments, expected, split):
    selection = choose(run.folder, **arguments)
    assert [case.id for case in selection.cases] == expected
    assert selection.split == split


def test_other_data_sets_may_hold_the_ct_that_a_run_was_trained_on(run, tmp_path):
    data = write_dataset(tmp_path / "same", "ab")
    selection = choose(run.folder, data=[("general", data)])
    assert (selection.trained_on, selection.split) == (None, "general in same")


UNKNOWN = ("fold 0 of prepared; whether base, which training began with, was trained on some of "
           "them is unknown")


@pytest.mark.parametrize(("record", "fold", "split", "trained_on"), [
    ({"start": None, "training": ["tiny/002", "else/9"]}, 0,
     "fold 0 of prepared; 1 of the 2 cases were TRAINED ON", {"tiny/002"}),
    ({"start": "base", "training": ["tiny/001", "tiny/003"]}, 0, UNKNOWN, None),
    ({"start": "base"}, 0, UNKNOWN, None),
    ({"start": "base"}, 1, "fold 1 of prepared; 2 of the 2 cases were TRAINED ON",
     {"tiny/001", "tiny/003"}),
])
def test_what_a_run_has_on_record_decides_what_is_claimed(run, record, fold, split, trained_on):
    run.record = record
    selection = choose(run.folder, fold=fold)
    assert (selection.split, selection.trained_on) == (split, trained_on)
    assert selection.start == record["start"]


def test_where_the_training_cases_have_gone_nothing_is_claimed(run, tmp_path):
    other = write_prepared(tmp_path / "other", dataset="else").folder
    (run.prepared / "prepared.json").unlink()
    selection = choose(run.folder, prepared=other)
    assert selection.trained_on is None and selection.split == "fold 0 of other"


def test_other_cases_of_the_same_names_count_as_trained_on(run, monkeypatch):
    cases = [case.source for case in Prepared.read(run.prepared).cases]
    monkeypatch.setattr("metaunetr_training.data.datasets.dataset_cases",
                        lambda kind, folder: cases)
    selection = choose(run.folder, data=[("general", run.prepared)])
    assert selection.trained_on == {"tiny/001", "tiny/003"}
    assert "2 of the 5 cases were TRAINED ON" in selection.split


def test_a_bundle_is_measured_without_its_calibration(tmp_path):
    folder = write_bundle(tmp_path / "tiny", calibration=CURVE)
    selection = choose(folder, prepared=write_prepared(tmp_path / "prepared").folder)
    assert selection.bundle.calibration is None and load(folder).calibration
    assert len(selection.cases) == 4 and selection.split == "all cases of prepared"
    assert replace(selection.bundle, calibration=read_calibration(CURVE)).network()


@pytest.mark.parametrize(("arguments", "words"), [
    ({}, "name them with --prepared or --data"),
    ({"prepared": "prepared", "fold": 7}, r"no case in fold 7; it has 0, 1"),
    ({"prepared": "elsewhere"}, "is no prepared folder"),
    ({"data": [("general", "twice"), ("general", "twice")]}, "tiny/000 occurs twice in"),
    ({"data": [("general", "nothing")]}, "no case in"),
])
def test_cases_that_cannot_be_had(tmp_path, monkeypatch, arguments, words):
    cases = [case.source for case in write_prepared(tmp_path / "prepared").cases]
    monkeypatch.setattr("metaunetr_training.data.datasets.dataset_cases",
                        lambda kind, folder: cases if folder.name == "twice" else [])
    if "prepared" in arguments:
        arguments = arguments | {"prepared": tmp_path / arguments["prepared"]}
    if "data" in arguments:
        arguments = {"data": [(kind, tmp_path / name) for kind, name in arguments["data"]]}
    with pytest.raises(InputError, match=words):
        choose(write_bundle(tmp_path / "tiny"), **arguments)


def test_a_model_that_does_not_exist(tmp_path):
    with pytest.raises(BundleError, match="No model is called"):
        choose(tmp_path / "nowhere", prepared=tmp_path)
