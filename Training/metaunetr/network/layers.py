"""Layers shared by every size: norms, the residual block and the two ways to change resolution.

Maps are (B, C, D, H, W) in any memory format; everything here keeps channels-last maps
channels-last, the fast format for three-dimensional convolutions on a CPU.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPS = 1e-5
SLOPE = 0.01  # of every leaky ReLU
SPATIAL = (2, 3, 4)


def channel_norm(x: Tensor) -> Tensor:
    """Layer norm over the channels of (B, C, D, H, W), without affine weights."""
    return F.layer_norm(x.movedim(1, -1), x.shape[1:2], eps=EPS).movedim(-1, 1)


def instance_norm(x: Tensor) -> Tensor:
    """Instance norm of (B, C, D, H, W) without affine weights; may overwrite `x`.

    `torch.nn.functional.instance_norm` would copy a channels-last map to the contiguous format
    and back; batch norm of a single sample is the same arithmetic and does not. At inference on a
    CPU a fresh map costs more than the arithmetic, so there the norm works in place.
    """
    if x.requires_grad or x.device.type != "cpu" or x.dtype != torch.float32:
        samples = [F.batch_norm(s, None, None, training=True, eps=EPS) for s in x.split(1)]
        return torch.cat(samples) if len(samples) > 1 else samples[0]
    x -= x.mean(SPATIAL, keepdim=True)
    x *= torch.rsqrt(_mean_square(x) + EPS)
    return x


def _mean_square(x: Tensor) -> Tensor:
    """Mean of x² over the voxels, (B, C, 1, 1, 1); slice by slice, so that x² stays in the cache."""
    total = sum(s.square().sum(SPATIAL, keepdim=True) for s in x.split(1, dim=2))
    return total / x[0, 0].numel()


class ResidualBlock(nn.Module):
    """Two 3×3×3 convolutions with instance norm and leaky ReLU, and a shortcut.

    The shortcut is a 1×1×1 convolution with instance norm where the channels differ, else the
    identity. As in UNETR (Hatamizadeh et al., WACV 2022) and nnU-Net.
    """

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv1 = nn.Conv3d(in_channels, out_channels, 3, padding=1, bias=False)
        self.conv2 = nn.Conv3d(out_channels, out_channels, 3, padding=1, bias=False)
        if in_channels != out_channels:
            self.shortcut = nn.Conv3d(in_channels, out_channels, 1, bias=False)
        else:
            self.shortcut = None

    def forward(self, x: Tensor) -> Tensor:
        y = F.leaky_relu_(instance_norm(self.conv1(x)), SLOPE)
        y = instance_norm(self.conv2(y))
        y += x if self.shortcut is None else instance_norm(self.shortcut(x))
        return F.leaky_relu_(y, SLOPE)


class Up(nn.Module):
    """Doubles the resolution, joins the skip and fuses both: one level of the decoder."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.up = nn.ConvTranspose3d(in_channels, out_channels, 2, stride=2, bias=False)
        self.fuse = ResidualBlock(2 * out_channels, out_channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """(B, 2C or C, D, H, W) and the skip (B, C, 2D, 2H, 2W) to (B, C, 2D, 2H, 2W)."""
        return self.fuse(torch.cat([self.up(x), skip], dim=1))
