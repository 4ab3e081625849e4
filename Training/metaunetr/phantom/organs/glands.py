"""Pancreas and adrenal glands."""

from __future__ import annotations

import numpy as np

from ..body import spine_y
from ..phases import FAT
from ..shapes import Tube

PANCREAS, RIGHT_ADRENAL, LEFT_ADRENAL = 11, 12, 13


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
