"""The network that a recipe describes."""

from __future__ import annotations

from typing import Any

from torch import nn

from metaunetr.errors import InputError
from metaunetr.network import architecture, build
from metaunetr.network.sizes import FAMILY
from metaunetr_training import recipe as recipes


def build_network(network: recipes.Network, classes: int, patch: recipes.Triple) -> nn.Module:
    """A network with random weights: maps (B, 1, D, H, W) to logits (B, classes, D, H, W).

    Args:
        classes: background included.

    Raises:
        BundleError: the recipe describes no valid network.
        InputError: the family is unknown, or the network cannot process the patch.
    """
    if network.family == FAMILY:
        built = build(architecture_of(network, classes, patch))
        if built.bottleneck and all(n == built.stride for n in patch):  # one voxel has no variance
            raise InputError(f"the patch of the {network.size} size must be longer than "
                             f"{built.stride} voxels along one axis at least: {patch}")
    else:
        from metaunetr_training.experiments.baselines import build_baseline

        built = build_baseline(network.family, classes, network.feature_size, patch)
    if any(n % built.stride for n in patch):
        raise InputError("the patch of this network must be divisible by "
                         f"{built.stride}: {patch}")
    return built


def architecture_of(
    network: recipes.Network, classes: int, patch: recipes.Triple
) -> dict[str, Any]:
    """The entry `architecture` of a card."""
    if network.family != FAMILY:
        return {"family": network.family, "in_channels": 1, "classes": classes,
                "feature_size": network.feature_size}
    return architecture(network.size, network.mixer, classes, network.feature_size,
                        mixer_options=dict(network.mixer_options), patch=list(patch))
