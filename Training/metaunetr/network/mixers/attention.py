"""Self-attention mixers: multi-head along one axis, and the published shifted windows."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from metaunetr.network.registry import Place, register


def _attend(qkv: Tensor, heads: int, bias: Tensor | None = None) -> Tensor:
    """Multi-head attention within sequences: (N, L, 3C) to (N, L, C); bias adds to (N, h, L, L)."""
    q, k, v = qkv.unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4)  # (N, heads, L, C/heads)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias).transpose(1, 2).flatten(2)


def _check_heads(channels: int, heads: int) -> int:
    if channels % heads:
        raise ValueError(f"the channels, {channels}, must be divisible by the heads, {heads}")
    return heads


class SelfAttention1d(nn.Module):
    """Multi-head self-attention of tokens (B, D, H, W, C) along one axis; any length."""

    def __init__(self, channels: int, axis: int, heads: int):
        super().__init__()
        self.qkv = nn.Linear(channels, 3 * channels)
        self.axis, self.heads = axis, _check_heads(channels, heads)

    def forward(self, x: Tensor) -> Tensor:
        sequences = self.qkv(x).movedim(self.axis, 3)  # (B, ., ., L, 3C)
        mixed = _attend(sequences.flatten(0, 2), self.heads)
        return mixed.unflatten(0, sequences.shape[:3]).movedim(3, self.axis)


@register("published_self_attention", "Swin: attention in windows of 7×7×7, shifted in odd blocks")
class WindowAttention(nn.Module):
    """Attention within windows, with a learned bias for each relative position.

    Liu et al., Swin Transformer, ICCV 2021; in three dimensions as in SwinUNETR (Hatamizadeh et
    al., 2022). Odd blocks of a stage shift the windows by half their size. Patches of any size:
    tokens are padded with zeros to whole windows, and a window is no larger than the grid.
    """

    WINDOWS_AT_ONCE = 64  # bounds the memory of the attention matrices

    def __init__(self, place: Place, heads: int | None = None, window: int = 7):
        """heads: by default one for every 16 channels, as published for f = 48."""
        super().__init__()
        heads = heads or max(1, place.channels // 16)
        self.heads = _check_heads(place.channels, heads)
        self.window = window
        self.shift = window // 2 if place.block % 2 else 0
        self.qkv = nn.Linear(place.channels, 3 * place.channels)
        self.project = nn.Linear(place.channels, place.channels)
        self.bias = nn.Parameter(torch.empty((2 * window - 1) ** 3, heads))
        nn.init.trunc_normal_(self.bias, std=0.02)
        self.register_buffer("relative", _relative_positions(window), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        grid = x.shape[1:4]
        window = [min(self.window, n) for n in grid]
        shift = [self.shift if n > self.window else 0 for n in grid]
        padding = [(w - n % w) % w for n, w in zip(grid, window, strict=True)]
        x = F.pad(x, (0, 0, 0, padding[2], 0, padding[1], 0, padding[0]))
        padded = x.shape[1:4]
        x = x.roll([-s for s in shift], dims=(1, 2, 3))

        bias, regions = self._position_bias(math.prod(window)), None
        if any(shift):
            regions = _windows(_regions(padded, window, shift, x.device), window).squeeze(-1)
        mixed = self._attend_windows(_windows(x, window), bias, regions)

        x = _unwindows(self.project(mixed), window, padded)
        x = x.roll(shift, dims=(1, 2, 3))
        return x[:, : grid[0], : grid[1], : grid[2]]

    def _position_bias(self, tokens: int) -> Tensor:
        """(heads, n, n). A window smaller than the full one takes the leading n×n positions, as the
        released code does, although they are those of other offsets."""
        index = self.relative[:tokens, :tokens]
        return self.bias[index.flatten()].view(tokens, tokens, -1).permute(2, 0, 1)

    def _attend_windows(self, windows: Tensor, bias: Tensor, regions: Tensor | None) -> Tensor:
        """(windows, n, C) to the same; regions (windows of one sample, n) says what was adjacent
        before the shift: attention across regions is suppressed."""
        mixed = []
        for start in range(0, len(windows), self.WINDOWS_AT_ONCE):
            part = windows[start : start + self.WINDOWS_AT_ONCE]
            mask = bias[None]
            if regions is not None:
                place = torch.arange(start, start + len(part), device=part.device) % len(regions)
                apart = regions[place, None, :] != regions[place, :, None]
                mask = mask - 100.0 * apart[:, None]  # finite, as released
            mixed.append(_attend(self.qkv(part), self.heads, mask))
        return torch.cat(mixed)


def _relative_positions(window: int) -> Tensor:
    """(n, n) row of the bias table for each pair of the n = window³ positions."""
    axis = torch.arange(window)
    position = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij")).flatten(1)  # (3, n)
    offset = position[:, :, None] - position[:, None, :] + window - 1  # 0 ... 2·window - 2
    width = 2 * window - 1
    return (offset[0] * width + offset[1]) * width + offset[2]


def _windows(x: Tensor, window: list[int]) -> Tensor:
    """(B, D, H, W, C) to (B·windows, tokens of a window, C)."""
    for axis, size in zip((1, 3, 5), window, strict=True):
        x = x.unflatten(axis, (-1, size))
    return x.permute(0, 1, 3, 5, 2, 4, 6, 7).flatten(4, 6).flatten(0, 3)


def _unwindows(windows: Tensor, window: list[int], grid: torch.Size) -> Tensor:
    """The inverse of `_windows` for a (D, H, W) grid."""
    counts = [n // w for n, w in zip(grid, window, strict=True)]
    x = windows.view(-1, *counts, *window, windows.shape[-1])
    return x.permute(0, 1, 4, 2, 5, 3, 6, 7).flatten(5, 6).flatten(3, 4).flatten(1, 2)


def _regions(grid: torch.Size, window: list[int], shift: list[int], device) -> Tensor:
    """(1, D, H, W, 1) number of the region that a token of the shifted grid came from."""
    regions = torch.zeros((), dtype=torch.long, device=device)
    for n, w, s in zip(grid, window, shift, strict=True):
        position = torch.arange(n, device=device)
        part = (position >= n - w).long() + (position >= n - s).long() if s else 0 * position
        regions = regions[..., None] * 3 + part
    return regions[None, ..., None]
