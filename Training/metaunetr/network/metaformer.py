"""The MetaFormer block and the encoder stage.

Yu et al., MetaFormer Is Actually What You Need for Vision, CVPR 2022; in three dimensions as in
MetaUNETR (Lyu et al., MICCAI 2024, section 2). Inside a stage tokens are (B, D, H, W, C), a view
of a channels-last map, so that norms and linear layers work on the last axis without a copy.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from metaunetr.network.layers import EPS
from metaunetr.network.registry import Place, mixer

ACTIVATIONS = {"gelu": "none", "gelu_tanh": "tanh"}  # name → approximate= of F.gelu


class MLP(nn.Module):
    """Two linear layers over the last axis with a GELU between them."""

    def __init__(self, channels: int, hidden: int, out_channels: int, activation: str):
        super().__init__()
        self.expand = nn.Linear(channels, hidden)
        self.project = nn.Linear(hidden, out_channels)
        self.approximate = ACTIVATIONS[activation]

    def forward(self, x: Tensor) -> Tensor:
        return self.project(F.gelu(self.expand(x), approximate=self.approximate))


class Block(nn.Module):
    """x + mixer(LN(x)), then x + MLP(LN(x)); tokens (B, D, H, W, C)."""

    def __init__(self, mixing: nn.Module, channels: int, mlp_ratio: float, activation: str):
        super().__init__()
        self.norm1 = nn.LayerNorm(channels, eps=EPS)
        self.mixer = mixing
        self.norm2 = nn.LayerNorm(channels, eps=EPS)
        self.mlp = MLP(channels, int(mlp_ratio * channels), channels, activation)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.mixer(self.norm1(x))
        if x.device.type != "cpu" or torch.is_grad_enabled():
            return x + self.mlp(self.norm2(x))
        # at inference slice by slice: the hidden tokens then stay in the cache of the CPU
        return torch.cat([s + self.mlp(self.norm2(s)) for s in x.split(1, dim=1)], dim=1)


class Down(nn.Module):
    """Layer norm over channels, then a 2×2×2 convolution of stride 2 to twice the channels."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.LayerNorm(channels, eps=EPS)
        self.conv = nn.Conv3d(channels, 2 * channels, 2, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Tokens (B, D, H, W, C) to a map (B, 2C, D/2, H/2, W/2)."""
        return self.conv(self.norm(x).movedim(-1, 1))


class Stage(nn.Module):
    """`depth` MetaFormer blocks at one resolution, then `Down`.

    Maps (B, C, D, H, W) to (B, 2C, D/2, H/2, W/2).
    """

    def __init__(
        self,
        channels: int,
        depth: int,
        mlp_ratio: float,
        activation: str,
        mixer_name: str,
        mixer_options: dict,
        grid: tuple[int, int, int] | None,
    ):
        super().__init__()
        build = mixer(mixer_name).build
        self.blocks = nn.Sequential(
            *(
                Block(
                    build(Place(channels, grid, index), **mixer_options),
                    channels,
                    mlp_ratio,
                    activation,
                )
                for index in range(depth)
            )
        )
        self.down = Down(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(self.blocks(x.movedim(1, -1)))
