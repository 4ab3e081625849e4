"""Images of SimpleITK as arrays, and the reasons of its errors."""

from __future__ import annotations

import re

import numpy as np
import SimpleITK as sitk

sitk.ProcessObject.SetGlobalWarningDisplay(False)  # errors are raised


def array_of(image: sitk.Image) -> np.ndarray:
    """The voxels (D, H, W) of `image`, not copied; they keep it alive."""
    return np.asarray(_Voxels(image))


class _Voxels:
    def __init__(self, image: sitk.Image) -> None:
        self.image = image
        self.__array_interface__ = sitk.GetArrayViewFromImage(image).__array_interface__


def reason(error: RuntimeError) -> str:
    """The line of an ITK exception that gives the reason."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reasons = [line for line in lines if line.startswith(("Reason:", "["))]
    line = reasons[-1] if reasons else next((line for line in lines if "ERROR:" in line), lines[-1])
    return re.sub(r"^(Reason:|\[\w+\] (\w+:)?|.*ERROR: \w+\(\w+\):)\s*", "", line)
