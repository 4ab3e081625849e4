"""Organs on pages can be told apart, also by people who see fewer colours."""

from itertools import combinations

import numpy as np
import pytest

from metaunetr.organs import ORGANS
from metaunetr.report.palette import COLOURS, shown_colour

LEAST = 15.0  # ΔE2000
# what people with these see of linear RGB: Machado et al. 2009, severity 1
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
}
NEIGHBOURS = {  # that touch or lie side by side in a slice
    "spleen": ("left kidney", "stomach", "pancreas", "left adrenal gland",
               "portal and splenic vein", "liver"),
    "right kidney": ("left kidney", "liver", "duodenum", "right adrenal gland",
                     "inferior vena cava", "gallbladder", "pancreas"),
    "left kidney": ("stomach", "pancreas", "left adrenal gland", "aorta",
                    "portal and splenic vein"),
    "gallbladder": ("liver", "duodenum", "stomach", "pancreas", "portal and splenic vein"),
    "esophagus": ("liver", "stomach", "aorta", "inferior vena cava", "left adrenal gland"),
    "liver": ("stomach", "aorta", "inferior vena cava", "portal and splenic vein", "pancreas",
              "right adrenal gland", "duodenum"),
    "stomach": ("aorta", "pancreas", "left adrenal gland", "duodenum",
                "portal and splenic vein"),
    "aorta": ("inferior vena cava", "pancreas", "left adrenal gland", "duodenum",
              "portal and splenic vein"),
    "inferior vena cava": ("portal and splenic vein", "pancreas", "right adrenal gland",
                           "duodenum"),
    "portal and splenic vein": ("pancreas", "duodenum", "left adrenal gland",
                                "right adrenal gland"),
    "pancreas": ("duodenum", "left adrenal gland"),
    "right adrenal gland": ("duodenum", "left adrenal gland"),
    "urinary bladder": ("prostate or uterus",),
}


def lab(rgb, seen):
    """CIELAB (D65) of sRGB colours, seen through a matrix of BLINDNESS."""
    linear = np.asarray(rgb) / 255
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.asarray(seen) @ linear, 0, 1)
    xyz = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                    [0.0193339, 0.1191920, 0.9503041]]) @ linear / (0.95047, 1, 1.08883)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(one, two):
    """ΔE2000 of two CIELAB colours (Sharma et al., Color Res Appl 2005;30:21-30)."""
    (l1, a1, b1), (l2, a2, b2) = one, two
    chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    hue = (h1 + turn / 2) % 360 if c1 * c2 else h1 + h2
    light, chroma = (l1 + l2) / 2 - 50, (c1 + c2) / 2
    weight = (1 - 0.17 * np.cos(np.radians(hue - 30)) + 0.24 * np.cos(np.radians(2 * hue))
              + 0.32 * np.cos(np.radians(3 * hue + 6)) - 0.2 * np.cos(np.radians(4 * hue - 63)))
    by_light = (l2 - l1) / (1 + 0.015 * light**2 / np.sqrt(20 + light**2))
    by_chroma = (c2 - c1) / (1 + 0.045 * chroma)
    by_hue = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / (1 + 0.015 * chroma * weight)
    rotation = -2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7)) * np.sin(
        np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    return np.sqrt(by_light**2 + by_chroma**2 + by_hue**2 + rotation * by_chroma * by_hue)


@pytest.mark.parametrize(("one", "two", "expected"), [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, 2.5, 0), (73, 25, -18), 27.1492), ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
])
def test_the_difference_is_that_of_the_paper(one, two, expected):
    assert difference(one, two) == pytest.approx(expected, abs=1e-4)


def test_every_organ_has_a_colour_of_its_own():
    assert COLOURS.keys() == {organ.name for organ in ORGANS}
    found = {pair: difference(*(lab(COLOURS[name], np.eye(3)) for name in pair))
             for pair in combinations(COLOURS, 2)}
    assert {pair: d for pair, d in found.items() if d < LEAST} == {}


@pytest.mark.parametrize("seen", BLINDNESS.values(), ids=BLINDNESS)
def test_neighbours_can_be_told_apart(seen):
    colours = {organ.name: lab(shown_colour(organ), seen) for organ in ORGANS}
    found = {(name, other): difference(colours[name], colours[other])
             for name, others in NEIGHBOURS.items() for other in others}
    assert {pair: d for pair, d in found.items() if d < LEAST} == {}
