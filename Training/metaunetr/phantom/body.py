"""The trunk: skin, fat, the muscular wall, the diaphragm, lungs and heart."""

from __future__ import annotations

import numpy as np

from .patient import AXIS_Y, FAT, LUNG, SKIN
from .shapes import Tube, ellipsoid, ellipsoid_box, smooth_max

_SUPER = 2.5  # exponent of the trunk's outline: between an ellipse and a rectangle


def spine_y(z):
    """Where the middle of the vertebral bodies runs: lordosis below, kyphosis above."""
    u2 = np.square((z + 80) / 100)
    return -12 + 30 * u2 / (1 + u2)


def skin(view):
    """Distance to the skin."""
    return view.field("skin", _skin)


def _skin(view):
    """A superellipse in each cross-section, flatter in the back than in the front."""
    p = view.patient
    inverse = np.float32(1 / p.half_width)
    u = np.abs(view.x) * inverse
    dy = view.y - np.float32(AXIS_Y)
    depth = np.where(dy < 0, np.float32(1 / p.front), np.float32(1 / p.back))
    v = np.abs(dy) * depth
    u15, v15 = u * np.sqrt(u), v * np.sqrt(v)
    value = u15 * u + v15 * v
    radial = value ** np.float32(1 / _SUPER)  # 1 on the skin, 0 on the axis of the trunk
    u15 *= inverse
    v15 *= depth
    slope = np.sqrt(u15 * u15 + v15 * v15)
    return (radial - 1) * value / np.maximum(radial * slope, np.float32(1e-6))


def cavity(view):
    """Distance to the inside of the muscular wall, of chest and abdomen alike."""
    return skin(view) + np.float32(view.patient.fat + view.patient.wall)


def diaphragm(view):
    """Distance to the space below the diaphragm; negative there."""
    return view.field("diaphragm", _diaphragm)


def under_diaphragm(view):
    """Distance to the space that liver and spleen fill: what the diaphragm's leaf leaves free."""
    return smooth_max(diaphragm(view) + 2.2, cavity(view) + 1.8, 3)


def _diaphragm(view):
    """Two domes, higher on the right, that meet the wall lower in the back than in front."""
    p = view.patient
    reach = np.float32(0.5 * (p.front + p.back) - p.fat - p.wall - 1)
    rho = np.maximum(1 + (cavity(view) + 1) / reach, 0)  # 1 on the wall, 0 deep inside
    edge = 8 - np.float32(0.36) * view.y
    right = np.exp(-np.square((view.x + 68) * np.float32(1 / 48)))
    left = np.exp(-np.square((view.x - 70) * np.float32(1 / 45)))
    top = 88 + np.float32(p.domes[0]) * right + np.float32(p.domes[1]) * left
    steep = 1 / np.maximum(top - edge, 20)
    w = np.maximum(view.z - edge, 0) * steep
    rho15, w15 = rho * np.sqrt(rho), w * np.sqrt(w)
    value = rho15 * rho + w15 * w - 1
    rho15 /= reach
    w15 *= steep
    slope = np.sqrt(rho15 * rho15 + w15 * w15)
    return value / np.maximum(np.float32(_SUPER) * slope, np.float32(4e-3))


def paint_trunk(view):
    """Skin, fat under it, and the muscular wall with its layers; inside it, visceral fat."""
    p = view.patient
    depth = skin(view)
    view.paint(depth, SKIN)
    view.paint(depth + 2, FAT + 6 * view.noise("medium"))
    _paint_wall(view.only((depth > -p.fat - p.wall - 2) & (depth < 2 - p.fat)))
    view.paint(cavity(view), FAT + 7 * view.noise("medium") + 5 * view.noise("small"))


def _paint_wall(view):
    """Three flat muscles at the flanks, two straight ones in front, fat planes between them."""
    p = view.patient
    depth = skin(view) + p.fat
    share = np.clip(-depth / p.wall, 0, 1)  # 0 at the outside of the wall, 1 at its inside
    planes = np.exp(-np.square((share - 0.36) * 14)) + np.exp(-np.square((share - 0.70) * 14))
    flank = np.clip((np.abs(view.x) - 55) / 20, 0, 1) * np.clip((60 - view.z) / 30, 0.25, 1)
    white_lines = np.exp(-np.square(view.x / 5)) + 0.8 * np.exp(
        -np.square((np.abs(view.x) - 62) / 5)
    )
    lean = np.clip(1 - 0.5 * planes * flank - 0.8 * white_lines * (view.y < AXIS_Y), 0, 1)
    streaks = 7 * view.noise("small")
    view.paint(depth, FAT + (p.hu["muscle"] - FAT) * lean + streaks)


