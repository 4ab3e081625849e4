"""What a step decides by the device: precision and compilation."""

import pytest
import torch

from metaunetr.errors import InputError
from metaunetr_training.training import step
from metaunetr_training.training.distributed import ProcessGroup
from metaunetr_training.training.networks import build_network
from tiny_prepared import tiny_recipe

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)


def network_of(recipe):
    return build_network(recipe.network, 4, recipe.training.patch)


@pytest.mark.parametrize(("capability", "hip", "expected"), [
    ((9, 0), None, torch.bfloat16),
    ((8, 0), None, torch.bfloat16),
    ((7, 5), None, torch.float32),  # emulates it
    ((7, 5), "6.4", torch.bfloat16),  # AMD
])
def test_bfloat16_is_chosen_where_a_gpu_has_it(monkeypatch, capability, hip, expected):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(torch.version, "hip", hip)
    recipe = tiny_recipe("training.precision=auto")
    assert step.working_dtype(recipe.training, network_of(recipe), GPU) is expected


@pytest.mark.parametrize(("family", "depth", "more", "expected"), [
    ("SwinUNETR", 96, "[]", torch.bfloat16), ("SwinUNETR", 64, "[]", torch.float32),
    ("SwinUNETR", 32, "[]", torch.float32), ("SwinUNETR", 96, "[[64, 64, 64]]", torch.float32),
    ("MetaUNETR", 32, "[]", torch.bfloat16),
])
def test_baselines_are_not_trained_in_bfloat16_where_a_feature_map_has_a_depth_of_two(
    monkeypatch, family, depth, more, expected
):
    monkeypatch.setattr(step, "fast_cpu_dtype", lambda: torch.bfloat16)
    changes = (f"network.family={family}", "network.feature_size=12",
               f"training.patch=[{depth}, 64, 64]",
               f"training.more_patches={more}")
    recipe = tiny_recipe("training.precision=auto", *changes)
    assert step.working_dtype(recipe.training, network_of(recipe), CPU) is expected
    wished = tiny_recipe("training.precision=bfloat16", *changes)
    if expected is torch.float32:
        with pytest.raises(InputError, match=r"wrong gradients for patches of \((64|32), "):
            step.working_dtype(wished.training, network_of(wished), CPU)
    else:
        assert step.working_dtype(wished.training, network_of(wished), CPU) is expected


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
        network = network_of(recipe)
        step.Step(network, recipe, ProcessGroup(0, 1, CPU))
    assert calls == ["reset", "compile"] * 2
