"""Oesophagus, stomach, duodenum, small bowel and colon."""

from __future__ import annotations

import numpy as np

from .body import cavity, diaphragm, spine_y
from .patient import FAT, FLUID, GAS
from .shapes import FAR, Tube, smooth_max

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


def paint_small_bowel(view):
    """Packed loops with enhancing walls; some hold oral contrast, some gas."""
    for loop in view.patient.once("small bowel", _plan_loops):
        _paint_loop(view, *loop)


def _plan_loops(p):
    rng = p.rng("small bowel")
    reach = p.half_width - p.fat - p.wall - 45
    front = 25 + p.front - p.fat - p.wall - 16
    centres = rng.uniform((-reach, -front, -265), (reach, -40, -22), (1500, 3))
    placed = centres[:1]
    for centre in centres:
        if np.square((placed - centre) / (1.15, 1, 1)).sum(1).min() > 23**2:
            placed = np.vstack([placed, centre])
    return [_plan_loop(p, rng, centre) for centre in placed]


def _plan_loop(p, rng, centre):
    """The tube, the HU inside and the height (y) of the gas in it."""
    heading = rng.normal(size=3) * (1.2, 0.7, 1)
    heading *= 20 / np.linalg.norm(heading)
    bend = np.cross(heading, rng.normal(size=3))
    bend *= 14 / max(np.linalg.norm(bend), 1e-6)
    radius = float(rng.uniform(8.5, 14))
    content = FLUID + rng.uniform(0, 40)
    if p.oral_contrast and rng.random() < 0.55:
        content = p.oral_contrast * rng.uniform(0.6, 1.1)
    gas = centre[1] - 2 if rng.random() < 0.22 else -FAR
    tube = Tube([centre - heading + bend, centre - heading / 2, centre + heading / 2,
                 centre + heading + bend], (0.8 * radius, radius, radius, 0.8 * radius), 3)
    return tube, content, gas


def _paint_loop(view, tube, content, gas):
    part = view.view(tube.box[0] - 4, tube.box[1] + 4)
    if part is None:
        return
    d = smooth_max(tube.distance(part) + 1.2 * part.noise("medium"), cavity(part) + 3, 4)
    part.paint(d - 1.2, FAT)
    part.paint(d, view.patient.hu["gut wall"])
    lumen = d + 2.4 + 0.8 * np.maximum(part.noise("small"), -0.5)
    part.paint(lumen, content + 10 * part.noise("small"))
    if gas > -FAR:
        part.paint(np.maximum(lumen, part.y - np.float32(gas)), GAS)


def paint_colon(view):
    p = view.patient
    rng = p.rng("colon")
    side = p.half_width - p.fat - p.wall - 24
    front = 25 + p.front - p.fat - p.wall - 20
    sag = float(rng.uniform(-100, -55))
    ascending = [(-side + 12, -40, -200), (-side + 2, -28, -150), (-side, -22, -105),
                 (-side + 6, -40, -72)]
    transverse = [(-side + 6, -40, -72), (-side + 22, -78, -62), (-55, -front + 6, sag + 15),
                  (0, -front, sag), (50, -front + 4, sag + 22), (side - 22, -80, -22),
                  (side - 12, -58, 6), (side - 8, -40, 2)]
    descending = [(side - 8, -40, 2), (side, -18, -30), (side + 2, -14, -90),
                  (side - 2, -24, -150), (side - 22, -40, -200), (40, -10, -240), (0, 0, -260)]
    for course, radius in ((ascending, 25), (descending, 15), (transverse, 20)):
        _paint_colon(view, rng, course, radius * float(rng.uniform(0.85, 1.15)))


def _paint_colon(view, rng, course, radius):
    """One stretch with its haustra; gas collects in front of stool."""
    p = view.patient
    path = Tube(course, radius, steps=10)
    arc = np.cumsum(np.r_[0, np.linalg.norm(np.diff(path.nodes[:, :3], axis=0), axis=1)])
    path.nodes[:, 3] *= 1 + 0.14 * np.sin(2 * np.pi * arc / 24 + rng.uniform(0, 6))
    contrast = 0.6 * p.oral_contrast if p.oral_contrast and rng.random() < 0.4 else 0.0
    filling = float(rng.uniform(-0.5, 0.5))  # where stool ends, in radii behind the axis
    part = view.view(path.box[0] - 6, path.box[1] + 6)
    if part is None:
        return
    d = path.distance(part) + 1.2 * part.noise("medium")
    d = smooth_max(d, cavity(part) + 2, 4)
    part.paint(d - 1.5, FAT, 0)
    part.paint(d, p.hu["gut wall"], 0)
    lumen = d + 2.2 + 1.2 * np.maximum(part.noise("small"), 0)
    stool = 20 + 40 * part.noise("small") + 90 * np.minimum(part.noise("fine") + 0.6, 0)
    part.paint(lumen, stool + contrast)
    slope, offset = (np.float32(c) for c in np.polyfit(path.nodes[:, 2], path.nodes[:, 1], 1))
    surface = slope * part.z + offset + filling * radius + 3 * part.noise("large")
    part.paint(np.maximum(lumen, part.y - surface), GAS)
