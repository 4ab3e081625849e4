"""Costs are measured in a process of their own, once."""

import pytest
import torch

from metaunetr.errors import MetaUNETRError
from metaunetr_training.experiments import costs
from metaunetr_training.recipe import load
from tiny_prepared import tiny_recipe

CPU = torch.device("cpu")


def network(family: str, feature_size: int = 24):
    return tiny_recipe(f"network.family={family}",
                       f"network.feature_size={feature_size}").network


@pytest.mark.slow
def test_memory_and_time_come_from_a_process_that_does_nothing_else(tmp_path, monkeypatch):
    recipe = tiny_recipe()
    found = costs.costs(recipe, tmp_path, CPU)
    assert found.gpu is None, "it is not asked for"
    assert 0 < found.cpu.seconds < 10
    assert 1 < found.cpu.inference_mb < found.cpu.training_mb < 1000
    assert load(tmp_path / "recipe.yaml") == recipe
    monkeypatch.setattr(costs, "_in_own_process", None)
    assert costs.costs(recipe, tmp_path, CPU) == found, "measured only once"


def test_a_process_that_fails_is_said_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", "false")
    with pytest.raises(MetaUNETRError, match=r"recipe\.yaml: measuring .* failed: exit code 1"):
        costs.costs(tiny_recipe(), tmp_path, CPU)
    assert not (tmp_path / "costs.json").exists()


@pytest.mark.parametrize(
    ("family", "low", "high"),
    [
        # nnU-Net's plan at f = 32; by hand, its first level alone: 2·27·(1·32 + 32·32)·96³ = 50
        ("U-Net", 390, 410),
        # 329 GFLOPs in the paper of Swin UNETR's pretraining counts a multiply-add as one
        ("SwinUNETR", 600, 680),
    ],
)
def test_operations_of_baselines_are_counted(family, low, high):
    feature_size = {"U-Net": 32, "SwinUNETR": 48}[family]
    assert low < costs.gflops(network(family, feature_size), 14, (96, 96, 96)) < high
