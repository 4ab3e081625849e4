"""What a step decides by the device: precision and compilation."""

import pytest
import torch

from metaunetr_training.training import step
from metaunetr_training.training.distributed import ProcessGroup
from metaunetr_training.training.networks import build_network
from tiny_prepared import tiny_recipe

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)


@pytest.mark.parametrize(("capability", "hip", "expected"), [
    ((9, 0), None, torch.bfloat16),
    ((8, 0), None, torch.bfloat16),
    ((7, 5), None, torch.float32),  # emulates it
    ((7, 5), "6.4", torch.bfloat16),  # AMD
])
def test_bfloat16_is_chosen_where_a_gpu_has_it(monkeypatch, capability, hip, expected):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(torch.version, "hip", hip)
    assert step.working_dtype("auto", GPU) is expected


@pytest.mark.parametrize(("wish", "device", "triton", "compiled"), [
    ("auto", GPU, True, True), ("auto", GPU, False, False), ("auto", CPU, True, False),
    ("yes", CPU, False, True), ("no", GPU, True, False),
])
def test_networks_are_compiled_where_it_works(monkeypatch, wish, device, triton, compiled):
    monkeypatch.setattr(step, "has_triton", lambda: triton)
    assert step._use_compile(wish, device) is compiled


def test_networks_before_do_not_count_to_the_limit_of_compilations(monkeypatch):
    calls = []
    monkeypatch.setattr(torch.compiler, "reset", lambda: calls.append("reset"))
    monkeypatch.setattr(torch, "compile", lambda network: calls.append("compile") or network)
    recipe = tiny_recipe("training.compile=yes")
    for _ in range(2):
        network = build_network(recipe.network, 4, recipe.training.patch)
        step.Step(network, recipe, ProcessGroup(0, 1, CPU))
    assert calls == ["reset", "compile"] * 2
