"""The network that a recipe describes."""

from __future__ import annotations

from typing import Any

from torch import nn

from metaunetr.errors import InputError
from metaunetr.network import architecture, build
from metaunetr.network.sizes import FAMILY
from metaunetr_training import recipe as recipes


def build_network(network: recipes.Network, classes: int, patch: recipes.Triple) -> nn.Module:
    """A network with fresh weights: maps (B, 1, D, H, W) to scores (B, classes, D, H, W).

    Args:
        classes: background included.

    Raises:
        BundleError: the description is none of a network.
        InputError: an unknown family, or a patch that the network cannot take.
    """
    if network.family == FAMILY:
        made = build(describe(network, classes, patch))
        if made.bottleneck and all(n == made.stride for n in patch):  # one voxel: no variance
            raise InputError(f"the patch of the {network.size} size must be longer than "
                             f"{made.stride} voxels along one axis at least: {patch}")
    else:
        from metaunetr_training.experiments.baselines import build_baseline

        made = build_baseline(network.family, classes, network.feature_size, patch)
    if any(n % made.stride for n in patch):
        raise InputError(f"the patch of this network must be divisible by {made.stride}: {patch}")
    return made


def describe(network: recipes.Network, classes: int, patch: recipes.Triple) -> dict[str, Any]:
    """The `architecture` that stands in a card."""
    if network.family != FAMILY:
        return {"family": network.family, "in_channels": 1, "classes": classes,
                "feature_size": network.feature_size}
    return architecture(network.size, network.mixer, classes, network.feature_size,
                        mixer_options=dict(network.mixer_options), patch=list(patch))
