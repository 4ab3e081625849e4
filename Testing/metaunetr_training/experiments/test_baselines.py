"""Baselines are the networks that their papers describe, and fit in where MetaUNETR does."""

import pytest
import torch
from monai.networks.nets import DynUNet
from torch import nn

from metaunetr.errors import InputError
from metaunetr_training.experiments.baselines import FAMILIES, UNet, build_baseline


def test_swin_unetr_has_the_published_number_of_parameters():
    network = build_baseline("SwinUNETR", 14, 48, (96, 96, 96))
    parameters = sum(p.numel() for p in network.parameters())
    assert parameters == pytest.approx(62.2e6, abs=0.05e6)


@pytest.mark.parametrize(
    ("patch", "stride", "channels"),
    [
        ((32, 32, 32), 8, [32, 64, 128, 256]),
        ((64, 80, 112), 16, [32, 64, 128, 256, 320]),
        ((96, 96, 96), 16, [32, 64, 128, 256, 320]),
        ((128, 128, 128), 32, [32, 64, 128, 256, 320, 320]),
    ],
)
def test_the_unet_is_nnunets_plan_for_the_patch(patch, stride, channels):
    with torch.device("meta"):
        network = build_baseline("U-Net", 14, 32, patch)
    convolutions = [*network.downs, network.bottleneck]
    assert network.stride == stride
    assert [block.conv2.conv.out_channels for block in convolutions] == channels
    norms = [m for m in network.modules() if "Norm" in type(m).__name__]
    activations = [m for m in network.modules() if isinstance(m, nn.LeakyReLU)]
    assert norms and all(isinstance(m, nn.InstanceNorm3d) and m.affine for m in norms)
    assert activations and all(m.negative_slope == 0.01 for m in activations)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_training_step_reaches_every_weight(family):
    network = build_baseline(family, 3, 12, (32, 32, 64)).train()
    scores = network(torch.rand(1, 1, 32, 32, 64))
    assert scores.shape == (1, 3, 32, 32, 64)
    scores.square().mean().backward()
    idle = [name for name, p in network.named_parameters() if p.grad is None]
    assert not idle


def test_the_unet_computes_what_dynunet_does_and_holds_every_weight_once():
    made = DynUNet(3, 1, 2, [3] * 3, [1, 2, 2], [2, 2], filters=[4, 8, 16])
    network, x = UNet(made), torch.rand(1, 1, 16, 16, 16)
    assert torch.equal(network(x), made(x))
    assert len({value.data_ptr() for value in network.state_dict().values()}) == \
        len(network.state_dict()) == len(list(network.parameters()))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("UNETR", 3, 12, (64, 64, 64)), "MetaUNETR, SwinUNETR, U-Net"),
        (("SwinUNETR", 3, 16, (64, 64, 64)), "divisible by 12"),
        (("SwinUNETR", 3, 12, (32, 32, 32)), "longer than 32"),
        (("U-Net", 3, 12, (7, 32, 32)), "at least 8"),
    ],
)
def test_what_cannot_be_built_is_said(arguments, said):
    with pytest.raises(InputError, match=said):
        build_baseline(*arguments)
