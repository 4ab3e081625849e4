"""The provenance of a result: enough to repeat a run, or to see why two runs differ."""

from __future__ import annotations

import hashlib
import platform
from datetime import datetime, timezone
from typing import Any

import numpy as np
import SimpleITK as sitk
import torch

from metaunetr import __version__
from metaunetr.bundle import Bundle
from metaunetr.engine.backends import Backend
from metaunetr.engine.windows import Windows
from metaunetr.image import Image
from metaunetr.organs import Organ
from metaunetr.result import DISCLAIMER


def input_hash(image: Image) -> str:
    """SHA-256 of the voxels in file order and of the geometry, rounded to a micrometre."""
    digest = hashlib.sha256(np.ascontiguousarray(image.array).data)
    digest.update(str(image.array.dtype).encode())
    digest.update(np.round(image.grid.affine, 3).tobytes())
    return digest.hexdigest()


def provenance(
    image: Image, bundle: Bundle, organs: list[Organ] | None, backend: Backend, overlap: float,
    windows: Windows, largest_component: bool, seconds: dict[str, float], warnings: list[str],
) -> dict[str, Any]:
    """Plain JSON values; times in seconds, spacing in mm along (i, j, k).

    Args:
        organs: those asked for; None if all were wanted.
        seconds: of each stage.
    """
    device = str(backend.device)
    if backend.device.type == "cuda":
        device += f" ({torch.cuda.get_device_name(backend.device)})"
    return {
        "software": f"MetaUNETR {__version__}",
        "disclaimer": DISCLAIMER,
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "model": bundle.name,
        "model_sha256": bundle.sha256,
        "input_sha256": input_hash(image),
        "input_shape": list(image.grid.shape),
        "input_spacing_mm": [round(s, 6) for s in image.grid.spacing],
        "model_spacing_mm": list(bundle.preprocessing.spacing),
        "device": device,
        "threads": torch.get_num_threads(),
        "precision": str(backend.dtype).removeprefix("torch."),
        "precision_reason": backend.reason,
        "confidence": "expected Dice" if bundle.calibration else "mean probability",
        "overlap": overlap,
        "windows": len(windows),
        "window": list(windows.window),
        "largest_component": largest_component,
        **({} if organs is None else {"organs": [organ.name for organ in organs]}),
        "seconds": {stage: round(value, 2) for stage, value in seconds.items()},
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "SimpleITK": sitk.Version.VersionString(),
            "platform": platform.platform(),
        },
        "warnings": list(warnings),
    }
