"""Liver with gallbladder, spleen, kidneys, pancreas and adrenal glands."""

from __future__ import annotations

import numpy as np

from .body import cavity, spine_y, under_diaphragm
from .patient import FAT
from .shapes import Tube, ellipsoid, ellipsoid_box, rotation, smooth_max, smooth_min
from .vessels import PORTAL

SPLEEN, RIGHT_KIDNEY, LEFT_KIDNEY, GALLBLADDER, LIVER = 1, 2, 3, 4, 6
PANCREAS, RIGHT_ADRENAL, LEFT_ADRENAL = 11, 12, 13


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
    axes = rotation(("y", 25))
    gate = part.view(*ellipsoid_box(hilum, radii, axes, 6))
    if gate is not None:
        d = ellipsoid(gate, hilum, radii, axes) + 2.5 * gate.noise("medium")
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
    axes = rotation(("x", float(rng.uniform(20, 40))), ("z", float(rng.uniform(10, 28))))
    part = view.view(*ellipsoid_box(centre, radii, axes, 6))
    if part is None:
        return
    d = ellipsoid(part, centre, radii, axes) + 0.8 * part.noise("medium")
    d = smooth_max(d, cavity(part) + 4, 6)
    part.paint(d, p.hu["gallbladder wall"], GALLBLADDER)
    part.paint(d + 1.6, p.hu["bile"])


def paint_spleen(view):
    p = view.patient
    rng = p.rng("spleen")
    size = float(rng.uniform(0.9, 1.12))
    reach = p.half_width - p.fat - p.wall  # the wall it lies on
    centre = np.array((reach - 32, 4, 52)) + rng.uniform((-3, -6, -6), (3, 6, 8))
    radii = np.array((44, 57, 55)) * size
    axes = rotation(("x", float(rng.uniform(-25, -10))), ("z", float(rng.uniform(-25, -10))))
    part = view.view(*ellipsoid_box(centre, radii, axes, 8))
    if part is None:
        return
    hollow_centre = centre + (-62, -30, -10)
    hollow = ellipsoid(part, hollow_centre, np.array((42, 46, 62)) * size, axes)
    d = ellipsoid(part, centre, radii, axes) + 2.2 * part.noise("large")
    d = smooth_max(d, -hollow, 12)
    roof = under_diaphragm(part)
    d = smooth_max(d, roof, 8)
    part.paint(np.maximum(d - 1.5, roof), FAT, 0)
    part.paint(d, p.hu["spleen"] + 2 * part.noise("small") + 2 * part.noise("large"), SPLEEN)
    hilum = centre + (-22, -16, -4)
    for end in ((10, -14, 16), (14, 0, -2), (8, 8, -20)):
        tube = Tube([hilum + (-10, 0, -4), hilum, hilum + end], (3, 2.6, 1.6))
        _paint_tube_outside(view, tube, SPLEEN, p.hu["portal vein"])


def _paint_tube_outside(view, tube, label, hu):
    """Paint the part of a tube that lies outside of `label`."""
    part = view.view(tube.box[0] - 3, tube.box[1] + 3)
    if part is not None:
        d = tube.distance(part)
        np.copyto(d, 1e3, where=part.labels == label)
        part.paint(d, hu)


def paint_kidneys(view):
    rng = view.patient.rng("kidneys")
    for side, label in ((-1, RIGHT_KIDNEY), (1, LEFT_KIDNEY)):
        size = float(rng.uniform(0.93, 1.08))
        lower = -34 if side < 0 else -16  # the liver pushes the right one down
        centre = np.array((side * 75, 0, lower)) + rng.uniform((-4, -4, -8), (4, 4, 8))
        axes = rotation(
            ("y", side * float(rng.uniform(8, 16))),  # upper poles nearer the spine
            ("x", float(rng.uniform(8, 18))),  # and further back
            ("z", side * float(rng.uniform(25, 42))),  # hilum to the front
        )
        _paint_kidney(view, side, label, centre, np.array((32, 26, 56)) * size, axes)


