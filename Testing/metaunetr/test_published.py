"""Parity with the published implementation.

`network/published_small.json` holds logits of small networks computed by running the released code
(commit 2f57ea4), in the form that `python -m metaunetr.published` checks. The Vision Permutator is
large for every size that the released code can run, so its mixer is pinned by itself.
"""

import json
from pathlib import Path

import pytest
import torch

from metaunetr import published
from metaunetr.network.mixers.mlp import Permutator
from metaunetr.network.registry import Place

SMALL = Path(__file__).parent / "network/published_small.json"
SHARED = Path(__file__).parents[3] / "shared/reference/published.json"
CASES = {case["name"]: case for case in json.loads(SMALL.read_text())}

# tokens at (sample, D, H, W, channel)
PERMUTATOR = [
    ((1, 1, 0, 1, 3), -0.035837),
    ((1, 1, 0, 1, 4), -0.157879),
    ((1, 2, 3, 0, 7), 0.041718),
    ((0, 2, 1, 0, 5), -0.145309),
    ((0, 2, 1, 0, 5), -0.145309),
    ((0, 2, 2, 3, 3), -0.064475),
]


@pytest.mark.parametrize("name", ["convolution", "recurrence", "self_attention", "global_filter"])
def test_small_networks_give_the_published_logits(name):
    assert published.error_of(CASES[name]) <= 1e-4


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.exists(), reason="the reference outputs are not here")
def test_reference_outputs():
    assert published.main([str(SHARED)]) == 0


def test_the_permutator_gives_the_published_numbers():
    """WeightedPermuteMLP(8, segment_dim=4) of the released code on tokens (2, 4, 4, 4, 8)."""
    prefix = "encoder_backbone.layers1.0.layer.0.vip."
    linear = [(f"mlp_{axis}", 8, 8) for axis in "chwd"]
    layers = [*linear, ("reweight.fc1", 2, 8), ("reweight.fc2", 32, 2), ("proj", 8, 8)]
    entries = []
    for layer, rows, columns in layers:
        entries += [[f"{prefix}{layer}.weight", [rows, columns], "float32"]]
        entries += [[f"{prefix}{layer}.bias", [rows], "float32"]]
    mixer = Permutator(Place(channels=8, grid=(4, 4, 4), block=0), segments=4)
    weights = published.deterministic_weights(entries).items()
    ours = "stages.0.blocks.0.mixer."
    mixer.load_state_dict({published.our_name(k).removeprefix(ours): v for k, v in weights})
    with torch.no_grad():
        y = mixer(published.deterministic_input(2, 4, 4, 4, 8))
    for position, value in PERMUTATOR:
        assert float(y[position]) == pytest.approx(value, abs=1e-5)


def shift_a_logit(case):
    case["sample_values"][3] += 2e-4


def drop_an_entry(case):
    del case["state_dict"][5]


def rename_an_entry(case):
    case["state_dict"][5][0] += "x"


def change_a_shape(case):
    case["state_dict"][0][1] = [12, 1, 3, 3, 3]


def change_the_encoder(case):
    case["config"]["encoder"] = "resnet"


def change_the_down_sampling(case):
    case["config"]["downsample"] = "merging"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (shift_a_logit, "largest difference 2.0e-04"),
        (drop_an_entry, "Missing key"),
        (rename_an_entry, "Unexpected key"),
        (change_a_shape, "size mismatch"),
        (change_the_encoder, "not resnet"),
        (change_the_down_sampling, "not merging"),
    ],
)
def test_a_miss_is_named_and_exits_with_1(spoil, message, tmp_path, capsys):
    case = json.loads(json.dumps(CASES["recurrence"]))
    spoil(case)
    (tmp_path / "cases.json").write_text(json.dumps([case]))
    assert published.main([str(tmp_path / "cases.json")]) == 1
    printed = capsys.readouterr().out
    assert "MISS recurrence" in printed
    assert message in printed


@pytest.mark.parametrize("name", CASES)
def test_every_weight_of_ours_has_one_published_name(name):
    case = CASES[name]
    entries = [e[0] for e in case["state_dict"] if not published.CONSTANTS.search(e[0])]
    ours = [published.our_name(e) for e in entries]
    with torch.device("meta"):
        expected = published.network(case["config"], case["size"]).state_dict()
    assert sorted(ours) == sorted(expected)
