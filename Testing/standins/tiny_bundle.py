"""A bundle of a few thousand random weights, and a small CT that it segments in a second."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from metaunetr.image import Grid, Image
from metaunetr.network import build

LABELS = ("background", "spleen", "right kidney", "left kidney", "liver")
ADAPTED = {  # what the card of an adapted model says
    "from": "tiny", "cases": 3, "reason": "",
    "organs": {"liver": {"n": 3, "dice": [0.81, 0.864], "nsd_2mm": [0.7, 0.75]}},
    "mean": {"n": 3, "dice": [0.81, 0.864], "nsd_2mm": [0.7, 0.75]},
}


def card(**changes: Any) -> dict[str, Any]:
    """A valid card but for the hash of the weights; `changes` replace its entries."""
    return {
        "format": 1,
        "name": "tiny",
        "title": "Random weights",
        "weights": "weights.safetensors",
        "architecture": {
            "family": "MetaUNETR", "in_channels": 1, "classes": len(LABELS), "feature_size": 4,
            "mixer": "tricruci_convolution", "mixer_options": {"kernel": 7},
            "depths": [1, 1, 1], "bottleneck": False, "activation": "gelu_tanh",
        },
        "preprocessing": {
            "spacing_mm": [6, 6, 6], "hu_window": [-125, 275], "antialias": 0.35,
            "body_crop": {"value": 0.05, "share": 0.02},
        },
        "patch": [32, 48, 48],
        "smallest_window": [32, 48, 48],
        "largest_window": [32, 48, 48],
        "overlap": 0.5,
        "labels": {str(number): name for number, name in enumerate(LABELS)},
    } | changes


def write_bundle(folder: Path, **changes: Any) -> Path:
    """Write a bundle with fixed random weights to `folder`.

    It finds no spleen and no left kidney: sides at random would look exchanged.
    """
    values = card(**changes)
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    weights = folder / "weights.safetensors"
    network = build(values["architecture"])
    network.head.bias.data[[1, 3]] = -1000
    save_file(network.state_dict(), weights)
    values.setdefault("sha256", hashlib.sha256(weights.read_bytes()).hexdigest())
    (folder / "card.json").write_text(json.dumps(values), encoding="utf-8")
    return folder


def small_ct(shape: tuple[int, int, int] = (24, 40, 48)) -> Image:
    """An elliptic body with fat, soft tissue, spine and noise in air; 36 × 30 × 12 cm."""
    noise = np.random.default_rng(7).normal(0, 12, shape)
    _, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    radius = np.hypot(y / 0.8, x / 0.85)
    hu = np.select([radius < 0.7, radius < 1.0], [50.0, -100.0], -1000.0)
    hu[np.hypot(y - 0.4, x) < 0.15] = 400
    hu = np.clip(hu + noise, -1024, 3071).astype(np.int16)
    spacing = (360 / shape[2], 300 / shape[1], 120 / shape[0])
    return Image(hu, Grid(shape, spacing, (-180.0, -150.0, 300.0)))
