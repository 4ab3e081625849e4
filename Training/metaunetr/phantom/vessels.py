"""Aorta and vena cava with their branches, the portal and splenic vein."""

from __future__ import annotations

import numpy as np

from .body import spine_y
from .patient import CORTICAL, FAT
from .shapes import Tube

AORTA, VENA_CAVA, PORTAL = 8, 9, 10


def _at(*points):
    """Points whose y is measured from the spine."""
    return [(x, y + float(spine_y(z)), z) for x, y, z in points]


def _paint(view, tube: Tube, hu: float, label: int | None = 0, halo: float = 0.0, grow=None):
    part = view.view(tube.box[0] - halo - 3, tube.box[1] + halo + 3)
    if part is None:
        return None
    d = tube.distance(part)
    if grow:
        d = d + np.float32(grow) * part.noise("medium")
    if halo:
        part.paint(d - halo, FAT, 0)
    part.paint(d, hu, label)
    return part, d


def paint_aorta(view):
    p = view.patient
    rng = p.rng("aorta")
    r = float(rng.uniform(8.5, 11.5))
    sway = float(rng.uniform(-3, 5))
    hu = p.hu["aorta"]
    for points, radii in (
        (_at((9, -29, -40), (20, -28, -44), (48, -16, -30)), 2.6),  # left renal artery
        (_at((5, -28, -38), (-20, -18, -42), (-48, -12, -48)), 2.6),  # right renal artery
        (_at((9, -36, 6), (11, -52, 12), (24, -54, 20)), 3.2),  # coeliac trunk
        (_at((8, -36, -8), (6, -52, -24), (2, -62, -60), (-4, -66, -130)), 3.4),  # mesenteric
        (_at((6, -32, -103), (-14, -30, -135), (-42, -24, -190), (-56, -60, -260)), (6, 5, 5, 5)),
        (_at((6, -32, -103), (22, -28, -135), (46, -22, -190), (58, -60, -260)), (6, 5, 5, 5)),
    ):
        _paint(view, Tube(points, radii), hu, 0)
    trunk = Tube(
        _at((6, -32, -104), (8 + sway, -32, -70), (9 + sway, -31, -30), (8, -30, 10),
            (9, -29, 60), (16, -26, 120), (18, -24, 400)),
        (0.78 * r, 0.85 * r, 0.92 * r, r, 1.08 * r, 1.12 * r, 1.15 * r), steps=6,
    )
    painted = _paint(view, trunk, hu, AORTA, halo=1.5)
    if painted and rng.random() < 0.6:
        part, d = painted
        plaque = np.abs(d + 0.6) - 0.9 + 14 * np.maximum(1.55 - part.noise("medium"), 0)
        part.paint(np.maximum(plaque, part.z - 40), CORTICAL)


def paint_vena_cava(view):
    p = view.patient
    size = float(p.rng("vena cava").uniform(0.85, 1.15))
    below = 0.85 * p.hu["vena cava"] + 0.15 * 40
    for points, radii in (
        (_at((-16, -30, -28), (5, -44, -26), (28, -36, -28), (50, -18, -26)), 4),  # left renal
        (_at((-20, -30, -38), (-36, -20, -40), (-50, -14, -44)), 4.5),  # right renal
    ):
        _paint(view, Tube(points, radii, flatten=(1, 1.2, 1)), p.hu["renal veins"], 0)
    for points in (_at((-16, -24, -112), (-34, -16, -150), (-60, -50, -260)),
                   _at((-16, -24, -112), (10, -20, -140), (42, -12, -190), (62, -50, -260))):
        _paint(view, Tube(points, 6), below)
    tube = Tube(
        _at((-16, -25, -112), (-19, -30, -70), (-20, -32, -30), (-22, -36, 10), (-24, -48, 45),
            (-24, -58, 80), (-21, -66, 106)),
        np.array((10, 10.5, 11, 11.5, 12, 12.5, 13)) * size, flatten=(1, 1.25, 1), steps=6,
    )
    painted = _paint(view, tube, p.hu["vena cava"], VENA_CAVA, grow=0.6)
    if painted:
        part, d = painted
        mixed = below + (p.hu["vena cava"] - below) * np.clip((part.z + 60) / 50, 0, 1)
        part.paint(d, mixed)


def portal_axis():
    """Corners of the course of splenic and portal vein, for the pancreas in front of it."""
    splenic = [(92, -6, 40), (70, -18, 30), (42, -38, 22), (14, -54, 13), (-10, -58, 4)]
    portal = [(-10, -58, 4), (-20, -60, 16), (-32, -60, 30), (-46, -58, 40)]
    return splenic, portal


def paint_portal_veins(view):
    p = view.patient
    splenic, portal = portal_axis()
    hu = p.hu["portal vein"]
    mesenteric = [(-10, -58, 4), (-8, -64, -20), (-6, -72, -60), (0, -80, -120)]
    _paint(view, Tube(mesenteric, (5.5, 5.5, 5, 3)), hu, 0)
    _paint(view, Tube(splenic, (3.5, 4.2, 4.5, 5, 6)), hu, PORTAL)
    _paint(view, Tube(portal, (7, 7, 6.5, 6)), hu, PORTAL)


def paint_mesentery(view):
    """Small vessels in the fat between the bowel loops."""
    p = view.patient
    rng = p.rng("mesentery")
    for _ in range(26):
        end = rng.uniform((-95, -125, -180), (95, -70, -30))
        root = np.array((rng.uniform(-8, 4), -66, rng.uniform(-110, -25)))
        middle = (root + end) / 2 + rng.normal(0, 9, 3)
        tube = Tube([root, middle, end], (2.2, 1.5, 0.9))
        _paint(view, tube, 0.8 * p.hu["portal vein"])
