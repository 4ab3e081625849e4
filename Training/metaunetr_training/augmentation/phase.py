"""Another contrast phase: each organ becomes brighter or darker.

Training on images of random intensity by label makes a network independent of contrast (Billot et
al., SynthSeg, Med Image Anal 2023;86:102789). Here the HU of each organ are shifted, as by contrast
medium. The enhancement of an organ relative to liver and spleen follows the time-attenuation curves
in Bae, Radiology 2010;256:32-61: largest for blood and kidneys, smallest for bile and the contents
of hollow organs.
"""

from __future__ import annotations

import torch
from torch import Tensor

from metaunetr.organs import Organ
from metaunetr_training.augmentation import separable
from metaunetr_training.augmentation.intensity import change
from metaunetr_training.data.prepared import UNKNOWN

BORDER_MM = 2.0  # Gaussian sigma of the shift at borders, like the blur of the CT
ENHANCEMENT = {
    "aorta": 2.0, "inferior vena cava": 2.0, "portal and splenic vein": 2.0,
    "right kidney": 2.0, "left kidney": 2.0,
    "gallbladder": 0.3, "stomach": 0.5, "duodenum": 0.5, "esophagus": 0.5,
    "urinary bladder": 0.5,
}


def shifts(classes: tuple[Organ, ...], largest: float, generator: torch.Generator) -> Tensor:
    """The random change of each class (classes + 1,), 0 for background.

    Both sides of a paired organ change equally.

    Args:
        largest: change of an organ whose enhancement is 1; the result has its unit.
    """
    drawn = {organ.code: 2 * torch.rand((), generator=generator).item() - 1 for organ in classes}
    return torch.tensor([0.0] + [
        largest * ENHANCEMENT.get(organ.name, 1.0) * drawn[organ.code] for organ in classes
    ])


def change_phase(image: Tensor, labels: Tensor, shifts: Tensor,
                 spacing: tuple[float, float, float]) -> Tensor:
    """Adds `shifts[class]` to the voxels of each class, smoothly over borders.

    Args:
        image: (D, H, W) float32. labels: (D, H, W) uint8 class numbers or UNKNOWN; what is unknown
            stays as it is, like the background.
        spacing: along (d, h, w), mm.
    """
    blur = tuple(
        separable.blur(length, BORDER_MM / step, image.device)
        for length, step in zip(image.shape, spacing, strict=True)
    )
    table = shifts.to(image.device)
    known = labels.masked_fill(labels == UNKNOWN, 0)
    return change(image, separable.along_axes(table[known.int()], blur))
