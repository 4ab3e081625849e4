"""Vertebrae with discs, canal and processes, ribs with cartilages, sternum, pelvis."""

from __future__ import annotations

import numpy as np

from .body import skin, spine_y
from .patient import AXIS_Y, CARTILAGE, CORTICAL, FAT, THECAL_SAC
from .shapes import Tube, ellipsoid, ellipsoid_box, local, rotation, smooth_max, smooth_min

_LUMBAR, _THORACIC = 34.0, 27.0  # mm from one vertebra to the next
_T12 = 31.0  # height of the middle of vertebra T12
_L5 = -4 * _LUMBAR


def paint_bone(view, distance, cortex: float):
    """A bone: dense cortex of `cortex` mm around marrow with trabeculae."""
    view.paint(distance, CORTICAL, 0)
    marrow = view.patient.hu["marrow"] + 38 * view.noise("fine") + 15 * view.noise("small")
    view.paint(distance + cortex, marrow)


def _level(z):
    """Height within a vertebra: 0 in its middle, ±0.5 in the middle of the discs."""
    lumbar = z / np.float32(_LUMBAR)
    thoracic = np.float32(0.5) + (z - np.float32(_LUMBAR / 2)) / np.float32(_THORACIC)
    position = np.where(z < _LUMBAR / 2, lumbar, thoracic)
    pitch = np.where(z < _LUMBAR / 2, np.float32(_LUMBAR), np.float32(_THORACIC))
    return position - np.round(position), pitch


def paint_spine(view):
    part = view.view((-60, -50, _L5 - 18), (60, 95, 600))
    if part is None:
        return
    y = part.y - spine_y(part.z)
    x, z = part.x, part.z
    level, pitch = _level(z)
    height = level * pitch  # mm from the middle of the vertebra
    size = np.clip(1 - (z + 40) * np.float32(0.0011), 0.78, 1.08)  # smaller upwards
    _paint_bodies(part, x, y, height, pitch, size)
    _paint_arch(part, x, y, height, pitch, size)


def _paint_bodies(part, x, y, height, pitch, size):
    waist = 1.5 * np.exp(-np.square(height / 8))
    u, v = x / 23.5, (y + 0.12 * np.abs(x)) / 17
    section = (np.sqrt(u * u + v * v) - size) * 19 + waist
    column = section + 0.6 * part.noise("small")
    part.paint(column, part.patient.hu["disc"], 0)
    end_plate = np.abs(height) - (0.5 * pitch - 3.6)
    paint_bone(part, smooth_max(column, end_plate, 4), 1.5)


def _paint_arch(part, x, y, height, pitch, size):
    ax = np.abs(x)
    canal = np.hypot(x / 1.15, y - 25) - 9 * size
    ring = np.maximum(np.abs(canal - 2.5) - 3.2, np.abs(height + 4) - 0.36 * pitch)
    pedicle = np.hypot(ax - 13 * size, height - 5) - 5
    pedicle = np.maximum(pedicle, np.abs(y - 20) - 9)
    spinous = np.maximum(np.abs(x) - 3.2, np.abs(height + 6 + 0.25 * (y - 40)) - 8.5)
    spinous = smooth_max(spinous, np.abs(y - 48) - 14, 3)
    transverse = np.hypot(height - 4, y - 27 - 0.12 * ax) - 4.5
    transverse = np.maximum(transverse, np.abs(ax - 25) - 17)
    facet = np.hypot(ax - 17 * size, y - 34) - 7
    facet = smooth_max(facet, 7 - 0.5 * pitch + np.abs(height), 4)
    part.paint(canal, THECAL_SAC, 0)
    part.paint(np.maximum(np.abs(canal - 1) - 1.5, y - 200), FAT)
    part.paint(canal + 1.5, THECAL_SAC)
    bone = smooth_min(np.minimum(ring, facet), np.minimum(pedicle, spinous), 3)
    bone = np.maximum(np.minimum(bone, transverse), -(canal - 0.5))
    paint_bone(part, bone, 1.8)


