"""Grey values: contrast, brightness, gamma and noise. Images are 0 to 1 over the HU window."""

from __future__ import annotations

import torch
from torch import Tensor

AIR = 0.1  # from here down to 0, changes fade away


def change(image: Tensor, difference: Tensor) -> Tensor:
    """The image with `difference` added, except to air.

    Air lies hundreds of HU below the window: after any change of scanner or contrast medium it
    is still 0, and so it is in everything the network is ever applied to.
    """
    return (image + difference * (image / AIR).clamp(0, 1)).clamp_(0, 1)


def contrast(image: Tensor, factor: float) -> Tensor:
    """Stretched about the mean of what is not air."""
    tissue = (image > AIR).sum().clamp_min(1)
    mean = torch.where(image > AIR, image, 0).sum() / tissue
    return change(image, (image - mean) * (factor - 1))


def brightness(image: Tensor, added: float) -> Tensor:
    return change(image, torch.full((), added, device=image.device))


def gamma(image: Tensor, exponent: float) -> Tensor:
    return image.pow(exponent)


def noise(image: Tensor, sigma: float, generator: torch.Generator) -> Tensor:
    """White Gaussian noise, drawn by a generator of the image's device."""
    field = torch.empty_like(image).normal_(0, sigma, generator=generator)
    return change(image, field)
