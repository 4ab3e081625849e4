"""Every registered mixer, and what each one-dimensional mixer promises."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from metaunetr.errors import BundleError
from metaunetr.network import architecture, build, mixer, mixers
from metaunetr.network.mixers import convolution
from metaunetr.network.mixers import mamba as mamba_module
from metaunetr.network.mixers.attention import SelfAttention1d
from metaunetr.network.mixers.convolution import (
    FEW,
    Convolution1d,
    depthwise,
    grouped,
    shifted,
)
from metaunetr.network.mixers.global_filter import GlobalFilter1d, GlobalFilter3d
from metaunetr.network.mixers.mamba import Mamba1d, selective_scan
from metaunetr.network.mixers.mlp import TokenMLP1d
from metaunetr.network.mixers.recurrence import LSTM1d
from metaunetr.network.registry import Place, register

NAMES = [m.name for m in mixers()]
PATCH = (16, 24, 32)


def small(name: str, **changes) -> torch.nn.Module:
    """A two-stage network of 8 channels around the mixer; the second block of a stage differs."""
    settings = {"feature_size": 8, "depths": [2, 1], "patch": PATCH, **changes}
    return build(architecture("efficient", name, classes=3, **settings))


def test_all_mixers_of_the_paper_are_registered():
    kinds = ["self_attention", "convolution", "mlp", "recurrence", "global_filter"]
    expected = {f"published_{k}" for k in kinds} | {f"tricruci_{k}" for k in [*kinds, "mamba"]}
    assert set(NAMES) == expected | {"identity", "pooling"}


def test_an_unknown_mixer_is_refused_with_the_known_ones():
    with pytest.raises(BundleError, match=r"tricruci_convolution.*not 'tricrucy'"):
        mixer("tricrucy")


def test_a_name_is_registered_once():
    with pytest.raises(ValueError, match="'pooling' is taken"):
        register("pooling", "another")(object)


@pytest.mark.parametrize("name", NAMES)
def test_inference_gives_the_numbers_of_training_and_gradients_reach_every_parameter(name):
    torch.manual_seed(0)
    net, x = small(name), torch.randn(2, 1, *PATCH)
    logits = net(x)
    assert logits.shape == (2, 3, *PATCH)
    logits.square().mean().backward()
    assert [n for n, p in net.named_parameters()
            if p.grad is None or not p.grad.isfinite().all()] == []
    net = net.to(memory_format=torch.channels_last_3d)
    with torch.inference_mode():
        torch.testing.assert_close(net(x), logits, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", NAMES)
def test_other_patches_than_the_designed_one_in_half_precision(name):
    net = small(name, depths=[1, 1])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = net(torch.randn(1, 1, 16, 24, 40))
    assert logits.dtype == torch.bfloat16 and logits.shape == (1, 3, 16, 24, 40)
    logits.float().square().mean().backward()
    assert all(p.grad.isfinite().all() for p in net.parameters())


@pytest.mark.slow
def test_mamba_is_exported_by_pytorch():
    """The other mixers are exported to ONNX, through torch.export: `export/test_onnx.py`."""
    net, x = small("tricruci_mamba", depths=[1]).eval(), torch.randn(1, 1, 8, 8, 8)
    with torch.no_grad():
        exported = torch.export.export(net, (x,), strict=False).module()
        torch.testing.assert_close(exported(x), net(x), atol=1e-4, rtol=0)


# --- along one axis -----------------------------------------------------------------------------

C, GRID = 6, (4, 5, 7)
ALONG = {
    "self-attention": lambda axis: SelfAttention1d(C, axis, heads=2),
    "convolution": lambda axis: Convolution1d(C, axis, kernel=7),
    "token MLP": lambda axis: TokenMLP1d(axis, GRID[axis - 1]),
    "LSTM": lambda axis: LSTM1d(C, axis, hidden=3),
    "global filter": lambda axis: GlobalFilter1d(C, axis, GRID[axis - 1]),
    "Mamba": lambda axis: Mamba1d(C, axis),
}


@pytest.mark.parametrize("kind", ALONG)
def test_a_token_reaches_its_own_line_and_no_other(kind):
    torch.manual_seed(1)
    for axis in (1, 2, 3):
        mix, x = ALONG[kind](axis), torch.randn(1, *GRID, C)
        touched = x.clone()
        touched[0, 1, 1, 1] += 1
        with torch.no_grad():
            changed = (mix(touched) != mix(x)).any(-1)[0]
        line = torch.zeros(GRID, dtype=torch.bool)
        index = [1, 1, 1]
        index[axis - 1] = slice(None)
        line[tuple(index)] = True
        assert changed[line].any(), axis
        assert not changed[~line].any(), axis


@pytest.mark.parametrize("axis", [1, 2, 3])
@pytest.mark.parametrize("form", [shifted, depthwise])
@pytest.mark.parametrize("grid", [(9, 8, 10), (2, 3, 1)])
def test_convolution_forms_give_the_numbers_of_conv3d_with_groups(form, grid, axis):
    torch.manual_seed(2)
    leaves = [
        t.requires_grad_()
        for t in (torch.randn(2, *grid, C), torch.randn(C, 1, 7), torch.randn(C))
    ]
    gradient = torch.randn(2, *grid, C)
    shape = [1, 1, 1]
    shape[axis - 1] = 7
    conv3d = F.conv3d(
        leaves[0].movedim(-1, 1),
        leaves[1].view(C, 1, *shape),
        leaves[2],
        padding=[n // 2 for n in shape],
        groups=C,
    ).movedim(1, -1)
    for ours in (form(*leaves, axis), grouped(*leaves, axis)):
        torch.testing.assert_close(ours, conv3d, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(
            torch.autograd.grad(ours, leaves, gradient),
            torch.autograd.grad(conv3d, leaves, gradient, retain_graph=True),
            atol=1e-4,
            rtol=1e-4,
        )


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_training_in_bfloat16_on_a_cpu_gives_the_numbers_of_float32(axis):
    torch.manual_seed(2)
    x, weight, bias, gradient = (
        torch.randn(2, 9, 8, 10, C), torch.randn(C, 1, 7), torch.randn(C),
        torch.randn(2, 9, 8, 10, C),
    )
    exact = [t.requires_grad_() for t in (x, weight, bias)]
    half = [x.detach().bfloat16().requires_grad_(), *exact[1:]]
    expected = depthwise(*exact, axis)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = depthwise(*half, axis)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, atol=0.1, rtol=0.05)
    for ours, theirs in zip(
        torch.autograd.grad(found, half, gradient.bfloat16()),
        torch.autograd.grad(expected, exact, gradient),
        strict=True,
    ):
        assert (ours.float() - theirs).norm() < 0.01 * theirs.norm()


@pytest.mark.parametrize("grid", [(9, 8, 10), (12, 10, 14)], ids=["few", "many"])
def test_inference_in_bfloat16_on_a_cpu_gives_the_numbers_of_float32(grid, monkeypatch):
    torch.manual_seed(2)
    x, weight, bias = torch.randn(1, *grid, C), torch.randn(C, 1, 7), torch.randn(C)
    expected = depthwise(x, weight, bias, 1)
    if math.prod(grid) < FEW:
        monkeypatch.delattr(convolution, "convolve")  # oneDNN stays out of it
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        found = depthwise(x.bfloat16(), weight, bias, 1)
    torch.testing.assert_close(found.float(), expected, atol=0.1, rtol=0.05)


def test_the_scan_is_the_recurrence_of_the_paper():
    torch.manual_seed(3)
    u, delta = torch.randn(2, 5, 3), torch.rand(2, 5, 3)
    a, b, c = -torch.rand(3, 4), torch.randn(2, 5, 4), torch.randn(2, 5, 4)
    y = selective_scan(u, delta, a, b, c)
    for n, e in [(0, 0), (1, 2)]:
        state = torch.zeros(4)
        for t in range(5):
            step = delta[n, t, e]
            state = torch.exp(step * a[e]) * state + step * b[n, t] * u[n, t, e]
            assert y[n, t, e] == pytest.approx(float(state @ c[n, t]), abs=1e-5)


def test_mamba_sees_only_tokens_before():
    torch.manual_seed(4)
    mix, x = Mamba1d(C, axis=3), torch.randn(1, 1, 1, 9, C)
    later = x.clone()
    later[..., 5:, :] += 1
    with torch.no_grad():
        torch.testing.assert_close(mix(x)[..., :5, :], mix(later)[..., :5, :])


def test_the_mamba_kernel_is_called_in_its_own_layout(monkeypatch):
    """A stand-in with the signature of mamba_ssm's kernel, (N, E, L) and float32, on "CUDA"."""

    def kernel(u, delta, a, b, c, d, z, delta_bias, delta_softplus):
        assert delta_softplus
        delta = F.softplus(delta + delta_bias[:, None])
        y = selective_scan(*(t.mT for t in (u, delta)), a, b.mT, c.mT).mT
        return (y + u * d[:, None]) * F.silu(z)

    mix, x = Mamba1d(C, axis=2), torch.randn(1, *GRID, C)
    with torch.no_grad():
        expected = mix(x)
        monkeypatch.setattr(mamba_module, "selective_scan_fn", kernel)
        monkeypatch.setattr(mamba_module, "kernel_applies", lambda u: True)
        torch.testing.assert_close(mix(x), expected)


