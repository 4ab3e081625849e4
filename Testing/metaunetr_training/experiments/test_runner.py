"""`experiment mixers` and `stages`: every network by one recipe, and a table that says so."""

import csv
import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from metaunetr.errors import DeviceError, InputError, MetaUNETRError
from metaunetr_training.errors import TrainingError
from metaunetr_training.experiments import costs, variants
from metaunetr_training.experiments.mixers import compare_mixers
from metaunetr_training.experiments.stages import compare_stages, reduction
from metaunetr_training.recipe import load
from tiny_prepared import tiny_recipe, write_prepared

TWO_STEPS = ("training.iterations=2", "training.validate_every=1", "training.validation_cases=1")
# the published size leaves one voxel of 32³, which has no variance
LARGER = ("training.patch=[32, 32, 64]", "inference.largest_window=[32, 64, 64]")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return write_prepared(tmp_path_factory.mktemp("data"))


@pytest.fixture
def measured_here(monkeypatch):
    """No process for each network: its memory then is not to be looked at, all else is."""
    def measure(path, device):
        return json.dumps(asdict(costs.measure(load(path), device)))
    monkeypatch.setattr(costs, "_in_own_process", measure)


def read(path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_mixers_and_baselines_are_trained_once_and_tabled(prepared, tmp_path, measured_here,
                                                          monkeypatch):
    events = []
    arguments = (tiny_recipe(*TWO_STEPS), prepared, 0, tmp_path / "out",
                 ("pooling",))
    monkeypatch.setattr(variants, "FAMILIES", ("U-Net",))  # quick to train
    rows = compare_mixers(*arguments, baselines=True, device="cpu", report=events.append)
    names = ["pooling", "U-Net"]
    assert [row.name for row in rows] == names
    assert [e["name"] for e in events if e["event"] == "variant"] == names
    assert all(row.run.recipe.training == arguments[0].training for row in rows)
    table = read(tmp_path / "out" / "table.csv")
    assert [row["name"] for row in table] == names
    for row in table:
        assert float(row["gflops"]) > 0 and float(row["cpu_seconds"]) > 0
        assert 0 <= float(row["dice"]) <= 1 and int(row["iterations"]) == 2
        assert row["gpu_seconds"] == "" or float(row["gpu_seconds"]) > 0
    assert int(table[0]["parameters"]) < int(table[1]["parameters"])
    text = (tmp_path / "out" / "table.md").read_text()
    assert "Budget of each network: 2 iterations" in text
    assert "trained on 2 cases of tiny" in text and "fold 0, n = 1." in text
    assert "nothing about real CT" in text
    assert (tmp_path / "out" / "dice.png").stat().st_size > 10_000

    steps = []
    again = compare_mixers(*arguments, baselines=True, device="cpu", report=steps.append)
    assert [row.dice for row in again] == [row.dice for row in rows]
    assert not [e for e in steps if e["event"] == "train"], "finished runs are not trained again"


def test_stages_count_the_reduction(prepared, tmp_path, measured_here):
    recipe = variants.with_budget(tiny_recipe(*TWO_STEPS, *LARGER), None, 1)
    rows = compare_stages(recipe, prepared, 0, tmp_path / "out", device="cpu")
    four, three = (row.costs for row in rows)
    assert [row.run.recipe.network.size for row in rows] == ["published", "efficient"]
    fewer = 100 * (1 - three.parameters / four.parameters)
    assert 75 < fewer < 95
    text = (tmp_path / "out" / "table.md").read_text()
    assert f"{fewer:.0f}% fewer than published ({four.parameters / 1e6:.2f} M)" in text
    assert "f = 48, 14 classes" in text and "SwinUNETR (62.19 M)" in text
    assert "SwinUNETR" not in reduction(recipe), "which has no size f = 4"


def test_a_network_that_does_not_fit_is_named_before_any_is_trained(prepared, tmp_path):
    recipe = tiny_recipe("training.patch=[32, 48, 64]")
    with pytest.raises(InputError, match=r"four-stages-and-bottleneck: .* divisible by 32"):
        compare_stages(recipe, prepared, 0, tmp_path / "out", device="cpu")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("error", "text"), [
    (TrainingError("the loss is nan"), "the loss is nan"),
    (DeviceError("No memory."), "No memory."),
    (torch.OutOfMemoryError("CUDA out of memory.\nTried 2 GiB"), "Not enough memory"),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "Not enough memory"),
])
def test_a_network_that_fails_has_no_run(monkeypatch, error, text):
    def train(recipe, *arguments, **more):
        if recipe.network.mixer == "identity":
            raise error
        return "run"

    monkeypatch.setattr(variants, "train", train)
    events = []
    both = [variants.mixer(tiny_recipe(), name) for name in ("identity", "pooling")]
    runs = variants.train_all(both, None, 0, Path("out"), "cpu", events.append)
    assert list(runs) == [(both[0], None), (both[1], "run")]
    (failed,) = (event["text"] for event in events if event["event"] == "failed")
    assert failed.startswith(f"identity: {text}")


def test_a_network_that_fails_is_left_out_and_the_others_are_tabled(
    prepared, tmp_path, monkeypatch
):
    train = variants.train

    def fail_once(recipe, *arguments, **more):
        if recipe.network.mixer == "identity":
            raise TrainingError("the loss is nan")
        return train(recipe, *arguments, **more)

    monkeypatch.setattr(variants, "train", fail_once)
    rows = compare_mixers(tiny_recipe("training.iterations=1"), prepared, 0, tmp_path / "out",
                          ("identity", "pooling"), device="cpu")
    assert [row.name for row in rows] == ["pooling"]


def test_a_network_that_cannot_be_measured_is_left_out(prepared, tmp_path, monkeypatch):
    def costs(recipe, folder, device):
        raise MetaUNETRError("measuring failed")

    monkeypatch.setattr("metaunetr_training.experiments.runner.costs", costs)
    events = []
    assert compare_mixers(tiny_recipe("training.iterations=1"), prepared, 0, tmp_path / "out",
                          ("identity",), device="cpu", report=events.append) == []
    assert {"event": "failed", "text": "identity: measuring failed"} in events


def test_a_device_that_there_is_not_ends_it_before_any_is_trained(prepared, tmp_path):
    with pytest.raises(DeviceError, match="no device cuda:99"):
        compare_mixers(tiny_recipe(), prepared, 0, tmp_path / "out", ("pooling",),
                       device="cuda:99")
    assert not (tmp_path / "out").exists()


def test_several_processes_are_refused(prepared, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="one process"):
        compare_mixers(tiny_recipe(), prepared, 0, tmp_path / "out", ("pooling",))


@pytest.mark.parametrize(
    ("minutes", "iterations", "said"),
    [(None, None, "4 iterations"), (5.0, None, "5 minutes"), (None, 7, "7 iterations")],
)
def test_the_budget_is_the_same_for_all(minutes, iterations, said):
    assert variants.budget(variants.with_budget(tiny_recipe(), minutes, iterations)) == said


def test_options_of_the_recipes_mixer_do_not_reach_another():
    recipe = tiny_recipe("network.mixer_options={kernel: 5}")
    assert variants.mixer(recipe, "tricruci_convolution").recipe.network.mixer_options
    assert not variants.mixer(recipe, "pooling").recipe.network.mixer_options
