"""Convolution mixers."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Convolution1d(nn.Module):
    """Depth-wise convolution of tokens (B, D, H, W, C) along one axis, zero padding."""

    def __init__(self, channels: int, axis: int, kernel: int):
        super().__init__()
        convolution = nn.Conv1d(channels, channels, kernel, groups=channels)  # its initialization
        self.weight, self.bias = convolution.weight, convolution.bias  # (C, 1, k), (C)
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.weight.shape[-1]
        shape = [1, 1, 1]
        shape[self.axis - 1] = kernel
        padding = [n // 2 for n in shape]
        weight = self.weight.view(-1, 1, *shape)
        y = F.conv3d(x.movedim(-1, 1), weight, self.bias, padding=padding, groups=len(weight))
        return y.movedim(1, -1)
