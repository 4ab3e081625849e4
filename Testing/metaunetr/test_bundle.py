"""Bundles: the bundled one computes its pinned logits, and every kind of damage is reported."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import metaunetr
from metaunetr import bundle
from metaunetr.errors import BundleError
from tiny_bundle import card, write_bundle

PINNED = {  # logits at (class, d, h, w), computed when the model was bundled
    (0, 54, 91, 98): 2.7307,
    (1, 17, 44, 7): -9.0856,
    (2, 4, 2, 33): -10.0068,
    (3, 52, 93, 175): -3.1672,
    (4, 32, 87, 186): -7.6632,
    (5, 46, 91, 104): -4.2213,
    (6, 35, 134, 53): -3.0566,
    (7, 52, 96, 0): -1.8844,
    (8, 25, 123, 106): -8.5681,
    (9, 2, 110, 140): -4.052,
    (10, 54, 25, 17): -6.8485,
    (11, 55, 3, 103): -8.7419,
    (12, 5, 43, 92): -9.4737,
    (13, 27, 58, 5): -4.9697,
}


@pytest.fixture(scope="module")
def logits() -> np.ndarray:
    """Scores (C, D, H, W) of the default model for a formula."""
    model = bundle.find()
    i = np.arange(np.prod(model.patch), dtype=np.float64)
    x = 0.5 + 0.5 * np.sin(0.013 * i + 0.5 * np.sin(0.0031 * i))
    x = torch.from_numpy(x.astype(np.float32)).view(1, 1, *model.patch)
    with torch.no_grad():
        return model.network()(x)[0].numpy()


def test_the_default_model_computes_the_pinned_logits(logits):
    for position, expected in PINNED.items():
        assert logits[position] == pytest.approx(expected, abs=1e-3)


def test_a_network_is_rebuilt_from_its_card(tmp_path):
    architecture = card()["architecture"] | {
        "mixer": "tricruci_global_filter", "mixer_options": {}, "depths": [1, 2],
        "patch": [32, 48, 48], "activation": "gelu",
    }
    model = bundle.load(write_bundle(tmp_path, architecture=architecture))
    network = model.network()
    assert [len(stage.blocks) for stage in network.stages] == [1, 2]
    assert not network.training
    for name, weight in load_file(tmp_path / "weights.safetensors").items():
        assert torch.equal(network.state_dict()[name], weight)
    assert [organ.name for organ in model.classes] == [
        "spleen", "right kidney", "left kidney", "liver"]


def nested(key: str, **changes) -> dict:
    return {key: card()[key] | changes}


def test_a_card_that_lacks_an_entry(tmp_path):
    write_bundle(tmp_path)
    values = json.loads((tmp_path / "card.json").read_text())
    for key in ("format", "name", "weights", "sha256", "architecture", "preprocessing", "patch",
                "smallest_window", "largest_window", "overlap", "labels"):
        without = {name: value for name, value in values.items() if name != key}
        (tmp_path / "card.json").write_text(json.dumps(without))
        with pytest.raises(BundleError, match=key):
            bundle.load(tmp_path)


@pytest.mark.parametrize(("changes", "words"), [
    ({"format": 2}, "has format 2, this version reads up to 1; update"),
    ({"format": 0}, "whole number `format`"),
    ({"format": True}, "whole number `format`"),
    ({"name": 7}, "name must be a text: 7"),
    ({"weights": "../weights.safetensors"}, "inside the bundle's folder"),
    ({"weights": "/etc/passwd"}, "inside the bundle's folder"),
    ({"weights": "C:weights"}, "inside the bundle's folder"),
    ({"weights": "weights\0"}, "inside the bundle's folder"),
    ({"weights": "\ud800"}, "inside the bundle's folder"),
    ({"weights": ""}, "inside the bundle's folder"),
    ({"name": "a\x1b[2J"}, "without control characters"),
    ({"title": "a\nb"}, "without control characters"),
    ({"labels": {}}, "numbered from 0 without gaps"),
    (nested("labels", **{"7": "aorta"}), "numbered from 0 without gaps"),
    (nested("labels", **{"5": "tail"}), "not: tail"),
    (nested("labels", **{"4": ["liver"]}), r"not: \['liver'\]"),
    (nested("labels", **{"4": "spleen"}), "an organ may occur once"),
    (nested("labels", **{"5": "aorta"}), "classes of the architecture must be 6.*: 5"),
    (nested("architecture", in_channels=2), "in_channels of the architecture must be 1.*: 2"),
    (nested("architecture", depths=3), "depths must be a list: 3"),
    (nested("architecture", depths=[1, 1, 1, 1]), r"window must be .* divisible by 32: \[32, 48"),
    ({"patch": [32, 48, 48.0]}, "patch must be three whole numbers"),
    ({"patch": [32, 48, 1024]}, "patch must be three whole numbers from 8 to 512"),
    ({"smallest_window": [48, 48, 48]}, "between smallest_window and largest_window"),
    ({"overlap": 1}, "overlap must be a number from 0 to 0.9: 1"),
    ({"overlap": True}, "overlap must be a number"),
    ({"overlap": float("nan")}, "overlap must be a number from 0 to 0.9: nan"),
    (nested("preprocessing", spacing_mm=[3, 3]), "spacing_mm must be 3 numbers"),
    (nested("preprocessing", spacing_mm=[3, 3, 0]), "spacing_mm must be a number from 0.1 to 20"),
    (nested("preprocessing", hu_window=[275, -125]), "hu_window must rise"),
    (nested("preprocessing", body_crop={"value": 0.05}), "lacks 'share'"),
    ({"calibration": [0.5]}, "calibration must be an object"),
    ({"precision": "bfloat16"}, "precision must be auto or float32: 'bfloat16'"),
])
def test_a_wrong_card(tmp_path, changes, words):
    write_bundle(tmp_path)
    values = json.loads((tmp_path / "card.json").read_text()) | changes
    (tmp_path / "card.json").write_text(json.dumps(values))
    with pytest.raises(BundleError, match=words) as refused:
        bundle.load(tmp_path)
    assert str(refused.value).startswith(str(tmp_path / "card.json"))


@pytest.mark.parametrize(("text", "words"), [
    (b"{", "not valid JSON"), (b"\xff\xfe", "not valid JSON"),
    (b"[" * 100_000, "not valid JSON"), (b"[1]", "must be a JSON object"),
])
def test_what_is_no_card(tmp_path, text, words):
    (tmp_path / "card.json").write_bytes(text)
    with pytest.raises(BundleError, match=words):
        bundle.load(tmp_path)


@pytest.mark.parametrize(("changes", "words"), [
    ({"mixer": "shuffling"}, "mixer must be one of .*tricruci_convolution.*'shuffling'"),
    ({"mixer": ["tricruci_convolution"]}, "architecture"),
    ({"feature_size": "4"}, "feature_size must be a whole number"),
    ({"bottleneck": True}, r"lacks tensor bottleneck"),
])
def test_an_architecture_that_does_not_fit_its_weights(tmp_path, changes, words):
    write_bundle(tmp_path)
    values = json.loads((tmp_path / "card.json").read_text())
    values["architecture"] |= changes
    (tmp_path / "card.json").write_text(json.dumps(values))
    with pytest.raises(BundleError, match=words) as refused:
        bundle.load(tmp_path).network()
    assert "\n" not in str(refused.value)


def rewrite(folder: Path, change) -> None:
    """Change the weights of a bundle, and the hash in its card with them."""
    path = folder / "weights.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    values = json.loads((folder / "card.json").read_text())
    values["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "card.json").write_text(json.dumps(values))


@pytest.mark.parametrize(("change", "words"), [
    (lambda t: t.pop("head.bias"), r"lacks tensor head\.bias \(1 in all\)"),
    (lambda t: t.update(extra=torch.zeros(1)), r"has the unknown tensor extra \(1 in all\)"),
    (lambda t: t.update({"head.bias": torch.zeros(6)}), r"a wrong shape for tensor head\.bias"),
])
def test_tensors_that_do_not_fit(tmp_path, change, words):
    write_bundle(tmp_path)
    rewrite(tmp_path, change)
    with pytest.raises(BundleError, match=words):
        bundle.load(tmp_path).network()


def test_weights_that_are_not_those_of_the_card(tmp_path):
    path = write_bundle(tmp_path) / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(BundleError, match=r"SHA-256 differs from the card's .*Install the model"):
        bundle.load(tmp_path).network()


def test_weights_that_are_missing(tmp_path):
    (write_bundle(tmp_path) / "weights.safetensors").unlink()
    with pytest.raises(BundleError, match=r"weights cannot be read \(No such file"):
        bundle.load(tmp_path).network()


def test_the_folder_of_the_user_is_searched_first(tmp_path, monkeypatch):
    monkeypatch.setenv("METAUNETR_MODELS", str(tmp_path))
    mine = write_bundle(tmp_path / "mine", name="mine")
    changed = write_bundle(tmp_path / bundle.DEFAULT_MODEL)
    assert bundle.find("mine").folder == mine
    assert bundle.find().folder == changed
    assert bundle.find(mine).folder == mine  # a path is as good as a name


def test_without_a_folder_of_the_user_the_bundled_model_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("METAUNETR_MODELS", str(tmp_path / "none"))
    assert bundle.find().name == bundle.DEFAULT_MODEL
    assert str(Path(metaunetr.__file__).parents[2]) in str(bundle.find().folder)


@pytest.mark.parametrize(("platform", "variables", "expected"), [
    ("linux", {"HOME": "/home/me"}, "/home/me/.local/share/MetaUNETR/Models"),
    ("linux", {"XDG_DATA_HOME": "/data"}, "/data/MetaUNETR/Models"),
    ("darwin", {"HOME": "/Users/me"}, "/Users/me/Library/Application Support/MetaUNETR/Models"),
    ("win32", {"LOCALAPPDATA": "/me/Local"}, "/me/Local/MetaUNETR/Models"),
    ("linux", {"METAUNETR_MODELS": "/lab/models"}, "/lab/models"),
])
def test_the_folder_of_the_user(monkeypatch, platform, variables, expected):
    for name in ("METAUNETR_MODELS", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.platform", platform)
    assert bundle.user_folder() == Path(expected)


def test_an_unknown_model_is_refused_with_those_that_are_known(tmp_path, monkeypatch):
    monkeypatch.setenv("METAUNETR_MODELS", str(tmp_path))
    write_bundle(tmp_path / "mine")
    with pytest.raises(BundleError, match=r"No model is called 'yours'\. Known: mine, abdomen13"):
        bundle.find("yours")
