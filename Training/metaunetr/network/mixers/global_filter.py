"""Global filter mixers: a learned complex weight for each frequency, along one axis or in 3-D.

Rao et al., Global Filter Networks, NeurIPS 2021. Weights belong to frequencies (cycles per token),
so at another grid than the designed one they are interpolated between frequencies. There is no FFT
of half-precision numbers: the filter works in float32 and gives back what it was given.
"""

import math

import torch
from torch import Tensor, nn

from metaunetr.network.registry import Place, register


def _weight(*shape: int) -> nn.Parameter:
    """A complex weight, real and imaginary part in the last axis."""
    return nn.Parameter(0.02 * torch.randn(*shape, 2))


def _at_frequencies(weight: Tensor, positions: Tensor, dim: int) -> Tensor:
    """`weight` linearly interpolated along `dim` at the given (fractional) positions, periodic."""
    low = positions.floor().long()
    share = (positions - low).to(weight.dtype).view(-1, *[1] * (weight.ndim - dim - 1))
    count = weight.shape[dim]
    below, above = (weight.index_select(dim, i % count) for i in (low, low + 1))
    return below + share * (above - below)


def _full_spectrum(weight: Tensor, length: int, dim: int) -> Tensor:
    """Weights of an FFT of another length, for `length` tokens along `dim`."""
    count = weight.shape[dim]
    if count == length:
        return weight
    frequencies = torch.fft.fftfreq(length, device=weight.device)
    return _at_frequencies(weight, frequencies * count % count, dim)


def _half_spectrum(weight: Tensor, designed: int, length: int, dim: int) -> Tensor:
    """Weights of a real FFT of `designed` tokens, for `length` tokens along `dim`."""
    if designed == length:
        return weight
    frequencies = torch.fft.rfftfreq(length, device=weight.device)
    return _at_frequencies(weight, (frequencies * designed).clamp(max=designed // 2), dim)


def _filter_flops(shape: torch.Size, axes: tuple[int, ...]) -> int:
    """Operations to filter tokens of `shape` over `axes`: 2.5 N log2 N for a real FFT and as many
    back, and a complex product (6) for each half of the N frequencies."""
    length = math.prod(shape[a] for a in axes)
    return round(shape.numel() * (5 * math.log2(length) + 3))


class GlobalFilter1d(nn.Module):
    """Multiplies the spectrum along one axis of tokens (B, D, H, W, C)."""

    def __init__(self, channels: int, axis: int, length: int):
        super().__init__()
        self.weight = _weight(length // 2 + 1, channels)
        self.axis, self.length, self.width = axis, length, channels

    def flops(self, shape: torch.Size) -> int:
        return _filter_flops(shape, (self.axis,))

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[self.axis]
        weight = _half_spectrum(self.weight.float(), self.length, length, dim=0)
        weight = torch.view_as_complex(weight).view(-1, *[1] * (3 - self.axis), x.shape[-1])
        spectrum = torch.fft.rfft(x.float(), dim=self.axis, norm="ortho") * weight
        return torch.fft.irfft(spectrum, length, dim=self.axis, norm="ortho").to(x.dtype)


@register("published_global_filter", "learned filter of the three-dimensional spectrum")
class GlobalFilter3d(nn.Module):
    """Multiplies the three-dimensional spectrum of tokens (B, D, H, W, C)."""

    def __init__(self, place: Place):
        super().__init__()
        d, h, w = place.designed_grid("published_global_filter")
        self.weight = _weight(d, h, w // 2 + 1, place.channels)
        self.designed_w, self.width = w, place.channels

    def flops(self, shape: torch.Size) -> int:
        return _filter_flops(shape, (1, 2, 3))

    def forward(self, x: Tensor) -> Tensor:
        grid, axes = x.shape[1:4], (1, 2, 3)
        weight = _full_spectrum(self.weight.float(), grid[0], dim=0)
        weight = _full_spectrum(weight, grid[1], dim=1)
        weight = _half_spectrum(weight, self.designed_w, grid[2], dim=2)
        spectrum = torch.fft.rfftn(x.float(), dim=axes, norm="ortho")
        spectrum = spectrum * torch.view_as_complex(weight.contiguous())
        return torch.fft.irfftn(spectrum, grid, dim=axes, norm="ortho").to(x.dtype)