def paint_ribs(view):
    """Ribs 5 to 12 and their cartilages as arcs that descend around the chest."""
    p = view.patient
    part = view.view((-220, -220, -70), (220, 130, 600))
    if part is None:
        return
    inset = p.fat + 0.45 * p.wall
    _paint_rib_cage(part.only(np.abs(skin(part) + inset) < 8), inset)
    centre, radii = (0, AXIS_Y - p.front + inset + 1, 118), (15, 6, 50)
    sternum = view.view(*ellipsoid_box(centre, radii, margin=3))
    if sternum is not None:
        paint_bone(sternum, ellipsoid(sternum, centre, radii), 1.3)


def _paint_rib_cage(part, inset):
    p = part.patient
    depth = skin(part) + np.float32(inset)
    angle = np.arctan2(np.abs(part.x) / p.half_width, (part.y - AXIS_Y - 20) / p.front)
    angle = np.degrees(angle).astype(np.float32)  # 0 at the spine, 180 at the sternum
    drop = 38 * (1 - np.cos(np.radians(1.55 * np.maximum(angle - 8, 0))))
    rib = (part.z + drop - (_T12 + 2)) / _THORACIC
    number = np.round(rib)  # 0 for rib 12, 1 for rib 11, ...
    thickness, width = 3.6, 6.3
    dz = (rib - number) * _THORACIC * 0.87  # ribs run obliquely
    d = np.hypot(depth / thickness, dz / width) * thickness - thickness
    bony = np.select([number <= -1, number == 0, number == 1], [-1e3, 62, 92], 116)
    start = 14
    d = np.maximum(d, (start - angle) * 1.2)
    cartilage = np.maximum(d, np.maximum((bony - angle) * 1.6, angle - 156 - 3 * number))
    cartilage = np.maximum(cartilage, (1.5 - number) * 50)
    part.paint(cartilage, CARTILAGE + 30 * part.noise("small"))
    paint_bone(part, np.maximum(d, (angle - bony) * 1.6), 1.3)


def paint_pelvis(view):
    """Sacrum, iliac wings with their muscles, down to the roof of the hip joints."""
    low = view.view((-250, -250, -420), (250, 150, _L5 + 60))
    if low is None:
        return
    for side in (-1, 1):
        _paint_hip(low, side)
    centre, radii = (0, 28, -196), (52, 20, 56)
    axes = rotation(("x", 24))
    part = low.view(*ellipsoid_box(centre, radii, axes, 4))
    if part is not None:
        taper = np.maximum(np.abs(part.x) - 50 - 0.45 * np.minimum(part.z + 170, 0), -60)
        sacrum = smooth_max(ellipsoid(part, centre, radii, axes), taper, 8)
        paint_bone(part, sacrum, 1.8)
        part.paint(np.hypot(part.x / 1.3, part.y - 44 + 0.4 * (part.z + 190)) - 6, THECAL_SAC)


def _paint_hip(view, side: int):
    gluteus, radii = (side * 96, 34, -215), (60, 46, 88)
    part = view.view(*ellipsoid_box(gluteus, radii, margin=6))
    if part is not None:
        planes = np.maximum(part.noise("medium") - 1.2, 0) * 80
        part.paint(ellipsoid(part, gluteus, radii), view.patient.hu["muscle"] - planes)
    iliacus = Tube([(side * 92, 8, -112), (side * 86, -12, -160), (side * 80, -45, -240)],
                   [4, 13, 17], flatten=(1, 0.7, 1))
    part = view.view(iliacus.box[0] - 6, iliacus.box[1] + 6)
    if part is not None:
        part.paint(iliacus.distance(part), view.patient.hu["muscle"], 0)
    axes = rotation(("y", side * 22), ("z", side * 40))
    centre, radii = (side * 96, 6, -176), (9, 66, 74)
    part = view.view(*ellipsoid_box(centre, radii, axes, 4))
    if part is None:
        return
    x, y, z = local(part, centre, axes)
    rim = (np.hypot(y / radii[1], z / radii[2]) - 1) * 60
    plate = np.abs(x + side * 9 * (np.square(y / 60) - 0.4)) - (3.2 + 1.5 * np.abs(y) / 40)
    paint_bone(part, smooth_max(rim, plate, 3), 1.6)
