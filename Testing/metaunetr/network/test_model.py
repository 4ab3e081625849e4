"""The network: sizes, features by name, blocks against plain PyTorch, what a card may say."""

import json

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from metaunetr.errors import BundleError
from metaunetr.network import architecture, build, catalogue, mixers
from metaunetr.network.catalogue import count_gflops, parameter_count
from metaunetr.network.layers import Convolution, ResidualBlock, channel_norm, instance_norm

TINY = architecture(
    "efficient", "tricruci_convolution", classes=3, feature_size=4, depths=[1, 2, 1]
)


@pytest.mark.parametrize(
    ("size", "mixer", "feature_size", "classes", "millions"),
    [
        ("efficient", "tricruci_convolution", 24, 9, 2.391513),  # the first bundled model
        ("efficient", "tricruci_convolution", 48, 14, 9.54),
        ("light", "tricruci_convolution", 32, 14, 4.50),
        ("published", "published_convolution", 48, 14, 68.87),
    ],
)
def test_parameters(size, mixer, feature_size, classes, millions):
    count = parameter_count(architecture(size, mixer, classes, feature_size))
    assert count / 1e6 == pytest.approx(millions, abs=0.005)


def test_three_stages_save_eighty_percent_of_swinunetr():
    for mixer in mixers():
        if mixer.name.startswith("tricruci"):
            described = architecture("efficient", mixer.name, classes=14, patch=[96, 96, 96])
            assert parameter_count(described) <= 0.2 * 62.2e6, mixer.name


@pytest.mark.parametrize(
    ("size", "names"),
    [
        ("efficient", "embed stage1 stage2 stage3 up1 up2 up3 up4 scores"),
        ("light", "embed stage1 stage2 stage3 up1 up2 up3 up4 scores"),
        ("published", "embed stage1 stage2 stage3 stage4 bottleneck up1 up2 up3 up4 up5 scores"),
    ],
)
def test_features_by_name(size, names):
    net = build(architecture(size, "identity", classes=3, feature_size=4)).eval()
    d = net.stride
    x = torch.randn(1, 1, d, d, 2 * d)
    with torch.no_grad():
        features = net.features(x)
        torch.testing.assert_close(features["scores"], net(x))
    assert list(features) == names.split()
    assert features["embed"].shape == (1, 4, d // 2, d // 2, d)
    assert features["stage2"].shape == (1, 16, d // 8, d // 8, d // 4)
    assert features["up1"].shape[2:] == features[f"stage{len(net.stages) - 1}"].shape[2:]


@pytest.mark.parametrize(("size", "gradient", "dtype"), [
    *(("efficient", gradient, dtype) for gradient in (True, False)
      for dtype in (torch.float32, torch.bfloat16)),
    ("light", True, torch.bfloat16), ("published", True, torch.bfloat16),
])
def test_the_deepest_map_may_be_one_voxel(size, gradient, dtype):
    net = build(architecture(size, "tricruci_convolution", classes=3, feature_size=4))
    x = torch.randn(1, 1, *[net.stride] * 3)
    with torch.set_grad_enabled(gradient), torch.autocast("cpu", dtype, enabled=dtype != x.dtype):
        scores = net(x)
    assert scores.shape == (1, 3, *x.shape[2:]) and torch.isfinite(scores).all()
    if gradient:
        scores.float().square().mean().backward()
        assert all(torch.isfinite(p.grad).all() for p in net.parameters())


def test_gradients_of_two_slices_in_bfloat16_are_those_in_float32():
    layer = Convolution(64, 32)
    for seed in range(20):
        for size in (64, 256, 4096, 64 * 32 * 27):  # what is freed here is given out again below
            torch.full((size,), 1e30)
        x = torch.randn(1, 64, 2, 4, 4, generator=torch.Generator().manual_seed(seed))
        gradients = []
        for enabled in (True, False):
            with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
                y = layer(x)
            gradients.append(torch.autograd.grad(y.float().square().sum(), layer.weight)[0])
        torch.testing.assert_close(*gradients, rtol=0.05, atol=0.05)


def test_features_are_not_overwritten_by_later_layers():
    net, x = build(TINY).eval(), torch.randn(1, 1, 32, 32, 32)
    with torch.no_grad():
        embedded = net.features(x)["embed"]
        torch.testing.assert_close(embedded, channel_norm(net.embed(x)))


@pytest.mark.parametrize("batch", [1, 2])
def test_instance_norm_is_that_of_pytorch(batch):
    x = 5 + 3 * torch.randn(batch, 6, 4, 5, 7)
    expected = F.instance_norm(x, eps=1e-5)
    for memory_format in (torch.contiguous_format, torch.channels_last_3d):
        for gradient in (True, False):
            y = instance_norm(x.to(memory_format=memory_format).clone().requires_grad_(gradient))
            torch.testing.assert_close(y, expected, atol=1e-5, rtol=0)
            assert batch > 1 or y.is_contiguous(memory_format=memory_format)


@pytest.mark.parametrize("piece", [100, 2**22])  # several slices at a time, and all
def test_instance_norm_works_in_place_in_half_precision(monkeypatch, piece):
    monkeypatch.setattr("metaunetr.network.layers.PIECE", piece)
    x = (5 + 3 * torch.randn(2, 6, 5, 4, 7)).bfloat16().to(memory_format=torch.channels_last_3d)
    expected = F.instance_norm(x.float(), eps=1e-5)
    y = instance_norm(x)
    torch.testing.assert_close(y.float(), expected, atol=0.02, rtol=0)
    assert y.data_ptr() == x.data_ptr()


@pytest.mark.parametrize("in_channels", [1, 2, 6])
def test_a_residual_block_is_its_formula(in_channels):
    torch.manual_seed(0)
    block, x = ResidualBlock(in_channels, 6), torch.randn(2, in_channels, 6, 7, 8)
    y = F.leaky_relu(F.instance_norm(F.conv3d(x, block.conv1.weight, padding=1)), 0.01)
    y = F.instance_norm(F.conv3d(y, block.conv2.weight, padding=1))
    plain = block.shortcut is None
    shortcut = x if plain else F.instance_norm(F.conv3d(x, block.shortcut.weight))
    expected = F.leaky_relu(y + shortcut, 0.01)
    torch.testing.assert_close(block(x), expected, atol=1e-4, rtol=0)
    with torch.inference_mode():
        torch.testing.assert_close(block(x.clone()), expected, atol=1e-4, rtol=0)


def test_a_residual_block_leaves_its_input_alone():
    x = torch.randn(1, 6, 4, 4, 4)
    before = x.clone()
    with torch.inference_mode():
        ResidualBlock(6, 6)(x)
    assert torch.equal(x, before)


def test_a_convolution_has_the_gradients_of_pytorch():
    torch.manual_seed(1)
    ours, theirs = Convolution(3, 4), nn.Conv3d(3, 4, 3, padding=1, bias=False)
    ours.load_state_dict(theirs.state_dict())
    for layer in (ours, theirs):
        layer(torch.linspace(-1, 1, 3 * 5 * 6 * 7).view(1, 3, 5, 6, 7)).square().sum().backward()
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 1, 32, 32, 40), r"divisible by 16, not \(32, 32, 40\)"),
        ((1, 2, 32, 32, 32), r"must be \(B, 1, D, H, W\), not \(1, 2, 32, 32, 32\)"),
        ((1, 32, 32, 32), r"must be \(B, 1, D, H, W\), not \(1, 32, 32, 32\)"),
    ],
)
def test_an_impossible_input_is_refused(shape, message):
    with pytest.raises(ValueError, match=message):
        build(TINY)(torch.zeros(shape))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"family": "UNet"}, "family must be 'MetaUNETR', not 'UNet'"),
        ({"dropout": 0.1}, "not 'dropout'"),
        ({"mixer": "tricrucy"}, "not 'tricrucy'"),
        ({"activation": "relu"}, "gelu, gelu_tanh, not 'relu'"),
        ({"mixer_options": {"kernel": 4}}, "kernel must be odd, not 4"),
        ({"mixer_options": {"kernels": 7}}, "kernels"),
        ({"mixer_options": {"kernel": [7, 7]}}, "describes no network"),
        ({"feature_size": "many"}, "describes no network"),
    ],
)
def test_an_architecture_that_describes_no_network(change, message):
    with pytest.raises(BundleError, match=message):
        build({**TINY, **change})


