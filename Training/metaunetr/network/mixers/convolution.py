"""Convolution mixers: depth-wise along one axis, and the published depth-wise 7×7×7."""

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from metaunetr.network.layers import convolve, needs_float32, uses_one_dnn
from metaunetr.network.registry import Place, register

TOKENS = (0, 1, 2, 3)  # axes of (B, D, H, W, C) but the channels
FEW = 1000  # tokens


def grouped(x: Tensor, weight: Tensor, bias: Tensor | None, axis: int) -> Tensor:
    """Depth-wise convolution of tokens (B, D, H, W, C) along `axis`, as Conv3d with groups.

    weight (C, 1, k), k odd; zero padding, so the size stays: y[p] = b + sum_i w[i]·x[p + i - k//2].
    """
    shape = [1, 1, 1]
    shape[axis - 1] = weight.shape[-1]
    padding = [n // 2 for n in shape]
    y = convolve(x.movedim(-1, 1), weight.view(-1, 1, *shape), bias, padding, len(weight))
    return y.movedim(1, -1)


def shifted(x: Tensor, weight: Tensor, bias: Tensor | None, axis: int) -> Tensor:
    """The same numbers as `grouped`, as k multiply-adds of shifted tokens."""
    y = torch.zeros_like(x) if bias is None else bias.expand_as(x).clone()
    for i, (source, target) in enumerate(_shifts(x.shape[axis], weight.shape[-1])):
        y.narrow(axis, *target).addcmul_(x.narrow(axis, *source), weight[:, 0, i])
    return y


def shifted_weight_gradient(x: Tensor, gradient: Tensor, kernel: int, axis: int) -> Tensor:
    """Gradient of `grouped` with respect to its weight, (C, 1, k), as k products of shifted tokens.

    gradient: that of the result, (B, D, H, W, C).
    """
    sums = [
        (gradient.narrow(axis, *target) * x.narrow(axis, *source)).sum(TOKENS, dtype=torch.float32)
        for source, target in _shifts(x.shape[axis], kernel)
    ]
    return torch.stack(sums, dim=-1).unsqueeze(1)


def _shifts(length: int, kernel: int) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """For each tap the (start, length) of what is read and of where it is added."""
    pairs = []
    for shift in range(-(kernel // 2), kernel // 2 + 1):
        overlap = max(length - abs(shift), 0)
        read, write = min(max(shift, 0), length), min(max(-shift, 0), length)
        pairs.append(((read, overlap), (write, overlap)))
    return pairs


class _FastDepthwise(torch.autograd.Function):
    """`grouped`, with the gradient of the weight by shifts: on a CPU several times faster than that
    of Conv3d. For the result and for the gradient of the input oneDNN is the faster one in float32,
    and shifts in bfloat16 (Testing/benchmarks/depthwise.py measures all of them)."""

    @staticmethod
    def forward(ctx, x, weight, bias, axis):
        ctx.save_for_backward(x, weight)
        ctx.axis = axis
        return _mixed(x, weight, bias, axis)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        gradient = gradient.contiguous()
        of_x = _mixed(gradient, weight.flip(-1), None, ctx.axis)
        of_weight = shifted_weight_gradient(x, gradient, weight.shape[-1], ctx.axis)
        return of_x, of_weight, gradient.sum(TOKENS, dtype=torch.float32), None


def _mixed(x: Tensor, weight: Tensor, bias: Tensor | None, axis: int) -> Tensor:
    if x.dtype == torch.float32:
        return grouped(x, weight, bias, axis)
    return shifted(x, weight.to(x.dtype), None if bias is None else bias.to(x.dtype), axis)


def depthwise(x: Tensor, weight: Tensor, bias: Tensor, axis: int) -> Tensor:
    """`grouped` in the form that is fastest here.

    At inference in bfloat16 on a CPU, few tokens are shifted, which costs some tenths of a
    millisecond (Testing/benchmarks/depthwise.py): oneDNN's kernel once ended the process on such a
    map (a segmentation fault that could not be repeated, PyTorch 2.13).
    """
    in_half = torch.is_autocast_enabled("cpu") and not torch.is_grad_enabled()
    if in_half and x.device.type == "cpu" and x[..., 0].numel() < FEW:
        return shifted(x, weight.to(x.dtype), bias.to(x.dtype), axis)
    trains_on_cpu = x.device.type == "cpu" and torch.is_grad_enabled()
    if uses_one_dnn(x) or (trains_on_cpu and not torch.compiler.is_compiling()):
        return _FastDepthwise.apply(x, weight, bias, axis)
    return grouped(x, weight, bias, axis)


class Convolution1d(nn.Module):
    """Depth-wise convolution of tokens (B, D, H, W, C) along one axis, zero padding, odd kernel."""

    def __init__(self, channels: int, axis: int, kernel: int):
        super().__init__()
        if kernel % 2 == 0:
            raise ValueError(f"the kernel must be odd, not {kernel}")
        convolution = nn.Conv1d(channels, channels, kernel, groups=channels)
        self.weight, self.bias = convolution.weight, convolution.bias  # (C, 1, k), (C)
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        return depthwise(x, self.weight, self.bias, self.axis)


@register("published_convolution", "depth-wise 7×7×7 convolution")
class Convolution3d(nn.Conv3d):
    """Depth-wise convolution of tokens (B, D, H, W, C), zero padding; 7×7×7 as in 3D UX-Net
    (Lee et al., ICLR 2023)."""

    def __init__(self, place: Place, kernel: int = 7):
        c = place.channels
        super().__init__(c, c, kernel, padding=kernel // 2, groups=c)

    def forward(self, x: Tensor) -> Tensor:
        x = x.movedim(-1, 1)
        if needs_float32(x):
            with torch.autocast("cpu", enabled=False):
                return super().forward(x.float()).movedim(1, -1)
        return super().forward(x).movedim(1, -1)
