"""Starting from a bundle: its network and preprocessing, its weights, and organs added to them."""

from __future__ import annotations

import math
from dataclasses import replace

from torch import Tensor, nn

from metaunetr.bundle import Bundle, Preprocessing
from metaunetr.errors import BundleError, InputError
from metaunetr.network.sizes import FAMILY, SIZES
from metaunetr.organs import Organ
from metaunetr_training.recipe import Network, Recipe

SHARE = 0.01  # probability of an added organ at first, in shares of background's
HEAD = ("head.weight", "head.bias")  # one row a class


def adopt(recipe: Recipe, start: Bundle) -> Recipe:
    """`recipe` with what `start` fixes: network, preprocessing, patch and windows.

    The bundle's organs come first and in its order, then those that the recipe adds.

    Raises:
        BundleError: the bundle's network is none that a recipe can describe.
    """
    known = [organ.name for organ in start.classes]
    return replace(
        recipe,
        organs=tuple(known + [name for name in recipe.organs if name not in known]),
        preprocessing=start.preprocessing,
        network=_network(start),
        training=replace(recipe.training, patch=start.patch),
        inference=replace(recipe.inference, overlap=start.overlap,
                          smallest_window=start.smallest, largest_window=start.largest),
    )


def _network(start: Bundle) -> Network:
    defaults = {"mlp_ratio": 4, "activation": "gelu", "bottleneck": False,
                "full_resolution_channels": None}
    card = {"mixer_options": {}, **defaults, **start.card["architecture"]}
    for size, values in SIZES.items():
        if all(card[key] == value for key, value in {**defaults, **values}.items()):
            return Network(FAMILY, size, card["mixer"], card["mixer_options"],
                           card["feature_size"])
    raise BundleError(f"The network of the model {start.name} must be of the size "
                      f"{' or '.join(SIZES)} to be trained on; its depths are {card['depths']}.")


def check_preprocessing(preprocessing: Preprocessing, start: Bundle) -> None:
    """Whether cases prepared like this look to the network as those that it has learnt from.

    The spacing may differ: training goes on from a coarse spacing at a fine one, which a network
    learns in less time than from nothing.

    Raises:
        InputError: they do not; the message names the first difference.
    """
    for key in ("hu_window", "antialias", "body_crop"):
        here, there = getattr(preprocessing, key), getattr(start.preprocessing, key)
        if tuple(_list(here)) != tuple(_list(there)):
            raise InputError(
                f"Training from the model {start.name} needs its preprocessing: {key} is "
                f"{_list(there)} there and {_list(here)} here; prepare the cases with "
                f"preprocessing.{key}={_list(there)}."
            )


def initial_weights(network: nn.Module, classes: tuple[Organ, ...], start: Bundle) -> list[str]:
    """Copies the weights of `start` into `network`, which may have other classes.

    Rows of the last layer are matched by organ. The row of an added organ is that of background,
    which its voxels were taught as until now, with a bias that makes it SHARE as probable
    everywhere: so what the bundle finds stays as it is at first, while every voxel of the organ
    pulls with nearly the whole gradient of cross-entropy. (A prior of 0.01 for rare classes: Lin
    et al., Focal Loss for Dense Object Detection, ICCV 2017, section 3.3. Rows of small random
    values mean nothing definite: scores count only against each other, so they could be the
    highest where all others are low.)

    Args:
        classes: the organ of each channel of `network` from 1 on.

    Returns:
        The names of the added organs.

    Raises:
        BundleError: the networks differ in more than classes; the message names the first tensor.
    """
    weights, own = start.network().state_dict(), network.state_dict()
    _check_alike(own, weights, start.name)
    rows = {organ.number: row for row, organ in enumerate(start.classes, start=1)}
    for name in HEAD:
        weights[name] = weights[name][[0] + [rows.get(organ.number, 0) for organ in classes]]
    added = [row for row, organ in enumerate(classes, start=1) if organ.number not in rows]
    weights["head.bias"][added] += math.log(SHARE)
    network.load_state_dict(weights)
    return [classes[row - 1].name for row in added]


def _check_alike(own: dict[str, Tensor], weights: dict[str, Tensor], model: str) -> None:
    for name in [*own, *weights]:
        shapes = [tuple(tensors[name].shape[1:] if name in HEAD else tensors[name].shape)
                  if name in tensors else "absent" for tensors in (weights, own)]
        if shapes[0] != shapes[1]:
            raise BundleError(
                f"The model {model} cannot start this network: {name} is {shapes[0]} there and "
                f"{shapes[1]} here; train with the model's feature size, mixer, depths and patch."
            )


def _list(value) -> list:
    return list(value) if isinstance(value, tuple | list) else [value]
