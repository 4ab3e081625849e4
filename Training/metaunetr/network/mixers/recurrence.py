"""The recurrent mixer: a bidirectional LSTM along one axis."""

import math

import torch
from torch import Tensor, nn


class LSTM1d(nn.Module):
    """A bidirectional LSTM over tokens (B, D, H, W, C) along one axis; any length.

    Gives (B, D, H, W, 2·hidden). Tatsunami and Taki, Sequencer, NeurIPS 2022.
    """

    def __init__(self, channels: int, axis: int, hidden: int):
        super().__init__()
        self.lstm = nn.LSTM(channels, hidden, batch_first=True, bidirectional=True)
        self.axis, self.width = axis, 2 * hidden

    def flops(self, shape: torch.Size) -> int:
        """Operations for tokens of `shape`: the products with every weight matrix."""
        matrices = sum(p.numel() for p in self.lstm.parameters() if p.ndim == 2)
        return 2 * math.prod(shape[:-1]) * matrices

    def forward(self, x: Tensor) -> Tensor:
        sequences = x.movedim(self.axis, 3)  # (B, ., ., L, C)
        mixed, _ = self.lstm(sequences.flatten(0, 2))
        return mixed.unflatten(0, sequences.shape[:3]).movedim(3, self.axis)
