"""`train` on the command line: new, repeated, from a model; clear errors."""

from __future__ import annotations

import pytest

from metaunetr.cli import main
from metaunetr_training.cli import parser
from metaunetr_training.training.run import Run
from tiny_bundle import write_bundle
from tiny_prepared import tiny_recipe, write_prepared


@pytest.fixture
def command(tmp_path):
    """The command on tiny cases; further arguments follow."""
    write_prepared(tmp_path / "prepared")
    (tmp_path / "tiny.yaml").write_text(tiny_recipe("training.iterations=2").to_yaml())

    def run(*arguments: str) -> int:
        return main(["train", str(tmp_path / "run"), *map(str, arguments)], parser)

    run.new = ("--recipe", tmp_path / "tiny.yaml", "--prepared", tmp_path / "prepared")
    return run


def test_a_new_run_then_nothing_but_its_folder(command, tmp_path, capsys):
    assert command(*command.new, "--set", "training.seed=3", "--fold", "1",
                   "--set", "training.validation_cases=2") == 0
    assert "2 iterations" in capsys.readouterr().out
    assert command() == 0
    run = Run.open(tmp_path / "run")
    assert (run.recipe.training.seed, run.fold) == (3, 1)
    assert run.record["validation"]["cases"] == ["tiny/001", "tiny/003"]


def test_from_a_model_its_network_and_organs_and_those_of_the_recipe(command, tmp_path):
    model = write_bundle(tmp_path / "model", preprocessing={
        "spacing_mm": [6, 6, 6], "hu_window": [-175, 250], "antialias": 0.35,
        "body_crop": {"value": 0.05, "share": 0.02}},
        architecture={"family": "MetaUNETR", "in_channels": 1, "classes": 5, "feature_size": 8,
                      "mixer": "tricruci_convolution", "mixer_options": {"kernel": 7},
                      "depths": [2, 2, 2], "bottleneck": False, "activation": "gelu_tanh"},
        patch=[32, 32, 32], smallest_window=[32, 32, 32], largest_window=[32, 48, 48])
    assert command(*command.new, "--from", model, "--set", "training.foreground=0.5",
                   "--set", "organs=[spleen, right kidney, left kidney, liver, aorta]") == 0
    run = Run.open(tmp_path / "run")
    assert run.recipe.network.feature_size == 8
    assert run.recipe.training.foreground == 0.5
    assert run.recipe.organs[-1] == "aorta"
    assert run.record["start"] == "tiny"


@pytest.mark.parametrize(("arguments", "code", "message"), [
    ([], 3, "run: is no folder of a training run"),
    (["--recipe", "fast"], 3, "needs both --recipe and --prepared"),
    (["--recipe", "slow", "--prepared", "."], 3, "slow: there is no such recipe"),
    (["--recipe", "fast", "--prepared", "nowhere"], 3, "nowhere: is no prepared folder"),
    (["--recipe", "fast", "--prepared", ".", "--set", "training.speed=1"], 3, "not 'speed'"),
    (["--recipe", "fast", "--prepared", ".", "--from", "nobody"], 4, "No model is called 'nobody'"),
    (["--fold", "1"], 3, "--fold need --recipe and --prepared"),
    (["--max-minutes", "5"], 3, "goes on as it was begun"),
    (["--set", "training.seed=1"], 3, "goes on as it was begun"),
    (["--fold", "-1"], 2, "must be a whole number from 0"),
    (["--max-minutes", "soon"], 2, "must be a number"),
])
def test_what_is_wrong_is_said_in_a_sentence(command, capsys, arguments, code, message):
    assert command(*arguments) == code
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said


def test_a_device_that_there_is_not(command, tmp_path, capsys):
    assert command(*command.new, "--device", "cuda:77") == 6
    assert "no device cuda:77" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_training_on_every_case_holds_none_out(command, tmp_path, capsys):
    assert command(*command.new, "--fold", "none") == 0
    assert "no case held out" in capsys.readouterr().out
    run = Run.open(tmp_path / "run")
    assert run.record["training"] == [f"tiny/{n:03d}" for n in range(4)]
    assert "validation" not in run.record


def test_too_little_shared_memory(command, monkeypatch, capsys):
    def batches(*args):
        raise RuntimeError("unable to allocate shared memory(shm) for file </torch_24_2>")

    monkeypatch.setattr("metaunetr_training.training.loop.batches", batches)
    assert command(*command.new) == 6
    assert "/dev/shm is too small for the workers that cut patches" in capsys.readouterr().err
