"""Kidneys with cortex, medulla, sinus fat and pelvis, in their perirenal fat."""

from __future__ import annotations

import numpy as np

from ..phases import FAT
from ..shapes import Tube, ellipsoid, ellipsoid_box, rotation, smooth_max

RIGHT, LEFT = 2, 3


def paint_kidneys(view):
    rng = view.patient.rng("kidneys")
    for side, label in ((-1, RIGHT), (1, LEFT)):
        size = float(rng.uniform(0.93, 1.08))
        lower = -34 if side < 0 else -16  # the liver pushes the right one down
        centre = np.array((side * 75, 0, lower)) + rng.uniform((-4, -4, -8), (4, 4, 8))
        turn = rotation(
            ("y", side * float(rng.uniform(8, 16))),  # upper poles nearer the spine
            ("x", float(rng.uniform(8, 18))),  # and further back
            ("z", side * float(rng.uniform(25, 42))),  # hilum to the front
        )
        _paint_kidney(view, side, label, centre, np.array((32, 26, 56)) * size, turn)


def _paint_kidney(view, side, label, centre, radii, turn):
    p = view.patient
    part = view.view(*ellipsoid_box(centre, radii, turn, 16))
    if part is None:
        return
    kidney = ellipsoid(part, centre, radii, turn) + 1.2 * part.noise("medium")
    inward = turn @ (-side, 0, 0)
    sinus = ellipsoid(part, centre + 17 * inward, (20, 10, 25), turn) + 2 * part.noise("small")
    notch = ellipsoid(part, centre + 34 * inward, (15, 10, 15), turn)
    parenchyma = smooth_max(smooth_max(kidney, -sinus, 4), -notch, 6)
    part.paint(ellipsoid(part, centre, radii + 7, turn), FAT, 0)
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
    urine = view.view(pelvis.box[0] - 3, pelvis.box[1] + 3)
    if urine is not None:
        d = pelvis.distance(urine)
        np.copyto(d, 1e3, where=urine.labels == label)
        urine.paint(d, p.hu["renal pelvis"])
