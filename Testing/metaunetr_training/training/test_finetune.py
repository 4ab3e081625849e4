"""A network that starts from a bundle finds at first what the bundle finds, whatever is added."""

import math
from dataclasses import replace

import pytest
import torch

from metaunetr import bundle
from metaunetr.errors import BundleError, InputError
from metaunetr.network import build
from metaunetr.organs import BY_NAME
from metaunetr_training import recipe
from metaunetr_training.training.finetune import (
    fine_tuning_recipe,
    initial_weights,
    require_same_preprocessing,
)
from tiny_bundle import card, write_bundle

KNOWN = ("spleen", "right kidney", "left kidney", "liver")


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    return bundle.load(write_bundle(tmp_path_factory.mktemp("start") / "tiny"))


def network(organs, **changes):
    return build(card()["architecture"] | {"classes": len(organs) + 1} | changes).eval()


def organs(*names):
    return tuple(BY_NAME[name] for name in names)


def scores(net):
    with torch.no_grad():
        return net(torch.rand(1, 1, 32, 32, 32, generator=torch.Generator().manual_seed(1)))


@pytest.mark.parametrize("names, added", [
    (KNOWN, []),
    (KNOWN + ("pancreas",), ["pancreas"]),
    (("pancreas", *KNOWN, "aorta"), ["pancreas", "aorta"]),
    (("liver", "duodenum", "spleen"), ["duodenum"]),  # others are dropped
])
def test_rows_are_matched_by_organ(start, names, added):
    net = network(names)
    assert initial_weights(net, organs(*names), start) == added
    before, after = scores(start.network()), scores(net)
    rows = {"background": 0} | {name: row for row, name in enumerate(KNOWN, start=1)}
    for row, name in enumerate(("background", *names)):
        if name in rows:
            torch.testing.assert_close(after[:, row], before[:, rows[name]])
        else:
            expected = before[:, 0] + math.log(0.01)
            torch.testing.assert_close(after[:, row], expected, rtol=0, atol=1e-5)


def test_added_organs_take_no_voxel_at_first_but_their_own_pull_hard(start):
    names = (*KNOWN, "pancreas", "aorta")
    net = network(names)
    initial_weights(net, organs(*names), start)
    before, after = scores(start.network()), net(torch.rand(1, 1, 32, 32, 32))
    assert scores(net).argmax(1).equal(before.argmax(1))
    after.retain_grad()
    torch.nn.functional.cross_entropy(
        after, torch.full((1, 32, 32, 32), 5), reduction="sum").backward()
    assert after.grad[:, 5].max() < -0.98


@pytest.mark.parametrize("change, tensor", [
    ({"feature_size": 8}, "embed.weight"),
    ({"depths": [1, 2, 1]}, "stages.1.blocks.1"),
    ({"mixer_options": {"kernel": 5}}, "along.d.weight"),
    ({"mixer": "pooling", "mixer_options": {}}, "along.d.weight"),
    ({"bottleneck": True}, "bottleneck.conv1.weight"),
])
def test_another_architecture_is_refused(start, change, tensor):
    with pytest.raises(BundleError, match=f"tiny cannot start this network: .*{tensor}"):
        initial_weights(network(KNOWN, **change), organs(*KNOWN), start)


def test_a_recipe_adopts_what_the_bundle_fixes():
    start, fast = bundle.find("abdomen13-2mm"), recipe.load("fast")
    adopted = fine_tuning_recipe(replace(fast, organs=("duodenum", "liver")), start)
    assert adopted.organs == (*(organ.name for organ in start.classes), "duodenum")
    assert adopted.preprocessing == start.preprocessing
    assert adopted.network.size == "light"
    assert adopted.training == replace(fast.training, patch=start.patch)
    assert recipe.from_json(adopted.to_json(), "adopted") == adopted
    require_same_preprocessing(adopted.preprocessing, start)
    with pytest.raises(InputError, match=r"hu_window is \[-125.0, 275.0\] there and \[-175.0"):
        require_same_preprocessing(fast.preprocessing, start)


def test_a_network_of_no_size_is_not_adopted(start):
    message = r"efficient or light or published .* depths are \[1, 1, 1\]"
    with pytest.raises(BundleError, match=message):
        fine_tuning_recipe(recipe.load("fast"), start)
