"""The exponential moving average of the weights, which is validated and exported."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def moving_average(network: nn.Module, decay: float) -> AveragedModel:
    """Averages over about 1 / (1 - decay) updates; over fewer at first, so that the random initial
    weights are soon forgotten."""

    @torch.no_grad()
    def update(averaged: list[Tensor], current: list[Tensor], count: Tensor) -> None:
        updates = int(count)
        weight = 1 - min(decay, (1 + updates) / (10 + updates))
        torch._foreach_lerp_(averaged, current, weight)

    return AveragedModel(network, multi_avg_fn=update)
