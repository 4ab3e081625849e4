"""Weights, cards and records come from anywhere: nothing in them runs, leads elsewhere, or takes
memory that is not there."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import re
import struct
from pathlib import Path

import pytest
import torch

from metaunetr import bundle
from metaunetr.errors import BundleError
from tiny_bundle import write_bundle

ROOT = Path(__file__).parents[3]
PRODUCT = [*(ROOT / "Training").rglob("*.py"), *(ROOT / "MetaUNETRSegment").rglob("*.py"),
           ROOT / "run.py"]
FORBIDDEN = (
    r"^\s*(import|from) +(pickle|cPickle|dill|joblib|shelve|marshal|cloudpickle)\b",
    r"\btorch\.(load|save|jit\.load)\(", r"\ballow_pickle\s*=\s*True", r"\bnumpy\.load\(",
    r"(?<![\w.])(eval|exec)\(", r"\byaml\.(load|unsafe_load|full_load|load_all)\(",
    r"\bshell\s*=\s*True", r"\bos\.(system|popen)\(", r"\b__import__\(", r"\bextractall\(",
)


def test_nothing_in_the_product_runs_what_it_reads():
    assert len(PRODUCT) > 100
    forbidden = re.compile("|".join(f"(?:{pattern})" for pattern in FORBIDDEN))
    found = [f"{path.relative_to(ROOT)}:{number}: {line.strip()}" for path in PRODUCT
             for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
             if forbidden.search(line)]
    assert found == []


def safetensors(tensors: dict, data: bytes = bytes(64)) -> bytes:
    """A file with this header."""
    header = json.dumps(tensors).encode()
    return struct.pack("<Q", len(header)) + header + data


def tensor(shape: list[int], begin: int, end: int, dtype: str = "F32") -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


class Runs:
    """What a pickle could do: here, make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def pickled(folder: Path) -> bytes:
    return pickle.dumps(Runs(folder / "ran"))


def saved_by_torch(folder: Path) -> bytes:
    torch.save({"head.bias": Runs(folder / "ran")}, folder / "saved")
    return (folder / "saved").read_bytes()


@pytest.mark.parametrize("make", [
    pickled,
    saved_by_torch,
    lambda folder: safetensors({"head.bias": tensor([10**12], 0, 4 * 10**12)}),
    lambda folder: safetensors({"head.bias": tensor([2**63, 4], 0, 64)}),
    lambda folder: safetensors({"head.bias": tensor([-16], 0, 64)}),
    lambda folder: safetensors({"a": tensor([10], 0, 40), "b": tensor([10], 24, 64)}),
    lambda folder: safetensors({"a": tensor([16], 1000, 1064)}),
    lambda folder: safetensors({"a": tensor([16], 0, 64, "PYTHON")}),
    lambda folder: struct.pack("<Q", 10**12) + b"{}",
    lambda folder: struct.pack("<Q", 10**5) + b"[" * 10**5,
    lambda folder: b"",
    lambda folder: b"\x08\0\0\0",
], ids=lambda make: make.__name__)
def test_weights_that_would_run_overlap_or_take_all_memory(reader, tmp_path, make):
    path = write_bundle(tmp_path / "bundle") / "weights.safetensors"
    path.write_bytes(make(tmp_path))
    assert reader("weights", path) is None
    assert not (tmp_path / "ran").exists()
    with pytest.raises(BundleError, match="is not a valid safetensors file"):
        bundle.load(path.parent).network()


def trusted(folder: Path, data: bytes) -> Path:
    """The bundle with these weights, for which the card vouches."""
    (folder / "weights.safetensors").write_bytes(data)
    values = json.loads((folder / "card.json").read_text())
    values["sha256"] = hashlib.sha256(data).hexdigest()
    (folder / "card.json").write_text(json.dumps(values))
    return folder


def test_weights_longer_than_their_architecture_are_not_read(reader, tmp_path):
    path = write_bundle(tmp_path / "bundle") / "weights.safetensors"
    os.truncate(path, 1 << 40)  # takes no space on the disk
    assert reader("card", path) is None
    with pytest.raises(BundleError, match="the weights of this architecture have at most"):
        bundle.load(path.parent).network()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers(tmp_path, value):
    from safetensors.torch import load_file, save

    tensors = load_file(write_bundle(tmp_path) / "weights.safetensors")
    tensors["head.bias"][0] = value
    with pytest.raises(BundleError, match=r"has NaN or infinite values in tensor head\.bias"):
        bundle.load(trusted(tmp_path, save(tensors))).network()


@pytest.mark.parametrize("target", [
    "/dev/zero", "../other/weights.safetensors", "weights.safetensors",
])
def test_weights_that_are_a_link_out_of_the_folder(tmp_path, target):
    path = write_bundle(tmp_path / "bundle") / "weights.safetensors"
    write_bundle(tmp_path / "other")
    path.unlink()
    path.symlink_to(target)
    with pytest.raises(BundleError, match=r"must lie in the bundle's folder|cannot be read"):
        bundle.load(path.parent).network()


def test_a_folder_of_models_may_be_a_link(tmp_path):
    write_bundle(tmp_path / "bundle")
    (tmp_path / "link").symlink_to("bundle")
    bundle.load(tmp_path / "link").network()


def with_card(folder: Path, **changes) -> None:
    values = json.loads((folder / "card.json").read_text())
    architecture = changes.pop("architecture", {})
    values["architecture"] |= architecture
    (folder / "card.json").write_text(json.dumps(values | changes))


@pytest.mark.parametrize(("changes", "words"), [
    ({"format": 10**4000}, "has format 1000"),
    ({"overlap": 10**4000}, "overlap must be a number from 0 to 0.9"),
    ({"patch": [2**70] * 3}, "three whole numbers"),
    ({"architecture": {"depths": [1] * 10**5}}, "depths must be 1 to 8"),
    ({"architecture": {"depths": [10**9, 1, 1]}}, "depths must be 1 to 8"),
    ({"architecture": {"feature_size": 10**9}}, "feature_size must be"),
    ({"architecture": {"feature_size": 4000}}, "may take 4 GB of memory, .* one of 232 GB"),
    ({"architecture": {"mlp_ratio": 1e9}}, "may take 4 GB of memory"),
    ({"architecture": {"mlp_ratio": float("inf")}}, "describes no network"),
    ({"architecture": {"mixer_options": {"kernel": 10**12 + 1}}}, "architecture"),
    ({"architecture": {"mixer": "swin_attention", "mixer_options": {"window": 63}}}, "memory|card"),
    ({"architecture": {"mixer_options": {"__class__": "os.system"}}}, "describes no network"),
])
def test_cards_that_claim_too_much(reader, tmp_path, changes, words):
    with_card(write_bundle(tmp_path), **changes)
    assert reader("card", tmp_path / "card.json") is None
    with pytest.raises(BundleError, match=words):
        bundle.load(tmp_path).network()


@pytest.mark.parametrize(("bracket", "count"), [("[", 10**6), ('{"a":', 10**5), ("[", 10**9)])
def test_a_card_of_nested_brackets(reader, tmp_path, bracket, count):
    path = write_bundle(tmp_path) / "card.json"
    with open(path, "w") as file:
        file.write(bracket * min(count, 2 * 10**6))
        file.truncate(count)
    assert reader("card", path) is None
    with pytest.raises(BundleError, match=r"at most 1048576 bytes|not valid JSON"):
        bundle.load(tmp_path)


def test_a_card_that_is_a_pipe(tmp_path):
    path = write_bundle(tmp_path) / "card.json"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(BundleError, match="no ordinary file"):
        bundle.load(tmp_path)
