"""Colours of organs on pages and in pictures, which can be told apart.

Files keep the colours of Slicer's terminology, of which many are alike. In these, any two organs
differ by a ΔE2000 of at least 15, and neighbours in the body do so to people with protanopia,
deuteranopia or tritanopia as well (Machado et al., IEEE TVCG 2009;15:1291-1298).
"""

from __future__ import annotations

from metaunetr.organs import Organ

COLOURS = {
    "spleen": (139, 110, 255), "right kidney": (254, 195, 3), "left kidney": (158, 162, 95),
    "gallbladder": (35, 176, 139), "esophagus": (255, 156, 179), "liver": (241, 104, 62),
    "stomach": (218, 178, 244), "aorta": (203, 17, 14), "inferior vena cava": (21, 113, 202),
    "portal and splenic vein": (143, 254, 234), "pancreas": (240, 247, 180),
    "right adrenal gland": (128, 170, 234), "left adrenal gland": (17, 129, 98),
    "duodenum": (146, 90, 120), "urinary bladder": (130, 246, 104),
    "prostate or uterus": (240, 99, 186),
}


def shown_colour(organ: Organ) -> tuple[int, int, int]:
    """RGB, 0 to 255; of an organ without a colour here, that of the files."""
    return COLOURS.get(organ.name, organ.colour)
