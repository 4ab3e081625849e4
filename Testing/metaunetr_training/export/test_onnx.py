"""ONNX Runtime gives PyTorch's scores, for every mixer that can be expressed."""

import json

import onnx
import pytest

from metaunetr import bundle
from metaunetr.errors import BundleError, OutputError
from metaunetr.network import mixers
from metaunetr_training.export import onnx as exporting
from metaunetr_training.export.onnx import UNSUPPORTED, example, export
from tiny_bundle import card, write_bundle

PATCH = [32, 48, 48]


def model(folder, mixer):
    """Of one stage: tracing takes seconds for each."""
    options = {"mixer": mixer, "mixer_options": {}, "patch": PATCH, "depths": [1]}
    return bundle.load(write_bundle(folder, architecture=card()["architecture"] | options))


@pytest.mark.slow
def test_the_file_describes_itself(tiny, tmp_path):
    found = export(tiny, tmp_path / "tiny.onnx")
    assert found.difference < 3e-4  # float32 beside scores of -1000
    assert found.other_class == 0
    loaded = onnx.load(tmp_path / "tiny.onnx")
    assert json.loads({p.key: p.value for p in loaded.metadata_props}["card"]) == tiny.card
    shape = [d.dim_value for d in loaded.graph.input[0].type.tensor_type.shape.dim]
    assert shape == [1, 1, *tiny.patch]
    with pytest.raises(OutputError, match="exists"):
        export(tiny, tmp_path / "tiny.onnx")


@pytest.mark.parametrize("mixer", sorted(UNSUPPORTED))
def test_what_cannot_be_expressed_is_refused(mixer, tmp_path):
    with pytest.raises(BundleError, match=f"{mixer} cannot be exported to ONNX"):
        export(model(tmp_path / mixer, mixer), tmp_path / "no.onnx")
    assert not (tmp_path / "no.onnx").exists()


@pytest.fixture(scope="module")
def phantom(tiny):
    """The example of all bundles here: they have one patch and spacing."""
    return example(tiny)


@pytest.mark.slow
@pytest.mark.parametrize("mixer", sorted({m.name for m in mixers()} - UNSUPPORTED.keys()))
def test_every_other_mixer_is_exported(mixer, tmp_path, phantom, monkeypatch):
    """For mamba, there is torch.export: `test_mixers`."""
    monkeypatch.setattr(exporting, "example", lambda bundle: phantom)
    found = export(model(tmp_path / mixer, mixer), tmp_path / "net.onnx")
    assert found.difference < 3e-4
