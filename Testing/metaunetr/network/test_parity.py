"""Parity with the published implementation.

`published_small.json` holds logits of small networks computed by running the released code (commit
2f57ea4). The Vision Permutator is large for every size that the released code can run, so its mixer
is pinned by itself.
"""

import json
from pathlib import Path

import pytest
import torch

from metaunetr.network.mixers.mlp import Permutator
from metaunetr.network.registry import Place

from . import parity

SMALL = Path(__file__).with_name("published_small.json")
REFERENCE = Path(__file__).parents[4] / "shared/reference/published.json"
CASES = {case["name"]: case for case in json.loads(SMALL.read_text())}


@pytest.mark.parametrize("name", ["convolution", "recurrence", "self_attention", "global_filter"])
def test_small_networks_give_the_published_logits(name):
    assert parity.error_of(CASES[name]) <= 1e-4


@pytest.mark.slow
@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference outputs are not part of a clone")
def test_the_reference_outputs():
    assert parity.main([str(REFERENCE)]) == 0


# tokens at (sample, D, H, W, channel)
PERMUTATOR = [
    ((1, 1, 0, 1, 3), -0.035837),
    ((1, 1, 0, 1, 4), -0.157879),
    ((1, 2, 3, 0, 7), 0.041718),
    ((0, 2, 1, 0, 5), -0.145309),
    ((0, 2, 2, 3, 3), -0.064475),
]


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
    weights = parity.deterministic_weights(entries).items()
    here = "stages.0.blocks.0.mixer."
    mixer.load_state_dict({parity.translated(k).removeprefix(here): v for k, v in weights})
    with torch.no_grad():
        y = mixer(parity.deterministic_input(2, 4, 4, 4, 8))
    for position, value in PERMUTATOR:
        assert float(y[position]) == pytest.approx(value, abs=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_every_weight_has_one_published_name(name):
    case = CASES[name]
    entries = [e[0] for e in case["state_dict"] if not parity.CONSTANTS.search(e[0])]
    with torch.device("meta"):
        expected = parity.network(case["config"], case["size"]).state_dict()
    assert sorted(map(parity.translated, entries)) == sorted(expected)


def test_a_difference_is_named_and_exits_with_1(tmp_path, capsys):
    case = json.loads(json.dumps(CASES["convolution"]))
    case["sample_values"][3] += 2e-4
    (tmp_path / "cases.json").write_text(json.dumps([CASES["convolution"], case]))
    assert parity.main([str(tmp_path / "cases.json")]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("ok   convolution")
    assert second.startswith("MISS convolution") and "largest difference 2.0e-04" in second
