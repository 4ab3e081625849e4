"""The TriCruci layer: one-dimensional mixing along D, along H and along W, then fused.

Lyu et al., MetaUNETR, MICCAI 2024, section 2.2. The one-dimensional mixer is interchangeable.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from metaunetr.network.mixers.attention import SelfAttention1d
from metaunetr.network.mixers.convolution import Convolution1d
from metaunetr.network.mixers.global_filter import GlobalFilter1d
from metaunetr.network.mixers.mamba import Mamba1d
from metaunetr.network.mixers.mlp import TokenMLP1d
from metaunetr.network.mixers.recurrence import LSTM1d
from metaunetr.network.registry import Place, register

AXES = {"d": 1, "h": 2, "w": 3}  # of tokens (B, D, H, W, C)


class TriCruci(nn.Module):
    """Mixes tokens (B, D, H, W, C) along each axis by itself, every position of the orthogonal
    plane apart; the three results are concatenated on channels and fused by a linear map to C.

    along: builds the mixer of one axis (1, 2 or 3), to (B, D, H, W, `width`), by default C.
    """

    def __init__(self, channels: int, along: Callable[[int], nn.Module], width: int | None = None):
        super().__init__()
        self.along = nn.ModuleDict({name: along(axis) for name, axis in AXES.items()})
        self.fuse = nn.Linear(3 * (width or channels), channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.fuse(torch.cat([mix(x) for mix in self.along.values()], dim=-1))


@register("tricruci_self_attention", "TriCruci, multi-head self-attention along each axis")
def self_attention(place: Place, heads: int | None = None) -> TriCruci:
    """heads: by default one for every 24 channels."""
    c = place.channels
    heads = heads or max(1, c // 24)
    return TriCruci(c, lambda axis: SelfAttention1d(c, axis, heads))


@register("tricruci_convolution", "TriCruci, depth-wise convolution of 7 along each axis")
def convolution(place: Place, kernel: int = 7) -> TriCruci:
    return TriCruci(place.channels, lambda axis: Convolution1d(place.channels, axis, kernel))


@register("tricruci_mlp", "TriCruci, token MLP along each axis")
def mlp(place: Place) -> TriCruci:
    grid = place.designed_grid("tricruci_mlp")
    return TriCruci(place.channels, lambda axis: TokenMLP1d(axis, grid[axis - 1]))


@register("tricruci_recurrence", "TriCruci, bidirectional LSTM along each axis")
def recurrence(place: Place, hidden: int | None = None) -> TriCruci:
    """hidden: units of each direction, by default half the channels."""
    c = place.channels
    hidden = hidden or c // 2
    return TriCruci(c, lambda axis: LSTM1d(c, axis, hidden), width=2 * hidden)


@register("tricruci_global_filter", "TriCruci, learned filter of the spectrum along each axis")
def global_filter(place: Place) -> TriCruci:
    c, grid = place.channels, place.designed_grid("tricruci_global_filter")
    return TriCruci(c, lambda axis: GlobalFilter1d(c, axis, grid[axis - 1]))


@register("tricruci_mamba", "TriCruci, Mamba along each axis")
def mamba(place: Place) -> TriCruci:
    return TriCruci(place.channels, lambda axis: Mamba1d(place.channels, axis))


@register("published_recurrence", "Sequencer: three bidirectional LSTMs, concatenated, linear")
def sequencer(place: Place, hidden: int | None = None) -> TriCruci:
    """The released Sequencer is a TriCruci layer; hidden: by default as many as channels."""
    return recurrence(place, hidden or place.channels)
