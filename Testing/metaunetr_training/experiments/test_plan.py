"""The networks of `experiment mixers`."""

from collections import Counter
from dataclasses import replace

import pytest
import torch

from metaunetr.engine.estimate import trial_size
from metaunetr.errors import InputError
from metaunetr_training import recipe as recipes
from metaunetr_training.experiments.costs import parameters
from metaunetr_training.experiments.plan import known_names, plan
from metaunetr_training.training.networks import build_network
from tiny_prepared import tiny_recipe


def test_all_networks_have_one_recipe_and_their_seeds():
    recipe = recipes.load("experiment")
    planned = plan(recipe, 2)
    assert list(dict.fromkeys(each.name for each in planned)) != known_names(), "another order"
    assert {each.name for each in planned} == set(known_names())
    assert len({each.folder for each in planned}) == len(planned)
    seeds = Counter(each.kind for each in planned)
    assert seeds == {"mixer": 12, "floor": 4, "architecture": 8, "published mixer": 5,
                     "usual size": 2}
    for each in planned:
        assert each.recipe.preprocessing == recipe.preprocessing
        assert each.recipe.augmentation == recipe.augmentation
        assert each.recipe.inference == recipe.inference
        assert each.seed in (0, 1)

    def count(name):
        network = next(each.recipe.network for each in planned if each.name == name)
        return parameters(network, 14, recipe.training.patch)

    target = count("tricruci_convolution")
    assert abs(count("U-Net_nearest") - target) < 0.1 * target
    four = count("four_stages_convolution")
    assert 80 < 100 * (1 - target / four) < 90, "the paper: about 80 % fewer"


@pytest.mark.parametrize("name", known_names())
def test_the_trial_of_a_window_works_with_every_network(name):
    recipe = recipes.load("experiment", ["network.feature_size=4"])
    chosen = plan(recipe, 1, (name,))[0].recipe.network
    small = replace(chosen, feature_size=12 if chosen.family == "SwinUNETR" else 4)
    network = build_network(small, 14, recipe.training.patch).eval()
    size = trial_size(recipe.training.patch, network.stride)
    assert size < recipe.training.patch
    with torch.no_grad():
        assert network(torch.zeros(1, 1, *size)).shape[2:] == size


def test_a_network_that_cannot_be_trained_is_named():
    recipe = tiny_recipe("training.patch=[32, 48, 64]", "inference.largest_window=[32, 48, 64]")
    assert plan(recipe, 1, ("pooling",))
    with pytest.raises(InputError, match=r"four_stages_convolution: .* divisible by 32"):
        plan(recipe, 1, ("pooling", "four_stages_convolution"))
    with pytest.raises(InputError, match="no network poling; there are identity"):
        plan(recipe, 1, ("poling",))


def test_options_of_the_recipes_mixer_do_not_reach_another():
    recipe = tiny_recipe("network.mixer_options={kernel: 5}")
    with_options, without = plan(recipe, 1, ("tricruci_convolution", "pooling"))[::-1]
    assert with_options.recipe.network.mixer_options == {"kernel": 5}
    assert not without.recipe.network.mixer_options
