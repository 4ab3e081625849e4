"""What SimpleITK says about where an image lies, to compare our readers with."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from metaunetr.image import Grid


def grid_of(image: sitk.Image) -> Grid:
    """The grid of an image, of its first three axes if it has more."""
    axes = image.GetDimension()
    width, height, depth = image.GetSize()[:3]
    return Grid(
        (depth, height, width), image.GetSpacing()[:3], image.GetOrigin()[:3],
        np.array(image.GetDirection()).reshape(axes, axes)[:3, :3],
    )
