"""Layers of every size: norms, convolution, the residual block and one level of the decoder.

Maps are (B, C, D, H, W) in any memory format; everything here keeps channels-last maps
channels-last, the fast format for three-dimensional convolutions on a CPU.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPS = 1e-5
SLOPE = 0.01  # of every leaky ReLU
SPATIAL = (2, 3, 4)
PIECE = 2**22  # values that are normalized at a time where half precision works in place


def channel_norm(x: Tensor) -> Tensor:
    """Layer norm over the channels of (B, C, D, H, W), without affine weights."""
    return F.layer_norm(x.movedim(1, -1), x.shape[1:2], eps=EPS).movedim(-1, 1)


def instance_norm(x: Tensor) -> Tensor:
    """Instance norm of (B, C, D, H, W) without affine weights; may overwrite `x`.

    `torch.nn.functional.instance_norm` would copy a channels-last map to the contiguous format
    and back; batch norm of a single sample is the same arithmetic and does not. At inference on a
    CPU a fresh map costs more than the arithmetic, so there the norm works in place: in float32
    slice by slice, which also rounds less, and in half precision in pieces. A map of one voxel,
    which batch norm refuses, is its own mean: the norm is 0.
    """
    if x.shape[2:].numel() == 1:
        return x - x
    if x.requires_grad or x.device.type != "cpu":
        samples = [F.batch_norm(s, None, None, training=True, eps=EPS) for s in x.split(1)]
        return torch.cat(samples) if len(samples) > 1 else samples[0]
    if x.dtype != torch.float32:
        slices = max(1, PIECE // x[0, :, 0].numel())
        for sample in x.split(1):
            mean, variance = torch.batch_norm_update_stats(sample, None, None, 0.0)
            for piece in sample.split(slices, dim=2):
                piece.copy_(F.batch_norm(piece, mean, variance, eps=EPS))
        return x
    x -= _voxel_mean(x)
    x *= torch.rsqrt(_voxel_mean(x, torch.square) + EPS)
    return x


def _voxel_mean(x: Tensor, function: Callable[[Tensor], Tensor] | None = None) -> Tensor:
    """Spatial mean of function(x), (B, C, 1, 1, 1), slice by slice to stay in the cache."""
    slices = x.split(1, dim=2)
    total = sum((function(s) if function else s).sum(SPATIAL, keepdim=True) for s in slices)
    return total / x[0, 0].numel()


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None, padding, groups: int = 1) -> Tensor:
    """`conv3d` of stride 1 that takes the fast CPU kernel for every shape.

    PyTorch leaves maps with B·C·D·H below 20480, and kernels that are 1 along H and W, to an im2col
    kernel that is many times slower than oneDNN; so oneDNN is called directly where it applies.
    """
    if uses_one_dnn(x):
        return torch.mkldnn_convolution(x, weight, bias, padding, (1, 1, 1), (1, 1, 1), groups)
    return F.conv3d(x, weight, bias, padding=padding, groups=groups)


def uses_one_dnn(x: Tensor) -> bool:
    """Whether a convolution of `x` may call oneDNN directly."""
    plain = x.device.type == "cpu" and x.dtype == torch.float32
    eager = not torch.is_autocast_enabled("cpu") and not torch.compiler.is_compiling()
    return plain and eager and torch.backends.mkldnn.is_available()


def needs_float32(x: Tensor) -> bool:
    """Whether `x` (B, C, D, H, W) must not be convolved in bfloat16.

    On a CPU, where a map has two slices, oneDNN's bfloat16 gradient of the weight of kernels larger
    than 1 holds memory that was never written (PyTorch 2.13). Such maps are tiny; inference, which
    has no gradient, computes the same as training.
    """
    return x.shape[2] == 2 and x.device.type == "cpu" and torch.is_autocast_enabled("cpu")


class Convolution(nn.Conv3d):
    """A 3×3×3 convolution without bias that keeps the size."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__(in_channels, out_channels, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        if needs_float32(x):
            with torch.autocast("cpu", enabled=False):
                return F.conv3d(x.float(), self.weight, padding=self.padding)
        return convolve(x, self.weight, None, self.padding)


class ConvolutionBlock(nn.Module):
    """One 3×3×3 convolution with instance norm and leaky ReLU."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv = Convolution(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu_(instance_norm(self.conv(x)), SLOPE)


class ResidualBlock(nn.Module):
    """Two 3×3×3 convolutions with instance norm and leaky ReLU, and a shortcut.

    The shortcut is a 1×1×1 convolution with instance norm where the channels differ, else the
    identity. As in UNETR (Hatamizadeh et al., WACV 2022).
    """

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv1 = Convolution(in_channels, out_channels)
        self.conv2 = Convolution(out_channels, out_channels)
        if in_channels != out_channels:
            self.shortcut = nn.Conv3d(in_channels, out_channels, 1, bias=False)
        else:
            self.shortcut = None

    def forward(self, x: Tensor) -> Tensor:
        y = F.leaky_relu_(instance_norm(self.conv1(x)), SLOPE)
        y = instance_norm(self.conv2(y))
        return F.leaky_relu_(self._add_shortcut(y, x), SLOPE)

    def _add_shortcut(self, y: Tensor, x: Tensor) -> Tensor:
        if self.shortcut is None:
            y += x
        elif x.shape[1] == 1:
            # scaling one channel commutes with its norm: no map of all channels is needed
            scale = self.shortcut.weight.view(1, -1, 1, 1, 1)
            variance, mean = torch.var_mean(x, SPATIAL, correction=0, keepdim=True)
            y.addcmul_(x - mean, scale * torch.rsqrt(scale**2 * variance + EPS))
        else:
            y += instance_norm(self.shortcut(x))
        return y


class Up(nn.Module):
    """Doubles the resolution, joins the skip and fuses both: one level of the decoder.

    light: fuse by one convolution that keeps the 2C joined channels, instead of a residual block.
    """

    def __init__(self, in_channels: int, out_channels: int, light: bool = False):
        super().__init__()
        joined = 2 * out_channels
        self.up = nn.ConvTranspose3d(in_channels, out_channels, 2, stride=2, bias=False)
        self.fuse = (ConvolutionBlock(joined, joined) if light
                     else ResidualBlock(joined, out_channels))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """(B, C', D, H, W) and the skip (B, C, 2D, 2H, 2W) to (B, C, 2D, 2H, 2W), or 2C if light.
        """
        return self.fuse(torch.cat([self.up(x), skip], dim=1))