def test_an_architecture_that_lacks_something():
    with pytest.raises(BundleError, match="must give 'classes'"):
        build({key: value for key, value in TINY.items() if key != "classes"})


def test_an_architecture_survives_json():
    described = architecture("published", "published_self_attention", 14, 12, patch=[64, 64, 64])
    names = [n for n, _ in build(json.loads(json.dumps(described))).named_parameters()]
    assert names == [n for n, _ in build(described).named_parameters()]


def test_an_option_given_as_a_list_holds_one_value_a_stage():
    net = build({**TINY, "mixer_options": {"kernel": [3, 5, 7]}})
    kernels = [stage.blocks[0].mixer.along["d"].weight.shape[-1] for stage in net.stages]
    assert kernels == [3, 5, 7]


def test_the_catalogue_counts_operations_and_measures_time():
    names = ["identity", "tricruci_convolution", "tricruci_mamba"]
    rows = catalogue(feature_size=4, patch=(16, 16, 16), latency=True, names=names)
    assert [row.mixer for row in rows] == names
    floor = rows[0]
    assert all(row.gflops > floor.gflops and row.parameters > floor.parameters for row in rows[1:])
    assert all(row.latency > 0 for row in rows)


def test_operations_are_those_counted_by_hand():
    described = architecture("efficient", "identity", classes=2, feature_size=4, depths=[1])
    full, half, quarter = 8**3, 4**3, 2**3  # voxels of an 8³ patch at each level
    fuse = 27 * (8 * 4 + 4 * 4) + 8 * 4  # residual block from 8 to 4 channels
    multiplications = (
        half * 8 * 4  # embed
        + half * 2 * 4 * 16  # MLP of the block
        + quarter * 8 * 4 * 8  # down
        + full * 27 * (4 + 16)  # skip of the input; its shortcut is no convolution
        + half * 27 * (16 + 16)  # skip of h0
        + half * 8 * 4 + half * fuse  # up from quarter to half resolution
        + full * 4 * 4 + full * fuse  # up to full resolution
        + full * 4 * 2  # head
    )  # fmt: skip
    assert count_gflops(described, (8, 8, 8)) == pytest.approx(2e-9 * multiplications)
