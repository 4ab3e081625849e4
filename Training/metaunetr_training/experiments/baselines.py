"""The networks that MetaUNETR is compared with, from MONAI."""

from __future__ import annotations

from torch import Tensor, nn

from metaunetr.errors import InputError
from metaunetr_training.recipe import Triple

SWIN_STRIDE = 32
SMALLEST_MAP, MOST_CHANNELS = 4, 320  # nnU-Net's plans for three dimensions


def build_baseline(family: str, classes: int, feature_size: int, patch: Triple) -> nn.Module:
    """A network with random weights: maps (B, 1, D, H, W) to logits (B, classes, D, H, W).

    D, H and W must be divisible by its attribute `stride`.

    Args:
        classes: background included.
        patch: (D, H, W) voxels it is trained on.

    Raises:
        InputError: the family is unknown, or it does not allow the feature size or patch.
    """
    if family not in _BUILDERS:
        known = ", ".join(("MetaUNETR", *FAMILIES))
        raise InputError(f"network.family must be one of {known}: {family!r}")
    return _BUILDERS[family](classes, feature_size, patch)


def _swin_unetr(classes: int, feature_size: int, patch: Triple) -> nn.Module:
    """Hatamizadeh et al.: Swin UNETR, BrainLes 2021; 62.2 M parameters with f = 48."""
    from monai.networks.nets import SwinUNETR

    if feature_size % 12:
        raise InputError("network.feature_size of SwinUNETR must be divisible by 12: "
                         f"{feature_size}")
    if all(n <= SWIN_STRIDE for n in patch):  # one voxel at the bottom has no variance
        raise InputError(f"the patch of SwinUNETR must be longer than {SWIN_STRIDE} voxels along "
                         f"one axis at least: {patch}")
    network = SwinUNETR(in_channels=1, out_channels=classes, feature_size=feature_size)
    network.stride = SWIN_STRIDE
    return network


def _unet(classes: int, feature_size: int, patch: Triple) -> nn.Module:
    """The plain U-Net of nnU-Net's `3d_fullres`, Isensee et al., Nature Methods 2021.

    The resolution is halved as long as no side of the patch falls below four voxels (nnU-Net also
    halves single axes that are more than twice as long as another); the channels double from
    `feature_size` up to 320. The feature size of nnU-Net is 32.
    """
    from monai.networks.nets import DynUNet

    halvings = 0
    while min(patch) // 2 ** (halvings + 1) >= SMALLEST_MAP:
        halvings += 1
    if not halvings:
        raise InputError("the patch of the U-Net must be at least "
                         f"{2 * SMALLEST_MAP} voxels along every axis: {patch}")
    made = DynUNet(
        spatial_dims=3, in_channels=1, out_channels=classes,
        kernel_size=[3] * (halvings + 1),
        strides=[1] + [2] * halvings,
        upsample_kernel_size=[2] * halvings,
        filters=[min(feature_size * 2**level, MOST_CHANNELS) for level in range(halvings + 1)],
    )
    network = UNet(made)
    network.stride = 2**halvings
    return network


class UNet(nn.Module):
    """MONAI's DynUNet with one name for each module.

    DynUNet (MONAI 1.6) holds them under two names, which safetensors refuses to save.
    """

    def __init__(self, made: nn.Module) -> None:
        super().__init__()
        self.downs = nn.ModuleList([made.input_block, *made.downsamples])
        self.bottleneck, self.ups, self.head = made.bottleneck, made.upsamples, made.output_block

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, D, H, W) to logits (B, classes, D, H, W)."""
        skips: list[Tensor] = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
        x = self.bottleneck(x)
        for up in self.ups:
            x = up(x, skips.pop())
        return self.head(x)


_BUILDERS = {"SwinUNETR": _swin_unetr, "U-Net": _unet}
FAMILIES = tuple(_BUILDERS)
