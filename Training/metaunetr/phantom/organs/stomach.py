"""Oesophagus, stomach and duodenum."""

from __future__ import annotations

import numpy as np

from ..body import cavity, diaphragm, spine_y
from ..phases import FAT, FLUID, GAS
from ..shapes import Tube, smooth_max

STOMACH, ESOPHAGUS = 7, 5


def paint_stomach(view):
    """A J from the fundus under the left dome to the pylorus; gas above fluid."""
    p = view.patient
    rng = p.rng("stomach")
    full = float(rng.uniform(0.8, 1.15))
    fundus_z = 62 + 0.8 * p.domes[1]
    course = Tube(
        [(62, -18, fundus_z), (66, -40, fundus_z - 10), (68, -70, 46), (58, -92, 14),
         (30, -104, -8), (0, -98, -8), (-20, -88, -2)],
        np.array((29, 34, 30, 25, 20, 15, 10)) * full, steps=4,
    )
    part = view.view(course.box[0] - 8, course.box[1] + 8)
    if part is None:
        return
    d = course.distance(part) + 2 * part.noise("large")
    d = smooth_max(d, smooth_max(diaphragm(part) + 4, cavity(part) + 5, 6), 8)
    part.paint(d - 2, FAT, 0)
    part.paint(d, p.hu["gut wall"], STOMACH)
    folds = np.maximum(part.noise("small"), 0) * 1.8
    lumen = d + 3.5 + folds
    food = 12 * part.noise("small")
    part.paint(lumen, (p.oral_contrast or FLUID + 14) + food)
    surface = float(rng.uniform(-108, -88))
    part.paint(np.maximum(lumen, part.y - surface), GAS)


def paint_esophagus(view):
    p = view.patient
    def at(x, y, z):
        return x, y + float(spine_y(z)), z

    course = Tube(
        [at(6, -38, 400), at(5, -40, 150), at(10, -44, 115), at(16, -50, 92), (30, -46, 78),
         (44, -46, 70)],
        (7.5, 7.5, 8, 8, 8, 9), flatten=(0.9, 1.1, 1), steps=6,
    )
    part = view.view(course.box[0] - 4, course.box[1] + 4)
    if part is None:
        return
    d = course.distance(part) + 0.5 * part.noise("medium")
    np.copyto(d, 1e3, where=part.labels == STOMACH)
    part.paint(d - 2.5, FAT, None)
    part.paint(d, p.hu["esophagus"], ESOPHAGUS)
    part.paint(d + 5.8 - 1.2 * part.noise("large"), GAS)


def paint_duodenum(view):
    """From the bulb around the pancreatic head and behind the mesenteric vessels."""
    p = view.patient
    course = Tube(
        [(-22, -86, 0), (-38, -76, 4), (-50, -62, -6), (-52, -52, -35), (-46, -50, -62),
         (-26, -50, -74), (4, -50, -74), (28, -52, -58), (34, -60, -34)],
        (10, 12, 12, 12, 12, 11, 10, 11, 11),
    )
    part = view.view(course.box[0] - 6, course.box[1] + 6)
    if part is None:
        return
    d = course.distance(part) + 1.2 * part.noise("medium")
    part.paint(d - 1.2, FAT, 0)
    part.paint(d, p.hu["gut wall"], 0)
    part.paint(d + 3, (p.oral_contrast or FLUID + 12) + 15 * part.noise("small"))
    part.paint(np.maximum(d + 4, 2 + part.y * 0 - part.noise("large") * 4), GAS)
