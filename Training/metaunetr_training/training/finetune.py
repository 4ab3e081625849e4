"""Fine-tuning of a bundle: recipe, preprocessing, initial weights and additional organs."""

from __future__ import annotations

import math
from dataclasses import replace

from torch import Tensor, nn

from metaunetr.bundle import Bundle, Preprocessing
from metaunetr.errors import BundleError, InputError
from metaunetr.network.sizes import FAMILY, SIZES
from metaunetr.organs import Organ
from metaunetr_training.recipe import Network, Recipe

ADDED_PROBABILITY = 0.01  # initial probability of an added organ, relative to background's
HEAD = ("head.weight", "head.bias")  # one row per class


def fine_tuning_recipe(recipe: Recipe, start: Bundle) -> Recipe:
    """`recipe` with network, preprocessing, patch and windows of the bundle `start`.

    The organs of the bundle come first, in its order, then those that the recipe adds.

    Raises:
        BundleError: a recipe cannot describe the bundle's network.
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


def require_same_preprocessing(preprocessing: Preprocessing, start: Bundle) -> None:
    """Checks that cases are preprocessed as those that the bundle was trained on.

    The spacing may differ: a network that was trained at a coarse spacing learns a finer one in
    less time than from random weights.

    Raises:
        InputError: a value differs; the message names the first one.
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

    Rows of the last layer are matched by organ. An added organ gets the row of background, as
    which its voxels were labelled until now, with a bias that makes it ADDED_PROBABILITY as
    probable. So the labels do not change before the first step, and the voxels of the added organ
    still have nearly the full gradient of cross-entropy. (Prior of 0.01 for rare classes: Lin et
    al., Focal Loss for Dense Object Detection, ICCV 2017, section 3.3. Small random rows would
    give the highest logits wherever all others are negative.)

    Args:
        classes: the organ of each channel of `network` from 1 on.

    Returns:
        the names of the added organs.

    Raises:
        BundleError: the networks differ in more than classes; the message names the first
            different tensor.
    """
    weights, own = start.network().state_dict(), network.state_dict()
    _require_same_shapes(own, weights, start.name)
    rows = {organ.number: row for row, organ in enumerate(start.classes, start=1)}
    for name in HEAD:
        weights[name] = weights[name][[0] + [rows.get(organ.number, 0) for organ in classes]]
    added = [row for row, organ in enumerate(classes, start=1) if organ.number not in rows]
    weights["head.bias"][added] += math.log(ADDED_PROBABILITY)
    network.load_state_dict(weights)
    return [classes[row - 1].name for row in added]


def _require_same_shapes(own: dict[str, Tensor], weights: dict[str, Tensor], model: str) -> None:
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
