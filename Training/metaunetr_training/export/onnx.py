"""The network alone as an ONNX file, compared with PyTorch.

The file maps a window (1, 1, D, H, W) in the size of the bundle's patch, values 0 to 1, to logits
(1, classes, D, H, W); its metadata holds the card under "card". The size is fixed, since instance
norm and most mixers depend on it, and the comparison holds for this size alone. Sliding windows,
blending and resampling are not part of the file.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from metaunetr.bundle import Bundle
from metaunetr.errors import BundleError
from metaunetr.io.atomic import atomic
from metaunetr_training.export.target import refuse_existing

TOLERANCE = 1e-3  # relative to the largest logit; measured: 2e-5 for abdomen8-3mm
UNSUPPORTED = {"tricruci_mamba": "its scan becomes nodes for every token of every group of rows"}


@dataclass(frozen=True)
class Comparison:
    """ONNX Runtime against PyTorch on one patch of a phantom, fp32.

    Attributes:
        difference: largest absolute difference of logits.
        largest: largest absolute logit.
        other_class: share of voxels whose class differs.
    """

    difference: float
    largest: float
    other_class: float


def export(bundle: Bundle, path: Path) -> Comparison:
    """Writes `path` after ONNX Runtime has reproduced the logits of PyTorch.

    Raises:
        BundleError: the mixer cannot be expressed in ONNX, or the logits differ.
        OutputError: the file exists or cannot be written.
    """
    mixer = bundle.card["architecture"]["mixer"]
    require_exportable(mixer)
    refuse_existing(path)
    network, patch = bundle.network(), example(bundle)
    program = _trace(network, patch, mixer)
    program.model.metadata_props["card"] = json.dumps(bundle.card, ensure_ascii=False)
    with atomic(path) as temporary:
        program.save(temporary)
        found = compare(network, temporary, patch)
        if not found.difference <= TOLERANCE * found.largest:  # also of NaN
            raise BundleError(f"ONNX Runtime must give PyTorch's scores for {bundle.name}; they "
                              f"differ by up to {found.difference:.2g}.")
    return found


def require_exportable(mixer: str) -> None:
    """Checks that a mixer can be expressed in ONNX.

    Raises:
        BundleError: it cannot.
    """
    if mixer in UNSUPPORTED:
        raise BundleError(f"The mixer {mixer} cannot be exported to ONNX: {UNSUPPORTED[mixer]}.")


def example(bundle: Bundle) -> Tensor:
    """A phantom at the model spacing as input of the network, (1, 1, D, H, W)."""
    from metaunetr import phantom

    preprocessing = bundle.preprocessing
    made = phantom.make(0, shape=bundle.patch, spacing=preprocessing.spacing)
    low, high = preprocessing.hu_window
    scaled = (np.clip(made.image.array.astype(np.float32), low, high) - low) / (high - low)
    return torch.from_numpy(scaled.astype(np.float32))[None, None]


def compare(network: nn.Module, path: Path, patch: Tensor) -> Comparison:
    """Compares the logits of ONNX Runtime on the CPU with those of `network`."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"image": patch.numpy()})
    with torch.no_grad():
        expected = network(patch).numpy()
    return Comparison(
        difference=float(np.abs(found - expected).max()),
        largest=float(np.abs(expected).max()),
        other_class=float((found.argmax(1) != expected.argmax(1)).mean()),
    )


def _trace(network: nn.Module, patch: Tensor, mixer: str) -> torch.onnx.ONNXProgram:
    """Traces the network.

    With gradients: without, the network processes slices one by one on a CPU, and the graph has
    several times as many nodes. Attention as matrix products: the exporter fails on the output
    shape of fused attention.
    """
    quiet = logging.getLogger("torch.onnx")
    level = quiet.level
    quiet.setLevel(logging.ERROR)
    try:
        with (warnings.catch_warnings(), sdpa_kernel(SDPBackend.MATH), torch.enable_grad(),
              contextlib.redirect_stdout(io.StringIO())):
            warnings.simplefilter("ignore")
            return torch.onnx.export(network.requires_grad_(True), (patch,), dynamo=True,
                                     input_names=["image"], output_names=["scores"],
                                     verbose=False)
    except torch.onnx.OnnxExporterError as error:
        reason = str(error.__cause__ or error).strip().splitlines()[0]
        raise BundleError(f"The mixer {mixer} cannot be exported to ONNX: {reason}") from error
    finally:
        quiet.setLevel(level)
