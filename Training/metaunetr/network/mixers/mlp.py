"""MLP mixers: over the tokens of one axis, and the published Vision Permutator.

Both have one weight a token. At another grid than the designed one the weights are interpolated
along the tokens, so that a smooth weight means the same in millimetres of patch, not in tokens.
"""

import math

import torch.nn.functional as F
from torch import Tensor, nn

from metaunetr.network.metaformer import MLP
from metaunetr.network.registry import Place, register


def stretch(weight: Tensor, length: int, dim: int) -> Tensor:
    """`weight` linearly interpolated along `dim` to `length` samples over the same extent."""
    if weight.shape[dim] == length:
        return weight
    rows = weight.movedim(dim, -1)
    flat = F.interpolate(rows.reshape(1, -1, rows.shape[-1]), length, mode="linear")
    return flat.view(*rows.shape[:-1], length).movedim(-1, dim)


class TokenMLP1d(nn.Module):
    """Two linear layers over the tokens of one axis with a GELU between, shared by the channels.

    As the token mixing of MLP-Mixer (Tolstikhin et al., NeurIPS 2021), with twice as many hidden
    units as tokens; tokens (B, D, H, W, C).
    """

    def __init__(self, axis: int, length: int):
        super().__init__()
        self.expand = nn.Linear(length, 2 * length)
        self.project = nn.Linear(2 * length, length)
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        sequences = x.movedim(self.axis, -1)  # (..., L)
        length = sequences.shape[-1]
        ratio = self.expand.in_features / length  # a sum over more tokens stays as large
        hidden = F.linear(sequences, stretch(self.expand.weight, length, 1) * ratio)
        hidden = F.gelu(hidden + self.expand.bias)
        weight = stretch(self.project.weight, length, 0)
        bias = stretch(self.project.bias, length, 0)
        return F.linear(hidden, weight, bias).movedim(-1, self.axis)


class _SegmentMixing(nn.Module):
    """A linear map over the tokens of one axis together with the channels of one segment.

    Channels are cut into segments of `width`; every segment is mixed alike: (L, width) to itself.
    """

    def __init__(self, axis: int, length: int, width: int):
        super().__init__()
        self.axis, self.length, self.width = axis, length, width
        linear = nn.Linear(length * width, length * width)
        self.weight, self.bias = linear.weight, linear.bias

    def forward(self, x: Tensor) -> Tensor:
        """Tokens (B, D, H, W, C) to the same."""
        # (B, ., ., segments, L, width)
        x = x.unflatten(-1, (-1, self.width)).movedim(self.axis, -2)
        weight, bias = self._at(x.shape[-2])
        mixed = F.linear(x.flatten(-2), weight, bias).view(x.shape)
        return mixed.movedim(-2, self.axis).flatten(-2)

    def _at(self, length: int) -> tuple[Tensor, Tensor]:
        """Weight and bias for `length` tokens."""
        if length == self.length:
            return self.weight, self.bias
        weight = self.weight.view(self.length, self.width, self.length, self.width)
        weight = stretch(stretch(weight, length, 0), length, 2) * (self.length / length)
        bias = stretch(self.bias.view(self.length, self.width), length, 0)
        return weight.reshape(bias.numel(), bias.numel()), bias.flatten()


@register("published_mlp", "Vision Permutator: linear maps along D, H, W and channels, reweighted")
class Permutator(nn.Module):
    """Hou et al., Vision Permutator, TPAMI 2022, in three dimensions; tokens (B, D, H, W, C).

    segments: into how many the channels are cut, by default the largest number that divides the
    channels and the tokens along D; the released code needs as many segments as tokens.
    """

    def __init__(self, place: Place, segments: int | None = None):
        super().__init__()
        channels, grid = place.channels, place.designed_grid("published_mlp")
        segments = segments or math.gcd(channels, grid[0])
        if channels % segments:
            raise ValueError(f"the channels, {channels}, must be divisible by segments, {segments}")
        width = channels // segments
        self.along = nn.ModuleDict(
            {
                name: _SegmentMixing(axis, grid[axis - 1], width)
                for axis, name in enumerate("dhw", start=1)
            }
        )
        self.channels = nn.Linear(channels, channels)
        self.reweight = MLP(channels, channels // 4, 4 * channels, "gelu")
        self.project = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        mixed = [mix(x) for mix in self.along.values()] + [self.channels(x)]
        mean = sum(mixed).mean((1, 2, 3))  # (B, C)
        shares = self.reweight(mean).unflatten(-1, (-1, 4)).softmax(-1)[:, None, None, None]
        return self.project(
            sum(y * share for y, share in zip(mixed, shares.unbind(-1), strict=True))
        )
