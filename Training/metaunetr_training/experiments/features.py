"""The named feature maps of a network, for CKA."""

from __future__ import annotations

from contextlib import ExitStack

import torch
from torch import Tensor, nn

from metaunetr.network import MetaUNETR

Maps = dict[str, Tensor]

# modules of the baselines whose outputs are the levels, from input to logits
LEVELS_OF_BASELINES = {
    "SwinUNETR": ("encoder1", "encoder2", "encoder3", "encoder4", "encoder10",
                  "decoder5", "decoder4", "decoder3", "decoder2", "decoder1", "out"),
    "UNet": ("downs", "bottleneck", "ups", "head"),
}


@torch.inference_mode()
def levels_and_layers(network: nn.Module, x: Tensor) -> tuple[Maps, Maps]:
    """The feature maps after every level, from input to logits, and within a MetaUNETR's encoder.

    The latter are those after each mixer ("1.2 mixer"), block ("1.2") and stage ("1"); a baseline
    has none.

    Args:
        x: (B, 1, D, H, W).
    """
    if not isinstance(network, MetaUNETR):
        return _after(_levels(network), network, x)[0], {}
    within, levels = _after(_layers(network), network.features, x)
    layers: Maps = {}
    for name, values in within.items():
        layers[name] = values
        stage, _, block = name.partition(".")
        if block == str(len(network.stages[int(stage) - 1].blocks)):
            layers[stage] = levels[f"stage{stage}"]
    return levels, layers


def _after(modules: dict[str, nn.Module], run, x: Tensor) -> tuple[Maps, Maps | Tensor]:
    """The output of each module during `run(x)`, in order of execution, and of `run(x)`."""
    maps: Maps = {}
    with ExitStack() as hooks:
        for name, module in modules.items():
            hook = module.register_forward_hook(
                lambda module, given, values, name=name: maps.__setitem__(name, values))
            hooks.callback(hook.remove)
        result = run(x)
    return maps, result


def _layers(network: MetaUNETR) -> dict[str, nn.Module]:
    return {
        f"{i}.{j}{suffix}": module
        for i, stage in enumerate(network.stages, 1)
        for j, block in enumerate(stage.blocks, 1)
        for suffix, module in ((" mixer", block.mixer), ("", block))
    }


def _levels(network: nn.Module) -> dict[str, nn.Module]:
    levels = {}
    for name in LEVELS_OF_BASELINES[type(network).__name__]:
        module = getattr(network, name)
        if isinstance(module, nn.ModuleList):
            levels |= {f"{name.rstrip('s')}{n}": part for n, part in enumerate(module, 1)}
        else:
            levels[name] = module
    return levels
