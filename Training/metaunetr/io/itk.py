"""Writing NRRD and MetaImage through SimpleITK, and its images as arrays."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from metaunetr.image import Image

sitk.ProcessObject.SetGlobalWarningDisplay(False)  # errors are raised


def array_of(image: sitk.Image) -> np.ndarray:
    """The voxels (D, H, W) of `image`, not copied; they keep it alive."""
    return np.asarray(_Voxels(image))


class _Voxels:
    def __init__(self, image: sitk.Image) -> None:
        self.image = image
        self.__array_interface__ = sitk.GetArrayViewFromImage(image).__array_interface__


def write_itk(path: Path, image: Image, header: dict[str, str] | None = None) -> None:
    """Write `image`, compressed, with `header` as key/value pairs (NRRD only).

    Raises:
        OSError: the disk is full or may not be written.
    """
    out = sitk.GetImageFromArray(image.array)
    out.SetSpacing([float(s) for s in image.grid.spacing])
    out.SetOrigin([float(o) for o in image.grid.origin])
    out.SetDirection(np.asarray(image.grid.direction, float).ravel().tolist())
    for key, value in (header or {}).items():
        out.SetMetaData(key, value)
    try:
        sitk.WriteImage(out, str(path), useCompression=True, compressionLevel=1)
    except RuntimeError as error:
        raise OSError(reason(error)) from None


def reason(error: RuntimeError) -> str:
    """The line of an ITK exception that gives the reason."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reasons = [line for line in lines if line.startswith(("Reason:", "["))]
    line = reasons[-1] if reasons else next((line for line in lines if "ERROR:" in line), lines[-1])
    return re.sub(r"^(Reason:|\[\w+\] (\w+:)?|.*ERROR: \w+\(\w+\):)\s*", "", line)
