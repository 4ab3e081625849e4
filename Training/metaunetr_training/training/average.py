"""The exponential moving average of the weights, which is validated and exported."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Average:
    """Average over about 1 / (1 - decay) steps; at the beginning over fewer, so that the first
    weights are soon forgotten."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.state = {name: value.detach().clone(memory_format=torch.preserve_format)
                      for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """
        Args:
            step: optimizer steps so far.
        """
        weight = 1 - min(self.decay, (1 + step) / (10 + step))
        mine: list[Tensor] = []
        theirs: list[Tensor] = []
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                mine.append(self.state[name])
                theirs.append(value.detach())
            else:
                self.state[name].copy_(value)
        torch._foreach_lerp_(mine, theirs, weight)

    def copy_to(self, network: nn.Module) -> None:
        network.load_state_dict(self.state)
