"""The TriCruci layer: one-dimensional mixing along D, along H and along W, then fused.

Lyu et al., MetaUNETR, MICCAI 2024, section 2.2.
"""

import torch
from torch import Tensor, nn

from metaunetr.network.mixers.convolution import Convolution1d
from metaunetr.network.registry import Place, register

AXES = {"d": 1, "h": 2, "w": 3}  # axis of the tokens (B, D, H, W, C)


class TriCruci(nn.Module):
    """Mixes tokens (B, D, H, W, C) along each axis by itself, every position of the orthogonal
    plane apart; the three results are concatenated on channels and fused by a linear map 3C → C.

    `along` builds the one-dimensional mixer of one axis: along(channels, tokens, axis) where
    tokens is the designed length of that axis, or None.
    """

    def __init__(self, place: Place, along):
        super().__init__()
        self.along = nn.ModuleDict(
            {name: along(place, axis) for name, axis in AXES.items()}
        )
        self.fuse = nn.Linear(3 * place.channels, place.channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.fuse(torch.cat([mix(x) for mix in self.along.values()], dim=-1))


@register("tricruci_convolution", "TriCruci: depth-wise convolution along each axis")
def _convolution(place: Place, kernel: int = 7) -> TriCruci:
    return TriCruci(place, lambda p, axis: Convolution1d(p.channels, axis, kernel))
