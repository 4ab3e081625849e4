"""A bundle for `python -m monai.bundle`, which runs the engine of this project.

    configs/metadata.json    description of the model, after MONAI's schema
    configs/inference.json   network_def, and `run`: every CT of dataset_dir → labels in output_dir
    models/                  card.json and weights, a bundle of this project
    docs/README.md

The labels are those of `metaunetr segment`, since the same engine makes them; this package must be
installed. Weights are safetensors, verified by their hash: MONAI's `model.pt` would be a pickle,
which can run code when it is read.
Specification: https://docs.monai.io/en/latest/mb_specification.html
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import monai
import numpy as np
import SimpleITK as sitk
import torch

from metaunetr import __version__, bundle
from metaunetr.bundle import CARD, Bundle
from metaunetr_training.export.target import new_folder

SCHEMA = ("https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/"
          "meta_schema_20240725.json")
REFERENCES = [
    "Lyu, Zhang, Zhang, Liu, Wang, Zhu: MetaUNETR: Rethinking Token Mixer Encoding for Efficient "
    "Multi-Organ Segmentation. MICCAI 2024.",
]
README = """\
# {title}

{intended_use}

    python -m monai.bundle run --config_file configs/inference.json --bundle_root . \\
        --dataset_dir CTS --output_dir LABELS

segments every CT (NIfTI, NRRD, MetaImage, DICOM series) in the folder CTS; labels are organ
numbers on each CT's own grid: {numbers}. It needs `metaunetr` {version}, whose engine does the
work. `models` is a model folder for `metaunetr segment --model` as well.

Training data: {data_licence}
Weights: {weights_licence}
"""


def export(model: Bundle, folder: Path) -> Path:
    """Writes a MONAI bundle with the network of a bundle.

    Raises:
        BundleError: the weights are damaged.
        OutputError: the folder exists or cannot be written.
    """
    model.network()
    with new_folder(folder) as place:
        for name in ("configs", "models", "docs"):
            (place / name).mkdir()
        for name in (CARD, model.card["weights"]):
            shutil.copyfile(model.folder / name, place / "models" / name)
        bundle.load(place / "models")
        _write_json(place / "configs" / "metadata.json", metadata(model))
        _write_json(place / "configs" / "inference.json", inference())
        text = README.format(
            title=_text(model, "title", model.name), version=__version__,
            intended_use=_text(model, "intended_use", "Research."),
            data_licence=_text(model, "data_licence"),
            weights_licence=_text(model, "weights_licence"),
            numbers=", ".join(f"{organ.number} {organ.name}" for organ in model.classes),
        )
        (place / "docs" / "README.md").write_text(text, encoding="utf-8")
    return folder


def inference() -> dict[str, Any]:
    """The values of inference.json, each of which a command may override."""
    return {
        "imports": [
            "$import sys", "$from pathlib import Path", "$import metaunetr.batch as batch",
        ],
        "bundle_root": ".",
        "dataset_dir": "$@bundle_root + '/data'",
        "output_dir": "$@bundle_root + '/eval'",
        "device": "auto",
        "models": "$@bundle_root + '/models'",
        "model": {"_target_": "metaunetr.bundle.load", "folder": "@models"},
        "network_def": "$@model.network()",
        "options": {
            "_target_": "metaunetr.batch.Options", "output": "$Path(@output_dir)",
            "suffixes": "$('.nii.gz',)", "model": "@models", "device": "@device",
        },
        "report": "$lambda event: event.get('line') and print(event['line'])",
        "run": ["$batch.run([Path(@dataset_dir)], @options, @report) and sys.exit(7)"],
    }


def metadata(model: Bundle) -> dict[str, Any]:
    """The values of metadata.json, from the card."""
    shape, accuracy = list(model.patch), model.card.get("accuracy")
    labels = {"0": "background"} | {
        str(channel): organ.name for channel, organ in enumerate(model.classes, start=1)}
    preprocessing = model.preprocessing
    spacing = " × ".join(f"{s:g}" for s in preprocessing.spacing)
    low, high = preprocessing.hu_window
    values = {
        "schema": SCHEMA,
        "version": "1.0.0",
        "changelog": {"1.0.0": f"exported from {model.name}, weights {model.sha256[:12]}"},
        "monai_version": monai.__version__,
        "pytorch_version": torch.__version__.partition("+")[0],
        "numpy_version": np.__version__,
        "required_packages_version": {
            "metaunetr": __version__, "SimpleITK": sitk.Version.VersionString(),
        },
        "name": _text(model, "title", model.name),
        "task": _text(model, "task", "organs in CT"),
        "description": f"MetaUNETR, {_text(model, 'title', model.name)}: "
                       f"{', '.join(organ.name for organ in model.classes)}. Input at {spacing} "
                       f"mm, HU {low:g} to {high:g} scaled to 0..1.",
        "authors": "see the card of the model",
        "copyright": _text(model, "weights_licence"),
        "data_source": _text(model, "data_licence"),
        "data_type": "NIfTI, NRRD, MetaImage or DICOM",
        "image_classes": "one channel, HU scaled to [0, 1]",
        "pred_classes": f"{len(labels)} channels of scores",
        "intended_use": _text(model, "intended_use", "Research."),
        "references": REFERENCES,
        "network_data_format": {
            "inputs": {"image": _tensor("hounsfield", "CT", {"0": "image"}, shape, [0, 1])},
            "outputs": {"pred": _tensor("labels", "n/a", labels, shape, [])},
        },
    }
    if isinstance(accuracy, dict):
        values["eval_metrics"] = accuracy
    return values


def _tensor(kind: str, modality: str, channels: dict[str, str], shape: list[int], span: list):
    return {
        "type": "image", "format": kind, "modality": modality, "num_channels": len(channels),
        "spatial_shape": shape, "dtype": "float32", "value_range": span, "is_patch_data": True,
        "channel_def": channels,
    }


def _text(model: Bundle, key: str, missing: str = "not stated") -> str:
    return str(model.card.get(key) or missing)


def _write_json(path: Path, values: dict[str, Any]) -> None:
    text = json.dumps(values, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
