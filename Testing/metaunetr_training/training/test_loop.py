"""A run: the same curve however often it is killed, clear ends, nothing lost."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from shutil import copytree
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from metaunetr import bundle
from metaunetr.errors import InputError, OutputError
from metaunetr_training.data.folds import NO_FOLD
from metaunetr_training.data.prepared import Prepared
from metaunetr_training.errors import TrainingError
from metaunetr_training.training import checkpoint, loop
from metaunetr_training.training.loop import train
from metaunetr_training.training.run import Run
from tiny_bundle import write_bundle
from tiny_prepared import tiny_recipe, write_prepared

ROOT = Path(__file__).parents[3]
SAME = ("iteration", "total", "cross_entropy", "dice", "gradient_norm", "learning_rate")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return write_prepared(tmp_path_factory.mktemp("prepared"))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A bundle that the tiny recipe can begin with."""
    folder = tmp_path_factory.mktemp("model") / "tiny"
    return bundle.load(write_bundle(folder, **Run(folder, tiny_recipe(), folder, 0, {}).card()))


def curve(folder: Path) -> list[list[str]]:
    with open(folder / "log.csv", newline="") as file:
        return [[row[name] for name in SAME] for row in csv.DictReader(file)]


@pytest.mark.slow
def test_a_run_learns_and_leaves_what_is_needed(prepared, tmp_path):
    recipe = tiny_recipe("training.iterations=20", "training.learning_rate=1e-2",
                         "training.validate_every=10", "training.validation_cases=2")
    events = []
    run = train(recipe, prepared, 0, tmp_path / "run", report=events.append)
    losses = [float(row[1]) for row in curve(run.folder)]
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.3
    assert run.record["finished"] and run.record["iterations"] == 20
    assert run.record["validation"]["cases"] == ["tiny/000", "tiny/002"]  # fold 0
    assert [e["iteration"] for e in events if e["event"] == "validation"] == [10, 20]
    assert events[-2]["progress"] == 1 and events[-2]["remaining_s"] == 0
    assert sorted(p.name for p in (run.folder / "pictures").iterdir()) == [
        f"tiny_{case}_{n:06d}.png" for case in ("000", "002") for n in (10, 20)]
    assert list((run.folder / "tensorboard").iterdir())
    again = Run.open(run.folder)
    assert (again.recipe, again.fold) == (recipe, 0)
    with torch.no_grad():
        assert again.network()(torch.rand(1, 1, 32, 32, 32)).shape == (1, 4, 32, 32, 32)


