"""Spleen: a crescent against the left wall, hollowed by stomach and kidney."""

from __future__ import annotations

import numpy as np

from ..body import under_diaphragm
from ..phases import FAT
from ..shapes import Tube, ellipsoid, ellipsoid_box, rotation, smooth_max

SPLEEN = 1


def paint_spleen(view):
    p = view.patient
    rng = p.rng("spleen")
    size = float(rng.uniform(0.9, 1.12))
    reach = p.half_width - p.fat - p.wall  # the wall it lies on
    centre = np.array((reach - 32, 4, 52)) + rng.uniform((-3, -6, -6), (3, 6, 8))
    radii = np.array((44, 57, 55)) * size
    turn = rotation(("x", float(rng.uniform(-25, -10))), ("z", float(rng.uniform(-25, -10))))
    part = view.view(*ellipsoid_box(centre, radii, turn, 8))
    if part is None:
        return
    hollow_centre = centre + (-62, -30, -10)
    hollow = ellipsoid(part, hollow_centre, np.array((42, 46, 62)) * size, turn)
    d = ellipsoid(part, centre, radii, turn) + 2.2 * part.noise("large")
    d = smooth_max(d, -hollow, 12)
    roof = under_diaphragm(part)
    d = smooth_max(d, roof, 8)
    part.paint(np.maximum(d - 1.5, roof), FAT, 0)
    part.paint(d, p.hu["spleen"] + 2 * part.noise("small") + 2 * part.noise("large"), SPLEEN)
    hilum = centre + (-22, -16, -4)
    for end in ((10, -14, 16), (14, 0, -2), (8, 8, -20)):
        tube = Tube([hilum + (-10, 0, -4), hilum, hilum + end], (3, 2.6, 1.6))
        vein = view.view(tube.box[0] - 3, tube.box[1] + 3)
        if vein is not None:
            tube_d = tube.distance(vein)
            np.copyto(tube_d, 1e3, where=vein.labels == SPLEEN)
            vein.paint(tube_d, p.hu["portal vein"])
