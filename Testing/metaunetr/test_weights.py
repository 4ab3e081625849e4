"""How weights are stored, and that what cannot be such a file is refused."""

import hashlib
import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from metaunetr import bundle
from metaunetr.errors import BundleError
from metaunetr.weights import dequantized, quantized
from tiny_bundle import write_bundle


def test_weights_come_back_within_half_a_step_of_their_channel():
    generator = torch.Generator().manual_seed(0)
    kernel = torch.randn(8, 4, 3, 3, 3, generator=generator) * 10.0 ** torch.arange(-4, 4).reshape(
        8, 1, 1, 1, 1)
    kernel[2] = 0
    stored = quantized({"kernel": kernel, "bias": torch.tensor([0.5, -2.0])})
    assert {name: tensor.dtype for name, tensor in stored.items()} == {
        "kernel": torch.int8, "kernel:scale": torch.float32, "bias": torch.float16}
    found = dequantized(stored)
    assert found.keys() == {"kernel", "bias"}
    step = kernel.abs().amax(dim=(1, 2, 3, 4), keepdim=True) / 127
    assert ((found["kernel"] - kernel).abs() <= 0.501 * step).all()
    assert (found["kernel"][2] == 0).all()
    assert found["bias"].tolist() == [0.5, -2.0]


def without_scale(tensors):
    del tensors["head.weight:scale"]


def with_scale(scale):
    def change(tensors):
        tensors["head.weight:scale"] = scale
    return change


@pytest.mark.parametrize(("change", "words"), [
    (without_scale, r"has no real numbers in tensor head\.weight"),
    (with_scale(torch.ones(1)), r"has the unknown tensor head\.weight:scale"),
    (with_scale(torch.full((5, 1, 1, 1, 1), torch.nan)), r"NaN or infinite values in tensor head"),
])
def test_integers_without_their_scale_are_no_weights(tmp_path, change, words):
    path = write_bundle(tmp_path) / "weights.safetensors"
    tensors = quantized(load_file(path))
    save_file(tensors, path)
    trust(path)
    bundle.load(tmp_path).network()
    change(tensors)
    save_file(tensors, path)
    trust(path)
    with pytest.raises(BundleError, match=words):
        bundle.load(tmp_path).network()


def trust(path):
    card = path.with_name("card.json")
    values = json.loads(card.read_text())
    values["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    card.write_text(json.dumps(values))