def paint_chest(view):
    """Lungs with their vessels, mediastinal fat, the heart's lower part, the diaphragm."""
    p = view.patient
    above = view.view((-250, -250, -30), (250, 250, 600))
    if above is None:
        return
    chest = smooth_max(cavity(above) + 1.5, -diaphragm(above), 4)
    vessels = np.maximum(above.noise("medium") - 1.4, 0) * 320
    above.paint(chest, LUNG + 35 * above.noise("large") + vessels)
    middle = above.view((-45, -110, -30), (55, 60, 600))
    if middle is not None:
        dy = middle.y - spine_y(middle.z) + 34
        mediastinum = np.hypot((middle.x - 6) / np.float32(1.1), dy) - 30
        inside = smooth_max(cavity(middle) + 2.5, -diaphragm(middle) + 1, 4)
        middle.paint(np.maximum(mediastinum, inside), FAT)
    leaf = np.maximum(np.abs(diaphragm(above) + 1.2) - 1.4, cavity(above))
    above.paint(leaf, p.hu["muscle"])
    _paint_heart(above)


def _paint_heart(view):
    p = view.patient
    centre, radii = (24, -72, 138), (66, 50, 52)
    part = view.view(*ellipsoid_box(centre, radii, margin=12))
    if part is None:
        return
    lobe = 2.5 * part.noise("large")
    heart = ellipsoid(part, centre, radii) + lobe
    part.paint(np.maximum(heart - 8, -diaphragm(part) + 1), FAT)
    heart = smooth_max(heart, -diaphragm(part) + 4, 8)
    part.paint(heart, p.hu["myocardium"])
    part.paint(heart + 9, p.hu["heart"])
    septum = np.abs((part.x - 18) * 0.75 - (part.y + 72) * 0.66) - 5
    part.paint(np.maximum(septum, heart + 4), p.hu["myocardium"])


def paint_back_muscles(view):
    """Psoas, quadratus lumborum, erector spinae and the crura, each in its own fat."""
    p = view.patient
    for side in (-1, 1):
        for points, radii, flatten, halo in _muscles(side):
            tube = Tube(points, radii, flatten=flatten)
            part = view.view(tube.box[0] - 8, tube.box[1] + 8)
            if part is None:
                continue
            d = tube.distance(part) + 1.2 * part.noise("medium")
            d = smooth_max(d, skin(part) + np.float32(p.fat + 1), 6)
            if halo:
                part.paint(d - halo, FAT, 0)
            marbling = np.maximum(part.noise("small") - 1, 0) * 45
            part.paint(d, p.hu["muscle"] + 4 * part.noise("medium") - marbling, 0)


def _muscles(side: int):
    def path(*points):
        return [(side * x, y + float(spine_y(z)), z) for x, y, z in points]

    yield (  # erector spinae and multifidus
        path((30, 46, -260), (32, 48, -150), (36, 48, -60), (36, 46, 30), (34, 42, 120),
             (30, 38, 400)),
        (19, 23, 24, 23, 19, 17), (0.72, 1, 1), 1.0,
    )
    yield (path((66, 32, -110), (62, 33, -60), (52, 30, -8)), (10, 9, 5), (0.7, 1, 1), 1.5)
    yield (  # psoas
        path((78, -48, -260), (60, -22, -180), (46, -8, -120), (36, 2, -70), (29, 8, -25),
             (25, 10, 15)),
        (19, 20, 19, 15, 10, 5), (1, 1, 1), 1.5,
    )
    yield (  # crus of the diaphragm
        path((11, -18, -50), (14, -22, 0), (19, -22, 40), (22, -26, 70)), (3, 4.5, 4.5, 3),
        (1, 1, 1), 0.0,
    )