def test_a_filter_of_ones_changes_nothing_at_any_size():
    for grid in [(4, 6, 8), (5, 7, 6), (8, 3, 12)]:
        x = torch.randn(1, *grid, C)
        whole = GlobalFilter3d(Place(C, (4, 6, 8), 0))
        along = GlobalFilter1d(C, 2, 6)
        for mix in (whole, along):
            mix.weight.data = torch.tensor([1.0, 0.0]).expand_as(mix.weight).clone()
            torch.testing.assert_close(mix(x).detach(), x, atol=1e-5, rtol=0)


def test_a_filter_keeps_its_frequencies_at_another_size():
    """A low-pass filter designed for 16 tokens also removes the fast wave from 32 tokens."""
    mix = GlobalFilter1d(1, 1, 16)
    mix.weight.data = torch.zeros_like(mix.weight)
    mix.weight.data[:5, :, 0] = 1  # up to 4/16 cycles a token
    position = torch.arange(32.0)
    slow, fast = torch.cos(2 * torch.pi * position / 8), torch.cos(2 * torch.pi * position * 3 / 8)
    filtered = mix((slow + fast).view(1, 32, 1, 1, 1)).flatten().detach()
    torch.testing.assert_close(filtered, slow, atol=1e-5, rtol=0)


def test_a_token_mlp_means_the_same_for_twice_the_tokens():
    """A row of tokens, each given twice, is mixed to nearly the same smooth profile."""
    torch.manual_seed(5)
    mix = TokenMLP1d(1, 16)
    wave = torch.sin(torch.linspace(0, 3, 16))
    mix.expand.weight.data = wave.expand(32, 16).clone() / 16
    mix.project.weight.data = wave[:, None].expand(16, 32).clone() / 32
    nn.init.zeros_(mix.project.bias)
    row = wave.view(1, 16, 1, 1, 1)
    with torch.no_grad():
        once, twice = mix(row), mix(row.repeat_interleave(2, dim=1))
    mean_of_pairs = twice.unflatten(1, (16, 2)).mean(2)
    torch.testing.assert_close(mean_of_pairs, once, atol=0.02, rtol=0)


def test_one_weight_a_token_needs_the_patch():
    for name in ("tricruci_mlp", "tricruci_global_filter", "published_mlp"):
        with pytest.raises(BundleError, match=f"'{name}' has one weight a token.*'patch'"):
            small(name, patch=None)