def _paint_kidney(view, side, label, centre, radii, axes):
    p = view.patient
    part = view.view(*ellipsoid_box(centre, radii, axes, 16))
    if part is None:
        return
    kidney = ellipsoid(part, centre, radii, axes) + 1.2 * part.noise("medium")
    inward = axes @ (-side, 0, 0)
    sinus = ellipsoid(part, centre + 17 * inward, (20, 10, 25), axes) + 2 * part.noise("small")
    notch = ellipsoid(part, centre + 34 * inward, (15, 10, 15), axes)
    parenchyma = smooth_max(smooth_max(kidney, -sinus, 4), -notch, 6)
    part.paint(ellipsoid(part, centre, radii + 7, axes), FAT, 0)
    part.paint(kidney, FAT, 0)
    part.paint(parenchyma, p.hu["kidney cortex"] + 2 * part.noise("small"), label)
    columns = 3.5 * part.noise("medium")
    medulla = smooth_max(parenchyma + 5, kidney + 8 + columns, 3)
    part.paint(medulla, p.hu["kidney medulla"] + 3 * part.noise("small"))
    pelvis = Tube(
        [centre + 10 * inward, centre + 24 * inward, centre + 36 * inward + (0, -4, -8),
         centre + 38 * inward + (0, -6, -40), centre + (-side * 36, -10, -90)],
        (3, 5, 4.5, 2.5, 2.2),
    )
    _paint_tube_outside(view, pelvis, label, p.hu["renal pelvis"])


def paint_pancreas(view):
    """Head in the duodenal loop, neck before the portal vein, tail towards the spleen."""
    p = view.patient
    rng = p.rng("pancreas")
    size = float(rng.uniform(0.9, 1.15))
    tail = rng.uniform(-6, 6, 3)
    course = Tube(
        [(-30, -56, -38), (-29, -62, -22), (-24, -68, -4), (-8, -73, 10), (16, -68, 20),
         (42, -52, 28), (66, -31, 33) + tail / 2, (86, -14, 37) + tail],
        np.array((9, 13, 13.5, 9, 9.5, 10.5, 10, 7)) * size, flatten=(1, 1.1, 0.9),
    )
    part = view.view(course.box[0] - 8, course.box[1] + 8)
    if part is None:
        return
    lobules = part.noise("small")
    d = course.distance(part) + 1.3 * lobules + 1.2 * part.noise("medium")
    part.paint(d - 2, FAT, 0)
    fatty = np.maximum(-lobules - 1.1, 0) * 40
    part.paint(d, p.hu["pancreas"] - fatty, PANCREAS)


def paint_adrenals(view):
    rng = view.patient.rng("adrenals")
    right = np.array((-29, -18, 26)) + rng.uniform((-2, -2, -4), (2, 2, 4))
    left = np.array((36, -16, 20)) + rng.uniform((-2, -2, -4), (3, 2, 4))
    _paint_adrenal(view, RIGHT_ADRENAL, right, ((-1, -9), (-5, 17), (3, 14)))
    _paint_adrenal(view, LEFT_ADRENAL, left, ((1, -9), (9, 14), (-4, 15)))


def _paint_adrenal(view, label, centre, tips):
    """A body with two limbs in each cross-section: a Y; flat and leaning upwards."""
    p = view.patient
    part = view.view(centre - (24, 28, 24), centre + (24, 28, 24))
    if part is None:
        return
    z = part.z - np.float32(centre[2])
    lean = (spine_y(centre[2] + 10) - spine_y(centre[2] - 10)) / 20
    x = part.x - np.float32(centre[0]) + 0.1 * z * np.sign(centre[0])
    y = part.y - np.float32(centre[1]) - (lean - 0.15) * z
    taper = 1 - np.square(z / 19)
    d = np.full(part.shape, 1e3, np.float32)
    for tip in tips:
        tx, ty = np.asarray(tip, np.float32)
        t = np.clip((x * tx + y * ty) / (tx * tx + ty * ty), 0, np.clip(taper, 0.2, 1))
        d = np.minimum(d, np.hypot(x - tx * t, y - ty * t))
    d = np.maximum(d - 2.3 + 0.4 * part.noise("small"), np.abs(z) - 18)
    part.paint(d - 2, FAT, 0)
    part.paint(d, p.hu["adrenal"], label)
