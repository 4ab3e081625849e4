"""Liver with its veins and the gallbladder in its bed."""

from __future__ import annotations

import numpy as np

from ..body import cavity, under_diaphragm
from ..phases import FAT
from ..shapes import Tube, ellipsoid, ellipsoid_box, rotation, smooth_max, smooth_min
from ..vessels import PORTAL

LIVER, GALLBLADDER = 6, 4

_PORTAL_BRANCHES = (
    ([(-46, -58, 40), (-62, -52, 44), (-80, -60, 50), (-98, -72, 56)], (6, 5, 3.4, 1.8)),
    ([(-62, -52, 44), (-80, -38, 40), (-100, -26, 36), (-114, -18, 30)], (5, 4, 2.8, 1.5)),
    ([(-80, -38, 40), (-92, -30, 58), (-100, -24, 78)], (3.5, 2.8, 1.5)),
    ([(-80, -60, 50), (-90, -74, 38), (-100, -84, 24)], (3.4, 2.6, 1.5)),
    ([(-46, -58, 40), (-30, -70, 52), (-12, -84, 58), (-6, -102, 60)], (5.5, 4.5, 4, 3)),
    ([(-6, -92, 60), (14, -98, 66), (32, -102, 72)], (3.4, 2.6, 1.5)),
    ([(-6, -102, 60), (-18, -112, 54), (-30, -116, 48)], (3, 2.2, 1.4)),
)
_HEPATIC_VEINS = (
    ([(-26, -50, 90), (-46, -40, 86), (-74, -32, 76), (-100, -30, 58)], (5.5, 4.8, 3.6, 1.8)),
    ([(-28, -54, 92), (-42, -72, 84), (-54, -88, 70), (-60, -98, 52)], (5, 4.2, 3.4, 1.8)),
    ([(-22, -58, 92), (-8, -74, 86), (8, -92, 80), (22, -104, 74)], (4.5, 3.8, 3, 1.6)),
    ([(-54, -88, 70), (-72, -92, 62), (-84, -96, 52)], (3, 2.4, 1.4)),
    ([(-74, -32, 76), (-82, -20, 62), (-88, -10, 46)], (3.2, 2.4, 1.4)),
)


def paint_liver(view):
    """Liver: under the right dome and down to an oblique visceral surface."""
    p = view.patient
    rng = p.rng("liver")
    tip = float(rng.uniform(-72, -42))  # lower end of the right lobe
    left = float(rng.uniform(48, 92))  # tip of the left lobe
    slope = float(rng.uniform(0.66, 0.82))
    caudal = float(rng.uniform(-6, 6))
    part = view.view((-200, -180, tip - 35), (left + 30, 70, 190))
    if part is None:
        return
    liver = _liver(part, tip, left, slope, caudal)
    part.paint(np.maximum(liver - 1.2, under_diaphragm(part)), FAT, 0)
    texture = 2.5 * part.noise("small") + 2 * part.noise("large")
    part.paint(liver, p.hu["liver"] + texture, LIVER)
    _paint_fissures(part, liver)
    for tree, tissue in ((_PORTAL_BRANCHES, "portal vein"), (_HEPATIC_VEINS, "hepatic veins")):
        for points, radii in tree:
            _paint_vein(part, liver, Tube(points, radii), p.hu[tissue])


def _liver(part, tip, left, slope, caudal):
    wobble = 3 * part.noise("large")
    # Visceral surface: rises from the right lower tip to the left, steeper in the back.
    lower = np.float32(tip) + slope * (part.x + 108) - 0.28 * (part.y + 70)
    under = (lower - part.z) * np.float32(0.75) + wobble
    # Left surface: along a line from the vena cava to the front left, right of the spine behind.
    front = 0.55 * (part.x + 16) + 0.83 * (part.y + 52) + 6 * np.square(part.x / 60)
    around_cava = 16 * np.exp(-np.square((part.z - 68) / 34))
    right = part.x + 34 - around_cava + 0.0045 * np.square(part.y + 34) - caudal
    medial = smooth_min(front, right, 24) + wobble
    end = (part.x - left) * 0.9 + 0.2 * (part.y + 110) + 0.4 * wobble
    body = smooth_max(smooth_max(under, medial, 22), end, 14)
    # The right kidney and the fat around it lie behind the liver, not within.
    bed = ellipsoid(part, (-60, 26, -26), (47, 54, 72), rotation(("y", -10)))
    body = smooth_max(body, -bed, 14)
    return smooth_max(under_diaphragm(part), body, 9)


def _paint_fissures(part, liver):
    """Fat of the falciform ligament's fissure and of the porta hepatis."""
    fissure = np.abs(part.x + 8 + 0.25 * (part.y + 100)) - 2.0
    fissure = smooth_max(fissure, part.z - 46, 6)
    fissure = np.maximum(fissure, part.y + 74)
    part.paint(np.maximum(fissure, np.maximum(-liver - 26, liver - 1)), FAT, 0)
    hilum, radii = (-36, -62, 26), (20, 10, 13)
    turn = rotation(("y", 25))
    gate = part.view(*ellipsoid_box(hilum, radii, turn, 6))
    if gate is not None:
        d = ellipsoid(gate, hilum, radii, turn) + 2.5 * gate.noise("medium")
        gate.paint(d, FAT, 0)


def _paint_vein(part, liver, tube, hu):
    window = part.window(tube.box[0] - 3, tube.box[1] + 3)
    inner = part.view(tube.box[0] - 3, tube.box[1] + 3)
    if inner is None:
        return
    d = np.maximum(tube.distance(inner), liver[window] + 1.5)
    np.copyto(d, 1e3, where=inner.labels == PORTAL)
    inner.paint(d, hu)


def paint_gallbladder(view):
    p = view.patient
    rng = p.rng("gallbladder")
    size = float(rng.uniform(0.85, 1.2))
    centre = np.array((-60, -84, -10)) + rng.uniform((-6, -6, -6), (6, 6, 6))
    radii = np.array((15, 33, 16)) * size
    turn = rotation(("x", float(rng.uniform(20, 40))), ("z", float(rng.uniform(10, 28))))
    part = view.view(*ellipsoid_box(centre, radii, turn, 6))
    if part is None:
        return
    d = ellipsoid(part, centre, radii, turn) + 0.8 * part.noise("medium")
    d = smooth_max(d, cavity(part) + 4, 6)
    part.paint(d, p.hu["gallbladder wall"], GALLBLADDER)
    part.paint(d + 1.6, p.hu["bile"])
