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
        [(58, -12, fundus_z), (64, -38, fundus_z - 6), (68, -78, 54), (60, -98, 16),
         (30, -106, -10), (0, -100, -8), (-19, -88, -2)],
        np.array((32, 35, 27, 23, 19, 15, 10)) * full, steps=4,
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
        [(-20, -84, 0), (-32, -74, 4), (-44, -60, -6), (-50, -50, -35), (-45, -50, -62),
         (-26, -50, -74), (4, -50, -74), (28, -52, -58), (34, -60, -34)],
        (10, 11, 11, 11, 11, 11, 10, 11, 11),
    )
    part = view.view(course.box[0] - 6, course.box[1] + 6)
    if part is None:
        return
    d = course.distance(part) + 1.2 * part.noise("medium")
    part.paint(d - 1.2, FAT, 0)
    part.paint(d, p.hu["gut wall"], 0)
    part.paint(d + 3, (p.oral_contrast or FLUID + 12) + 15 * part.noise("small"))
    part.paint(np.maximum(d + 4, 2 + part.y * 0 - part.noise("large") * 4), GAS)
