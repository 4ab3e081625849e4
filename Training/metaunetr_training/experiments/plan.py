"""The networks of `experiment mixers`, which differ in nothing but the network and the seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from metaunetr.errors import InputError
from metaunetr.network import mixers
from metaunetr.network.sizes import FAMILY
from metaunetr_training.experiments.costs import parameters
from metaunetr_training.recipe import Network, Recipe
from metaunetr_training.training.requirements import require_trainable

FLOOR = ("identity", "pooling")  # mixers without weights
IDENTITY = FLOOR[0]
REFERENCE = "tricruci_convolution"  # what other architectures are compared with
FOUR_STAGES = {  # and a bottleneck block, by their mixers
    "four_stages_convolution": "tricruci_convolution",
    "four_stages_self_attention": "tricruci_self_attention",
}
# beside REFERENCE, with its mixer or their own
ARCHITECTURES = ("four_stages_convolution", "U-Net_nearest", "SwinUNETR_nearest")
# kinds of networks
MIXER, NO_MIXER, PUBLISHED = "mixer", "floor", "published mixer"
ARCHITECTURE, USUAL = "architecture", "usual size"
# feature sizes: the usual one, and the step between possible ones
BASELINES = {"U-Net": (32, 1), "SwinUNETR": (48, 12)}


@dataclass(frozen=True)
class Planned:
    """One network to train.

    Attributes:
        name: without the seed.
        kind: MIXER, NO_MIXER, PUBLISHED, ARCHITECTURE or USUAL.
    """

    name: str
    kind: str
    recipe: Recipe

    @property
    def seed(self) -> int:
        """Of initial weights, patches and augmentation."""
        return self.recipe.training.seed

    @property
    def folder(self) -> str:
        """The name of its run."""
        return f"{self.name}-{self.seed}"


def plan(recipe: Recipe, seeds: int, names: Sequence[str] = ()) -> list[Planned]:
    """All networks in the order of training, the most informative first.

    In the recipe's size: the TriCruci mixers, identity and pooling, with every seed. With every
    seed as well, four stages and a bottleneck block, and SwinUNETR and the U-Net in the size whose
    number of parameters is nearest to REFERENCE. With the first seed, the published mixers, and
    both baselines in their usual size.

    Args:
        names: only these networks; empty for all.

    Raises:
        InputError: a name is unknown, or a network cannot be trained with this recipe.
    """
    chosen = [(name, kind, network) for name, kind, network in _networks(recipe, names)
              if not names or name in names]
    planned = [
        _planned(recipe, name, kind, network, recipe.training.seed + number)
        for kinds in ((NO_MIXER, MIXER), (ARCHITECTURE,), (PUBLISHED,), (USUAL,))
        for number in range(seeds if kinds[0] in (NO_MIXER, ARCHITECTURE) else 1)
        for name, kind, network in chosen if kind in kinds
    ]
    for each in planned:
        try:
            require_trainable(each.recipe)
        except (InputError, ValueError) as error:
            raise InputError(f"{each.name}: {error}") from error
    return planned


def known_names() -> list[str]:
    """The names of all networks."""
    baselines = [f"{family}_{size}" for family in BASELINES for size in ("nearest", "usual")]
    return [*(each.name for each in mixers()), *FOUR_STAGES, *baselines]


def _networks(recipe: Recipe, names: Sequence[str]) -> list[tuple[str, str, Network]]:
    if unknown := [name for name in names if name not in known_names()]:
        raise InputError(f"there is no network {unknown[0]}; there are {', '.join(known_names())}")
    base = replace(recipe.network, family=FAMILY)
    found = []
    for each in mixers():
        kind = NO_MIXER if each.name in FLOOR else \
            PUBLISHED if each.name.startswith("published") else MIXER
        found.append((each.name, kind, _with_mixer(base, each.name)))
    for name, its_mixer in FOUR_STAGES.items():
        found.append((name, ARCHITECTURE, replace(_with_mixer(base, its_mixer), size="published")))
    for family, (usual, step) in BASELINES.items():
        sizes = {"nearest": (ARCHITECTURE, None), "usual": (USUAL, usual)}
        for size, (kind, feature_size) in sizes.items():
            name = f"{family}_{size}"
            if not names or name in names:  # needs MONAI
                feature_size = feature_size or _nearest(recipe, base, family, step)
                found.append((name, kind, replace(base, family=family, feature_size=feature_size)))
    return found


def _with_mixer(network: Network, mixer: str) -> Network:
    """The options of the recipe's mixer do not reach another."""
    options = network.mixer_options if mixer == network.mixer else {}
    return replace(network, mixer=mixer, mixer_options=options)


def _nearest(recipe: Recipe, base: Network, family: str, step: int) -> int:
    """The feature size whose number of parameters is nearest to that of REFERENCE."""
    def count(network: Network) -> int:
        return parameters(network, len(recipe.organs) + 1, recipe.training.patch)

    target = count(_with_mixer(base, REFERENCE))
    sizes = range(step, 1000, step)
    for smaller, larger in pairwise(sizes):
        low, high = (count(replace(base, family=family, feature_size=size))
                     for size in (smaller, larger))
        if high >= target:
            return smaller if target - low < high - target else larger
    return sizes[-1]


def _planned(recipe: Recipe, name: str, kind: str, network: Network, seed: int) -> Planned:
    training = replace(recipe.training, seed=seed)
    return Planned(name, kind, replace(recipe, name=f"{recipe.name} {name} {seed}",
                                       network=network, training=training))
