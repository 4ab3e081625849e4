"""Blur and low resolution as matrices: what they keep and what they take away."""

from __future__ import annotations

import pytest
import torch

from metaunetr_training.augmentation import separable

CPU = torch.device("cpu")


def test_each_axis_gets_its_own_matrix():
    volume = torch.rand(2, 4, 5, 6)
    maps = tuple(torch.rand(n + 1, n) for n in (4, 5, 6))
    expected = torch.einsum("cdhw,Dd,Hh,Ww->cDHW", volume, *maps)
    torch.testing.assert_close(separable.along_axes(volume, maps), expected)
    torch.testing.assert_close(separable.along_axes(volume[0], maps), expected[0])
    assert separable.along_axes(volume, (None, None, None)) is volume


@pytest.mark.parametrize("matrix", [
    separable.blur(20, 0.3, CPU), separable.blur(20, 2.5, CPU),
    separable.low_resolution(20, 1.3, CPU), separable.low_resolution(20, 2.5, CPU),
    separable.low_resolution(3, 5.0, CPU),
])
def test_a_constant_stays_up_to_the_border_and_nothing_overshoots(matrix):
    torch.testing.assert_close(matrix.sum(1), torch.ones(len(matrix)))
    assert matrix.min() >= 0


@pytest.mark.parametrize("sigma", [0.8, 1.5, 3.0])
def test_a_point_is_blurred_to_the_width_asked_for(sigma):
    spread = separable.blur(41, sigma, CPU)[20]
    offsets = torch.arange(41) - 20
    assert (spread * offsets).sum().item() == pytest.approx(0, abs=1e-4)
    assert (spread * offsets**2).sum().sqrt().item() == pytest.approx(sigma, rel=0.02)


@pytest.mark.parametrize("factor", [1.3, 2.0, 2.5])
def test_low_resolution_keeps_place_and_slow_waves_and_loses_fast_ones(factor):
    matrix = separable.low_resolution(60, factor, CPU)
    ramp = torch.arange(60.0)
    inner = slice(6, -6)
    torch.testing.assert_close((matrix @ ramp)[inner], ramp[inner], atol=0.25, rtol=0)
    slow, fast = (torch.cos(2 * torch.pi * ramp / period) for period in (30, 2))
    assert (matrix @ slow)[inner].abs().max() > 0.75
    assert (matrix @ fast)[inner].std() < 0.45 * fast.std()
