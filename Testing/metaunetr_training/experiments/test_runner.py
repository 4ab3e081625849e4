"""`experiment mixers`: interrupted and continued, every network by one recipe."""

import json
from dataclasses import asdict

import pytest
import torch

from ending_clock import Ending
from metaunetr.errors import Cancelled, DeviceError, InputError
from metaunetr_training.data import prepare
from metaunetr_training.data.datasets import dataset_cases
from metaunetr_training.errors import TrainingError
from metaunetr_training.experiments import costs, figures, results, runner
from metaunetr_training.experiments.plan import plan
from metaunetr_training.experiments.runner import points, run_all
from metaunetr_training.experiments.unattended import Clock
from metaunetr_training.recipe import load
from tiny_dataset import write_dataset
from tiny_prepared import tiny_recipe

RECIPE = tiny_recipe("training.iterations=4", "training.validate_every=1",
                     "training.checkpoint_every=1")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Two phantoms, one of them held out."""
    folder = tmp_path_factory.mktemp("data")
    cases = dataset_cases("general", write_dataset(folder / "raw", ("a", "b")))
    return prepare.prepare(
        prepare.plan(folder / "prepared", RECIPE.preprocessing, cases, jobs=1), lambda line: None)


@pytest.fixture(autouse=True)
def measured_here(monkeypatch):
    """No process for each network: its memory then is not to be looked at, all else is."""
    def measure(path, device):
        return json.dumps(asdict(costs.measure(load(path), device)))
    monkeypatch.setattr(costs, "_in_own_process", measure)


def ignore(event):
    pass


@pytest.mark.slow
def test_it_goes_on_where_the_clock_ended_it(prepared, tmp_path, monkeypatch):
    planned = plan(RECIPE, 2, ("identity", "tricruci_self_attention"))
    names = [each.folder for each in planned]
    assert names == ["identity-0", "tricruci_self_attention-0", "identity-1",
                     "tricruci_self_attention-1"]
    steps = []

    def report(event):
        if event["event"] == "train":
            steps.append(event["iteration"])

    ended = 0
    monkeypatch.setattr(runner, "PATCHES", 4)
    while True:
        try:
            assert run_all(planned, prepared, 0, tmp_path, "cpu", Ending(7), report) == []
            break
        except Cancelled:
            ended += 1
    assert ended > 4, "in training, in tests and in CKA"
    assert len(steps) < 2 * 4 * len(planned), "it goes on from checkpoints"
    log = (tmp_path / "log.txt").read_text().splitlines()
    assert [line.split(": ")[1] for line in log] == names
    assert all("4 steps in" in line and "(n = 1)" in line for line in log)
    rows = results.read(tmp_path / "networks.csv")
    assert [f"{row['network']}-{row['seed']}" for row in rows] == names
    assert all(float(row["cpu_step_seconds"]) > 0 and row["iterations"] == "4" for row in rows)
    scores = results.read(tmp_path / "scores.csv")
    assert len({tuple(row[key] for key in ("network", "seed", "case", "organ"))
                for row in scores}) == len(scores) == 4 * 3
    curves = results.read(tmp_path / "curves.csv")
    assert [row["iteration"] for row in curves] == ["1", "2", "3", "4"] * 4
    assert {row["iteration"] for row in results.read(tmp_path / "cka.csv")} == {"1", "2", "4"}

    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.csv")}
    seen = []
    run_all(planned, prepared, 0, tmp_path, "cpu", Clock(3), seen.append)
    assert not seen, "nothing is left to do"
    assert before == {path.name: path.read_bytes() for path in tmp_path.glob("*.csv")}

    written = {path.name for path in figures.make(tmp_path)}
    assert written == {"results.md", "dice.png", "differences.png", "cka_within.png",
                       "cka_between.png"}
    text = (tmp_path / "results.md").read_text()
    assert "| tricruci self attention | 2 |" in text
    assert "No mixer is better than identity by more than 0.02: undecided." in text


def test_features_are_compared_at_three_points():
    assert points(tiny_recipe("training.iterations=1200", "training.validate_every=120")) == (
        120, 600, 1200)
    assert points(tiny_recipe("training.iterations=5", "training.validate_every=100")) == (5,)


@pytest.mark.slow
@pytest.mark.parametrize(("error", "text"), [
    (TrainingError("the loss is nan"), "the loss is nan"),
    (DeviceError("No memory."), "No memory."),
    (torch.OutOfMemoryError("CUDA out of memory.\nTried 2 GiB"), "Not enough memory"),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "Not enough memory"),
    (costs.MeasurementError("measuring failed"), "measuring failed"),
])
def test_a_network_that_fails_is_left_out(prepared, tmp_path, monkeypatch, error, text):
    def one(each, *arguments):
        if each.name == "identity":
            raise error
        return "done"

    monkeypatch.setattr(runner, "_one", one)
    failed = run_all(plan(RECIPE, 1, ("identity", "pooling")), prepared, 0, tmp_path, "cpu",
                     Clock(None), ignore)
    assert len(failed) == 1 and failed[0].startswith(f"identity-0: {text}")
    assert f"identity-0: failed: {text}" in (tmp_path / "log.txt").read_text()
    assert "pooling-0: done" in (tmp_path / "log.txt").read_text()


def test_another_error_ends_it(prepared, tmp_path, monkeypatch):
    def one(*arguments):
        raise RuntimeError("a bug")

    monkeypatch.setattr(runner, "_one", one)
    with pytest.raises(RuntimeError, match="a bug"):
        run_all(plan(RECIPE, 1, ("identity",)), prepared, 0, tmp_path, "cpu", Clock(None), ignore)


def test_a_device_that_there_is_not_ends_it_before_any_is_trained(prepared, tmp_path):
    with pytest.raises(DeviceError, match="no device cuda:99"):
        run_all(plan(RECIPE, 1, ("pooling",)), prepared, 0, tmp_path / "out", "cuda:99",
                Clock(None), ignore)
    assert not (tmp_path / "out").exists()


def test_several_processes_are_refused(prepared, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="one process"):
        run_all(plan(RECIPE, 1, ("pooling",)), prepared, 0, tmp_path, "cpu", Clock(None), ignore)