@pytest.fixture(scope="module")
def finished(prepared, tmp_path_factory):
    """The folder of a run of one step, which no test may change."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    return train(tiny_recipe("training.iterations=1"), prepared, 0, folder).folder


def test_weights_of_data_sets_without_a_case_are_warned_about(prepared, tmp_path):
    events = []
    train(tiny_recipe("training.iterations=1", "training.dataset_weights={tiny: 2, other: 3}"),
          prepared, 0, tmp_path / "run", report=events.append)
    assert [event["text"] for event in events if event["event"] == "warning"] == [
        "training.dataset_weights: no case to train on is of other; there are tiny."]


def test_the_same_command_on_a_finished_run_changes_nothing(prepared, finished):
    before = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()}
    assert train(tiny_recipe("training.iterations=1"), prepared, 0, finished).record["finished"]
    assert before == {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_killed_and_resumed_the_loss_curve_is_the_same(prepared, tmp_path):
    changes = ["training.iterations=6", "training.checkpoint_every=2", "training.workers=1",
               "training.validate_every=5"]
    train(tiny_recipe(*changes), prepared, 0, tmp_path / "whole")
    paths = [str(ROOT / "Training"), str(ROOT / "Testing/standins")]
    code = (f"import sys; sys.path[:0] = {paths}\n"
            "from pathlib import Path\nfrom metaunetr_training.data.prepared import Prepared\n"
            "from metaunetr_training.training.loop import train\n"
            "from tiny_prepared import tiny_recipe\n"
            f"train(tiny_recipe(*{changes}), Prepared.read(Path({str(prepared.folder)!r})), 0, "
            f"Path({str(tmp_path / 'killed')!r}))")
    for lines in (3, None):
        threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}
        process = subprocess.Popen([sys.executable, "-c", code], env=os.environ | threads)
        while lines and process.poll() is None and rows(tmp_path / "killed") < lines:
            time.sleep(0.01)
        if lines:
            process.send_signal(signal.SIGKILL)
        assert process.wait(120) == (-signal.SIGKILL if lines else 0)
    assert curve(tmp_path / "killed") == curve(tmp_path / "whole")
    assert (tmp_path / "killed/validation.csv").read_text() \
        == (tmp_path / "whole/validation.csv").read_text()
    weights = [checkpoint.average_weights(tmp_path / name / "checkpoint.safetensors")
               for name in ("whole", "killed")]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.slow
@pytest.mark.parametrize("adapting", [False, True])
def test_a_validation_that_was_interrupted_is_made_up_for(prepared, model, tmp_path, adapting,
                                                          monkeypatch):
    recipe = tiny_recipe("training.iterations=4", "training.validate_every=2")
    calls = count(1)
    validate = loop.validate

    def interrupted(*arguments):
        if next(calls) == 1 + adapting:  # an adapting run begins with a validation
            raise KeyboardInterrupt
        return validate(*arguments)

    def run(name):
        return train(recipe, prepared, 0, tmp_path / name, model, adapt=adapting)

    run("whole")
    monkeypatch.setattr(loop, "validate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run("interrupted")
    run("interrupted")
    assert (tmp_path / "interrupted/validation.csv").read_text() \
        == (tmp_path / "whole/validation.csv").read_text()


@pytest.mark.slow
def test_held_out_cases_take_no_time_of_an_adapting_run(prepared, model, tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    validate = loop.validate

    def slow(*arguments):
        now[0] += 10
        return validate(*arguments)

    def report(event):
        now[0] += event["event"] == "train"

    monkeypatch.setattr(loop, "validate", slow)
    recipe = tiny_recipe("training.iterations=1000", "training.max_minutes=0.0999",
                         "training.learning_rate=1e-9")
    for fold in (0, NO_FOLD):
        train(recipe, prepared, fold, tmp_path / str(fold), model, report=report, adapt=True)
    rates = [[row[-1] for row in curve(tmp_path / str(fold))] for fold in (0, NO_FOLD)]
    assert rates[0] == rates[1]
    assert len((tmp_path / "0/validation.csv").read_text().splitlines()) == 3, "start, half-way"


def rows(folder: Path) -> int:
    try:
        return (folder / "log.csv").read_text().count("\n") - 1
    except OSError:
        return 0


def test_a_loss_that_is_not_finite_names_the_batch_and_keeps_the_checkpoint(tmp_path):
    prepared = write_prepared(tmp_path / "prepared", cases=2, folds=2)
    folder = tmp_path / "run"
    with pytest.raises(StopIteration):
        train(tiny_recipe(), prepared, 0, folder, report=stop_after(2))
    kept = (folder / "checkpoint.safetensors").read_bytes()
    broken = prepared.training(0)[0].folder / "image.npy"
    np.save(broken, np.full(prepared.training(0)[0].shape, np.nan, np.float32))
    message = r"loss is nan for the batch of tiny/001 at \("
    with pytest.raises(TrainingError, match=message) as error:
        train(tiny_recipe(), prepared, 0, folder)
    assert error.value.exit_code == 8
    assert (folder / "checkpoint.safetensors").read_bytes() == kept


def stop_after(iteration: int):
    def report(event):
        if event["event"] == "train" and event["iteration"] == iteration + 1:
            raise StopIteration

    return report


def test_a_full_disk_ends_the_run_with_the_last_checkpoint_kept(prepared, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    with pytest.raises(StopIteration):
        train(tiny_recipe(), prepared, 0, folder, report=stop_after(1))
    kept = (folder / "checkpoint.safetensors").read_bytes()

    def full(tensors, path, metadata):
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save_file", full)
        with pytest.raises(OutputError, match=r"checkpoint.safetensors: cannot be written: .*full"):
            train(tiny_recipe(), prepared, 0, folder)
    assert (folder / "checkpoint.safetensors").read_bytes() == kept
    assert [path.name for path in folder.glob(".metaunetr*")] == []


def test_with_a_budget_the_schedule_is_finished_in_time(prepared, tmp_path, monkeypatch):
    clock = count(0, 0.5)  # seconds, of each look at it
    monkeypatch.setattr("metaunetr_training.training.loop.time",
                        SimpleNamespace(perf_counter=lambda: next(clock)))
    recipe = tiny_recipe("training.iterations=100000", "training.max_minutes=0.25")
    run = train(recipe, prepared, 0, tmp_path / "run")
    last = float(curve(run.folder)[-1][-1])
    assert last < 0.2 * recipe.training.learning_rate
    assert run.record["finished"] and run.record["iterations"] >= 3


@pytest.mark.parametrize(("change", "message"), [
    (lambda r: r("preprocessing.spacing=[3, 3, 3]"), "was prepared with"),
    (lambda r: r("training.patch=[30, 32, 32]"), "divisible by 16"),
    (lambda r: r("training.more_patches=[[32, 32, 32], [32, 32, 40]]"), "more_patches must be"),
    (lambda r: r("network.size=published"), "published size must be longer than 32 voxels"),
    (lambda r: r("inference.largest_window=[32, 48, 50]"), "largest_window .* divisible by 16"),
    (lambda r: r("inference.smallest_window=[0, 32, 32]"), "smallest_window must be from 8"),
    (lambda r: r("inference.largest_window=[32, 32, 528]"), "from 8 to 512 voxels long"),
    (lambda r: r("inference.smallest_window=[32, 32, 48]"), "must hold along every axis"),
    (lambda r: r("inference.largest_window=[16, 32, 32]"), "must hold along every axis"),
    (lambda r: r("training.precision=int8"), "precision must be one of"),
    (lambda r: r("training.compile=maybe"), "compile must be auto, yes or no"),
    (lambda r: r("organs=[pancreas]"), "no case to train on"),
])
def test_what_does_not_fit_is_refused(prepared, tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        train(change(tiny_recipe), prepared, 0, tmp_path / "run")


def test_a_fold_that_does_not_exist(prepared, tmp_path):
    with pytest.raises(InputError, match="fold must be one of 0, 1 or none: 5"):
        train(tiny_recipe(), prepared, 5, tmp_path / "run")


def test_a_run_is_not_continued_with_another_recipe_fold_or_model(prepared, finished, model):
    recipe = tiny_recipe("training.iterations=1")
    with pytest.raises(InputError, match=r"training\.ema = 0\.9, not 0\.8"):
        train(tiny_recipe("training.iterations=1", "training.ema=0.8"), prepared, 0, finished)
    with pytest.raises(InputError, match="fold = 0, not 1"):
        train(recipe, prepared, 1, finished)
    with pytest.raises(InputError, match="with fresh weights, not with the model tiny"):
        train(recipe, prepared, 0, finished, model)


@pytest.mark.slow
def test_what_began_with_a_model_does_not_go_on_from_random_weights(prepared, model, tmp_path):
    recipe, folder = tiny_recipe("training.checkpoint_every=100"), tmp_path / "run"
    with pytest.raises(StopIteration):
        train(recipe, prepared, 0, folder, model, report=stop_after(0))
    with pytest.raises(InputError, match=r"was begun with the model tiny .* again with --from"):
        train(recipe, prepared, 0, folder)
    assert train(recipe, prepared, 0, folder, model).record["start"] == "tiny"


def test_a_checkpoint_needs_neither_its_model_nor_a_record(prepared, model, tmp_path):
    """The record names the model; there was none before start and cases were recorded."""
    with pytest.raises(StopIteration):
        train(tiny_recipe(), prepared, 0, tmp_path / "run", model, report=stop_after(1))
    with pytest.raises(StopIteration):
        train(tiny_recipe(), prepared, 0, tmp_path / "run", report=stop_after(2))
    path = tmp_path / "run/run.json"
    values = json.loads(path.read_text())
    assert values["record"]["start"] == "tiny"
    path.write_text(json.dumps(values | {"record": {}}))
    run = train(tiny_recipe(), prepared, 0, tmp_path / "run")
    assert run.record["finished"] and run.record["training"] == ["tiny/001", "tiny/003"]


def test_other_cases_do_not_go_on_with_a_run(tmp_path):
    prepared = write_prepared(tmp_path / "prepared")
    train(tiny_recipe("training.iterations=1"), prepared, 0, tmp_path / "run")
    more = write_prepared(tmp_path / "prepared", cases=6)
    with pytest.raises(InputError, match=r"run: was begun on other cases .* \(tiny/005\)"):
        train(tiny_recipe("training.iterations=1"), more, 0, tmp_path / "run")


def test_a_folder_of_something_else_is_left_alone(prepared, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="is not empty"):
        train(tiny_recipe(), prepared, 0, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("damage", [b"", b"{}", b"x" * 1000])
def test_a_damaged_checkpoint_is_named(finished, tmp_path, damage):
    run = Run.open(copytree(finished, tmp_path / "run"))
    run.checkpoint.write_bytes(damage)
    with pytest.raises(InputError, match=r"checkpoint\.safetensors: is no checkpoint"):
        Run.open(run.folder).network()


def test_data_sets_with_different_organs_train_one_network(tmp_path):
    """One data set knows the liver, the other the rest."""
    folder = tmp_path / "prepared"
    write_prepared(folder, cases=4, organs=(6,), dataset="livers")
    of = json.loads((folder / "folds.json").read_text())
    write_prepared(folder, cases=4, organs=(1, 3), dataset="others")
    of |= json.loads((folder / "folds.json").read_text())
    (folder / "folds.json").write_text(json.dumps(of))
    recipe = tiny_recipe("training.iterations=2", "training.validation_cases=2")
    run = train(recipe, Prepared.read(folder), 0, tmp_path / "run")
    assert run.record["cases"] == {"livers": 2, "others": 2}
    assert run.record["validation"]["cases"] == ["livers/000", "others/000"]
