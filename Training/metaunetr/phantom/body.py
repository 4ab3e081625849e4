"""The trunk: skin, fat, the muscular wall, the diaphragm, lungs and heart."""

from __future__ import annotations

import numpy as np

from .phases import FAT, LUNG, SKIN
from .shapes import Tube, ellipsoid, ellipsoid_box, smooth_max

AXIS_Y = -25.0  # of the trunk, in front of the spine
_SUPER = 2.5  # exponent of the trunk's outline: between an ellipse and a rectangle


def spine_y(z):
    """Where the middle of the vertebral bodies runs: lordosis below, kyphosis above."""
    u2 = np.square((np.asarray(z) + 80) / 100)
    return -12 + 30 * u2 / (1 + u2)


def outline(view, half_width, front, back, bulge=None):
    """Distance to a tube with a superelliptic section; `bulge` adds to its equation."""
    u = np.abs(view.x) * np.float32(1 / half_width)
    dy = view.y - np.float32(AXIS_Y)
    depth = np.where(dy < 0, np.float32(1 / front), np.float32(1 / back))
    v = np.abs(dy) * depth
    u15, v15 = u * np.sqrt(u), v * np.sqrt(v)
    value = u15 * u + v15 * v
    slope2 = np.square(u15 * np.float32(1 / half_width)) + np.square(v15 * depth)
    if bulge is not None:
        value += bulge[0]
        slope2 += np.square(bulge[1])
    return (value - 1) / np.maximum(np.float32(_SUPER) * np.sqrt(slope2), np.float32(4e-3))


def _shell(view, inset: float):
    p = view.patient
    return outline(view, p.half_width - inset, p.front - inset, p.back - inset)


def cavity(view):
    """Distance to the inside of the muscular wall, of chest and abdomen alike."""
    p = view.patient
    return view.field("cavity", lambda v: _shell(v, p.fat + p.wall))


def diaphragm(view):
    """Distance to the space below the diaphragm; negative there."""
    return view.field("diaphragm", _diaphragm)


def _diaphragm(view):
    p = view.patient
    inset = p.fat + p.wall + 1
    edge = 8 - np.float32(0.36) * view.y
    right = np.exp(-np.square((view.x + 68) * np.float32(1 / 48)))
    left = np.exp(-np.square((view.x - 70) * np.float32(1 / 45)))
    top = 88 + p.domes[0] * right + p.domes[1] * left
    height = np.maximum(top - edge, 20)
    w = np.maximum(view.z - edge, 0) / height
    w15 = w * np.sqrt(w)
    return outline(
        view, p.half_width - inset, p.front - inset, p.back - inset, (w15 * w, w15 / height)
    )


def paint_trunk(view):
    """Skin, fat under it, and the muscular wall with its layers; inside it, visceral fat."""
    p = view.patient
    skin = _shell(view, 0)
    view.paint(skin, SKIN)
    view.paint(skin + 2, FAT + 6 * view.noise("medium"))
    muscle = _shell(view, p.fat)
    inside = cavity(view)
    share = np.clip(-muscle / p.wall, 0, 1)  # 0 at the outside of the wall, 1 at its inside
    planes = np.exp(-np.square((share - 0.36) * 14)) + np.exp(-np.square((share - 0.70) * 14))
    white_line = np.exp(-np.square(view.x / 5)) * (view.y < AXIS_Y)
    lean = np.clip(1 - 0.4 * planes - 0.8 * white_line, 0, 1)
    streaks = 7 * view.noise("small")
    view.paint(muscle, FAT + (p.hu["muscle"] - FAT) * lean + streaks)
    view.paint(inside, FAT + 7 * view.noise("medium") + 5 * view.noise("small"))


def paint_chest(view):
    """Lungs with their vessels, mediastinal fat, the heart's lower part, the diaphragm."""
    p = view.patient
    above = view.view((-250, -250, -30), (250, 250, 600))
    if above is None:
        return
    chest = smooth_max(cavity(above) + 1.5, -diaphragm(above), 4)
    vessels = np.maximum(above.noise("medium") - 1.4, 0) * 320
    above.paint(chest, LUNG + 35 * above.noise("large") + vessels)
    mediastinum = np.hypot((above.x - 6) / 1.1, above.y - spine_y(above.z).astype(np.float32) + 34)
    above.paint(np.maximum(mediastinum - 30, chest + 1), FAT)
    leaf = np.maximum(np.abs(diaphragm(above) + 1.2) - 1.4, cavity(above))
    above.paint(leaf, p.hu["muscle"])
    _paint_heart(above)


def _paint_heart(view):
    p = view.patient
    centre, radii = (24, -72, 128), (66, 50, 42)
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
            d = smooth_max(d, _shell(part, p.fat + 1), 6)
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
    yield (path((66, 32, -110), (62, 34, -50), (48, 30, 12)), (11, 9, 5), (0.7, 1, 1), 1.5)
    yield (  # psoas
        path((78, -48, -260), (60, -22, -180), (46, -8, -120), (36, 2, -70), (29, 8, -25),
             (25, 10, 15)),
        (19, 20, 19, 15, 10, 5), (1, 1, 1), 1.5,
    )
    yield (  # crus of the diaphragm
        path((11, -18, -50), (14, -22, 0), (19, -22, 40), (22, -26, 70)), (3, 4.5, 4.5, 3),
        (1, 1, 1), 0.0,
    )

