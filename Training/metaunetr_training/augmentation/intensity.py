"""Grey values: contrast, brightness, gamma and noise. Images are 0 to 1 over the HU window."""

from __future__ import annotations

import torch
from torch import Tensor

AIR = 0.1  # changes decrease linearly from here to 0


def change(image: Tensor, difference: Tensor) -> Tensor:
    """The image with `difference` added, except to air.

    Air lies hundreds of HU below the HU window, so no change of scanner or contrast medium makes
    it brighter than 0.
    """
    return (image + difference * (image / AIR).clamp(0, 1)).clamp_(0, 1)


def contrast(image: Tensor, factor: float) -> Tensor:
    """Contrast multiplied by `factor`, about the mean of all voxels but air."""
    tissue = (image > AIR).sum().clamp_min(1)
    mean = torch.where(image > AIR, image, 0).sum() / tissue
    return change(image, (image - mean) * (factor - 1))


def brightness(image: Tensor, added: float) -> Tensor:
    """`added` in shares of the HU window, except in air."""
    return change(image, torch.full((), added, device=image.device))


def gamma(image: Tensor, exponent: float) -> Tensor:
    """The image to the power of `exponent`."""
    return image.pow(exponent)


def noise(image: Tensor, sigma: float, generator: torch.Generator) -> Tensor:
    """White Gaussian noise, except in air; the generator is on the image's device."""
    field = torch.empty_like(image).normal_(0, sigma, generator=generator)
    return change(image, field)
