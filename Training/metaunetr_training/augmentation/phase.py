"""Another contrast phase: each organ is a little brighter or darker than it was.

Training images of random intensity by label make a network independent of contrast (Billot et
al., SynthSeg, Med Image Anal 2023;86:102789); here the CT is kept and only shifted, as contrast
medium shifts it. How much an organ enhances, relative to liver or spleen, follows the
time-attenuation curves in Bae, Radiology 2010;256:32-61: blood and kidneys most, bile and the
contents of hollow organs hardly.
"""

from __future__ import annotations

import torch
from torch import Tensor

from metaunetr.organs import Organ
from metaunetr_training.augmentation import separable
from metaunetr_training.augmentation.intensity import change

BORDER_MM = 2.0  # the shift fades over an organ's border as blurred as the border itself
ENHANCEMENT = {
    "aorta": 2.0, "inferior vena cava": 2.0, "portal and splenic vein": 2.0,
    "right kidney": 2.0, "left kidney": 2.0,
    "gallbladder": 0.3, "stomach": 0.5, "duodenum": 0.5, "esophagus": 0.5,
    "urinary bladder": 0.5,
}


def shifts(classes: tuple[Organ, ...], largest: float, generator: torch.Generator) -> Tensor:
    """(classes + 1,) by how much each class changes, 0 for background; in the unit of `largest`,
    which is that of an organ whose enhancement is 1. Both sides of an organ change together."""
    drawn = {organ.code: 2 * torch.rand((), generator=generator).item() - 1 for organ in classes}
    return torch.tensor([0.0] + [
        largest * ENHANCEMENT.get(organ.name, 1.0) * drawn[organ.code] for organ in classes
    ])


def change_phase(image: Tensor, labels: Tensor, shifts: Tensor,
                 spacing: tuple[float, float, float]) -> Tensor:
    """Adds `shifts[class]` to the voxels of each class, smoothly over borders.

    Args:
        image: (D, H, W) float32. labels: (D, H, W) uint8 class numbers.
        spacing: along (d, h, w), mm.
    """
    blur = tuple(
        separable.blur(length, BORDER_MM / step, image.device)
        for length, step in zip(image.shape, spacing, strict=True)
    )
    table = shifts.to(image.device)
    return change(image, separable.along_axes(table[labels.int()], blur))
