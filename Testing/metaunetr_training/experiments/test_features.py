"""The maps that CKA compares are those that the network computes, by names that people know."""

import pytest
import torch
from torch import nn

from metaunetr.network import architecture, build
from metaunetr_training.experiments.baselines import build_baseline
from metaunetr_training.experiments.features import levels_and_layers

X = torch.rand(1, 1, 32, 32, 64, generator=torch.Generator().manual_seed(0))


def test_levels_of_metaunetr_are_its_features_and_layers_those_of_its_encoder():
    network = build(architecture("efficient", "tricruci_convolution", 3, 4)).eval()
    levels, layers = levels_and_layers(network, X)
    assert list(levels) == ["embed", "stage1", "stage2", "stage3", "up1", "up2", "up3", "up4",
                            "scores"]
    assert list(layers) == [f"{stage}{layer}" for stage in (1, 2, 3)
                            for layer in (".1 mixer", ".1", ".2 mixer", ".2", "")]
    assert torch.equal(layers["3"], levels["stage3"])
    with torch.inference_mode():
        stage = network.stages[0]
        after_blocks = stage.blocks(network.embed(X).movedim(1, -1))
        assert torch.allclose(layers["1.2"], after_blocks, atol=1e-5)
        assert torch.allclose(levels["scores"], network(X), atol=1e-5)


@pytest.mark.parametrize(
    ("family", "first", "last"),
    [("SwinUNETR", "encoder1", "out"), ("U-Net", "down1", "head")],
)
def test_levels_of_a_baseline_go_from_the_input_to_the_scores(family, first, last):
    network = build_baseline(family, 3, 12, (32, 32, 64)).eval()
    levels, layers = levels_and_layers(network, X)
    assert not layers
    assert list(levels)[:: len(levels) - 1] == [first, last]
    with torch.inference_mode():
        assert torch.equal(levels[last], network(X))
        # not overwritten by what comes later
        one = network.encoder1(X) if family == "SwinUNETR" else network.downs[0](X)
        assert torch.equal(levels[first], one)
    assert not any(module._forward_hooks for module in network.modules()), "hooks are removed"


def test_scores_do_not_change_by_being_watched():
    network = build(architecture("efficient", "pooling", 3, 4)).eval()
    assert isinstance(network, nn.Module)
    with torch.inference_mode():
        assert torch.equal(levels_and_layers(network, X)[0]["scores"], network(X))
