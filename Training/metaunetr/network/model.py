"""MetaUNETR: a U-shaped network whose encoder is a MetaFormer with any token mixer.

Lyu, Zhang, Zhang, Liu, Wang, Zhu: MetaUNETR: Rethinking Token Mixer Encoding for Efficient
Multi-Organ Segmentation, MICCAI 2024. Parts: `layers` (residual block, up), `metaformer` (block,
stage), `registry` and `mixers` (what mixes the tokens).

For three stages, f = feature size, x of D×H×W voxels:

    x  ──────────────────── skips[0] ─────────── ups[2] ── head ── scores
    h0 (f, /2)   embed ──── skips[1] ────── ups[1]
    h1 (2f, /4)  stages[0]  skips[2] ── ups[0] ...

(one more level for each further stage; the deepest map enters the first `up` directly, or through
the residual block `bottleneck` of the published size).

With f = 24 three quarters of the arithmetic lie in the residual blocks at full resolution, skips[0]
and ups[-1]. `full_resolution_channels` replaces them by one convolution each on few channels.
"""

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from metaunetr.network.layers import ConvolutionBlock, ResidualBlock, Up, channel_norm
from metaunetr.network.metaformer import Stage


class MetaUNETR(nn.Module):
    """The network in every size; maps (B, in_channels, D, H, W) to scores (B, classes, D, H, W).

    D, H and W must be divisible by `stride`, that is 2 to the power of (number of stages + 1).

    feature_size: f, channels at half resolution; depths: blocks of each stage; mlp_ratio: hidden
    channels of a block's MLP over its channels; activation: "gelu" or "gelu_tanh"; mixer and
    mixer_options: a name of the registry and its options, an option given as a list having one
    value for each stage; bottleneck: a residual block on the deepest map; patch: (D, H, W) voxels
    of the patch the network is designed for, needed by mixers with one weight a token;
    full_resolution_channels: channels of a light level at full resolution, None for residual blocks
    of f channels as published.
    """

    def __init__(
        self,
        in_channels: int,
        classes: int,
        feature_size: int,
        depths: Sequence[int],
        mixer: str,
        mixer_options: dict | None = None,
        mlp_ratio: float = 4,
        activation: str = "gelu",
        bottleneck: bool = False,
        patch: Sequence[int] | None = None,
        full_resolution_channels: int | None = None,
    ):
        super().__init__()
        stages = len(depths)
        channels = [feature_size * 2**level for level in range(stages + 1)]  # of h0, h1, ...
        self.stride = 2 ** (stages + 1)
        self.embed = nn.Conv3d(in_channels, feature_size, 2, stride=2)
        self.stages = nn.ModuleList(
            Stage(
                channels[i],
                depth,
                mlp_ratio,
                activation,
                mixer,
                _options_of_stage(mixer_options or {}, i),
                patch and tuple(voxels // 2 ** (i + 1) for voxels in patch),
            )
            for i, depth in enumerate(depths)
        )
        self.bottleneck = ResidualBlock(channels[-1], channels[-1]) if bottleneck else None
        # skips and ups: from the full resolution inwards, and from the deepest map outwards
        light = full_resolution_channels is not None
        fine = full_resolution_channels if light else feature_size
        self.skips = nn.ModuleList(
            [(ConvolutionBlock if light else ResidualBlock)(in_channels, fine)]
            + [ResidualBlock(c, c) for c in channels[:-1]]
        )
        self.ups = nn.ModuleList(
            [Up(2 * c, c) for c in reversed(channels[:-1])] + [Up(feature_size, fine, light)]
        )
        self.head = nn.Conv3d(2 * fine if light else fine, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self._run(x, keep=lambda name, feature: None)

    def features(self, x: Tensor) -> dict[str, Tensor]:
        """Every named map (B, C, D, H, W), from the input to the scores.

        "embed", "stage1", ... (the normalized h_i), "bottleneck" where there is one, "up1", ...
        (from the deepest up to full resolution) and "scores".
        """
        kept: dict[str, Tensor] = {}
        kept["scores"] = self._run(x, keep=kept.__setitem__)
        return kept

    def encode(self, x: Tensor) -> list[Tensor]:
        """The normalized h_i, finest first: (B, f, D/2, H/2, W/2), (B, 2f, D/4, H/4, W/4), ..."""
        h = self.embed(x)
        maps = [channel_norm(h)]
        for stage in self.stages:
            h = stage(h)
            maps.append(channel_norm(h))
        return maps

    def _run(self, x: Tensor, keep: Callable[[str, Tensor], None]) -> Tensor:
        self._check(x)
        maps = self.encode(x)
        for level, h in enumerate(maps):
            keep(f"stage{level}" if level else "embed", h)
        y = maps.pop()
        if self.bottleneck is not None:
            y = self.bottleneck(y)
            keep("bottleneck", y)
        maps.insert(0, x)
        for level, (skip, up) in enumerate(zip(reversed(self.skips), self.ups, strict=True), 1):
            y = up(y, skip(maps.pop()))
            keep(f"up{level}", y)
        return self.head(y)

    def _check(self, x: Tensor) -> None:
        if x.ndim != 5 or x.shape[1] != self.embed.in_channels:
            raise ValueError(
                f"The input must be (B, {self.embed.in_channels}, D, H, W), not {tuple(x.shape)}."
            )
        if any(voxels % self.stride for voxels in x.shape[2:]):
            raise ValueError(
                f"D, H and W must be divisible by {self.stride}, not {tuple(x.shape[2:])}."
            )


def _options_of_stage(options: dict, stage: int) -> dict:
    """A list holds one value a stage; anything else is the same for every stage."""
    return {k: v[stage] if isinstance(v, list | tuple) else v for k, v in options.items()}
