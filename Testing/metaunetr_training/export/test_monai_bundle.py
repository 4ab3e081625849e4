"""MONAI's own commands verify the folder and run it, with the labels of `metaunetr segment`."""

import json
import os
import subprocess
import sys

import monai.bundle
import numpy as np
import pytest

from metaunetr import Segmenter, bundle, read_image, read_labels
from metaunetr.errors import BundleError
from metaunetr_training.export.bundle import environment
from metaunetr_training.export.monai_bundle import SCHEMA, export
from tiny_bundle import write_bundle

# What MONAI's specification demands; the schema itself is on the network only.
TENSOR = ("type", "format", "num_channels", "spatial_shape", "dtype", "value_range")
DEMANDED = {
    "type": "object",
    "required": ["schema", "version", "monai_version", "pytorch_version", "numpy_version",
                 "required_packages_version", "task", "description", "authors", "copyright",
                 "network_data_format"],
    "properties": {
        **{key: {"type": "string"} for key in (
            "schema", "version", "monai_version", "pytorch_version", "numpy_version", "task",
            "description", "authors", "copyright", "data_source", "data_type", "image_classes",
            "pred_classes", "intended_use")},
        **{key: {"type": "object"} for key in (
            "required_packages_version", "changelog", "eval_metrics")},
        "references": {"type": "array", "items": {"type": "string"}},
        "network_data_format": {"type": "object", "required": ["inputs", "outputs"], **{
            "properties": {key: {"additionalProperties": {
                "type": "object", "required": TENSOR, "properties": {
                    "num_channels": {"type": "integer"}, "is_patch_data": {"type": "boolean"},
                    "value_range": {"type": "array", "items": {"type": "number"}},
                    "channel_def": {"type": "object"}, "dtype": {"type": "string"},
                    "spatial_shape": {"type": "array"}}}} for key in ("inputs", "outputs")}}},
    },
}


@pytest.fixture(scope="module")
def folder(tiny, tmp_path_factory):
    return export(tiny, tmp_path_factory.mktemp("monai") / "tiny")


def test_metadata_is_verified(folder, tmp_path):
    schema = tmp_path / "schema.json"  # where it exists, nothing is downloaded
    schema.write_text(json.dumps(DEMANDED))
    monai.bundle.verify_metadata(meta_file=str(folder / "configs" / "metadata.json"),
                                 filepath=str(schema))
    with pytest.raises(ValueError, match="'task' is a required property"):
        broken = tmp_path / "metadata.json"
        broken.write_text(json.dumps({"schema": SCHEMA, "version": "1"} | {
            key: "" for key in DEMANDED["required"] if key not in ("task", "schema", "version")}))
        monai.bundle.verify_metadata(meta_file=str(broken), filepath=str(schema))


def test_the_network_is_verified(folder):
    monai.bundle.verify_net_in_out(
        net_id="network_def", meta_file=str(folder / "configs" / "metadata.json"),
        config_file=str(folder / "configs" / "inference.json"), device="cpu",
        bundle_root=str(folder))


def test_labels_are_those_of_the_engine(folder, tiny, ct, tmp_path):
    monai.bundle.run(config_file=str(folder / "configs" / "inference.json"), device="cpu",
                     bundle_root=str(folder), dataset_dir=str(ct), output_dir=str(tmp_path))
    expected = Segmenter(tiny, "cpu").segment(read_image(ct)).labels
    found = read_labels(tmp_path / "ct.nii.gz")
    np.testing.assert_array_equal(found.array, expected.array)
    assert len(np.unique(found.array)) > 1
    assert found.grid.same_as(expected.grid)


@pytest.mark.slow
def test_the_command_line_gives_the_same_labels(folder, tiny, ct, tmp_path):
    def run(*arguments):
        done = subprocess.run([sys.executable, "-m", *map(str, arguments)], cwd=folder, text=True,
                              capture_output=True, env=environment() | {"OMP_NUM_THREADS": "1"})
        assert done.returncode == 0, done.stderr

    run("monai.bundle", "verify_net_in_out", "network_def", "--meta_file",
        "configs/metadata.json", "--config_file", "configs/inference.json")
    run("monai.bundle", "run", "--config_file", "configs/inference.json", "--dataset_dir",
        ct.parent, "--output_dir", tmp_path / "monai")
    run("metaunetr", "segment", ct, "--model", tiny.folder, "-o", tmp_path / "ours.nii.gz")
    np.testing.assert_array_equal(read_labels(tmp_path / "monai" / "ct.nii.gz").array,
                                  read_labels(tmp_path / "ours.nii.gz").array)


def test_it_holds_no_pickle_and_is_a_model_folder(folder, tiny):
    files = {os.path.relpath(path, folder) for path in folder.rglob("*") if path.is_file()}
    assert files == {"configs/metadata.json", "configs/inference.json", "docs/README.md",
                     "models/card.json", "models/weights.safetensors"}
    assert bundle.load(folder / "models").sha256 == tiny.sha256


def test_damaged_weights_are_refused(tmp_path):
    damaged = bundle.load(write_bundle(tmp_path / "damaged", sha256="0" * 64))
    with pytest.raises(BundleError, match="SHA-256 differs"):
        export(damaged, tmp_path / "monai")
    assert not (tmp_path / "monai").exists()
