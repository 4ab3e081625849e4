"""`make`: from a seed to a CT of a whole abdomen and the organs in it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ..image import Grid, Image
from .body import paint_back_muscles, paint_chest, paint_trunk
from .bowel import paint_colon, paint_small_bowel
from .canvas import Slab
from .organs.glands import paint_adrenals, paint_pancreas
from .organs.kidneys import paint_kidneys
from .organs.liver import paint_gallbladder, paint_liver
from .organs.spleen import paint_spleen
from .organs.stomach import paint_duodenum, paint_esophagus, paint_stomach
from .patient import Patient
from .scanner import add_noise, paint_table
from .skeleton import paint_pelvis, paint_ribs, paint_spine
from .vessels import paint_aorta, paint_mesentery, paint_portal_veins, paint_vena_cava

_SLAB_POINTS = 3_000_000  # bounds the memory that one thread needs

# What comes later covers what came before.
_ANATOMY = (
    paint_trunk, paint_chest, paint_ribs, paint_pelvis,
    paint_mesentery, paint_small_bowel, paint_colon,
    paint_stomach, paint_spleen, paint_liver, paint_duodenum, paint_gallbladder,
    paint_pancreas, paint_kidneys, paint_back_muscles, paint_spine,
    paint_esophagus, paint_vena_cava, paint_aorta, paint_portal_veins, paint_adrenals,
)


@dataclass(frozen=True)
class Phantom:
    """A CT and its truth on one grid.

    Attributes:
        image: HU, int16 (D, H, W). labels: organ numbers 1 to 13, uint8 (D, H, W).
        description: what the seed chose: phase, pose, size, noise.
    """

    image: Image
    labels: Image
    description: dict


def make(seed: int = 0, shape=None, spacing=None) -> Phantom:
    """A patient's abdomen in CT, the same one for the same seed on every grid.

    Args:
        seed: chooses anatomy, habitus, pose, contrast phase, noise, and the grid where it is
            not given.
        shape: voxels (D, H, W): inferior to superior, anterior to posterior, right to left.
        spacing: mm along (i, j, k). With only one of shape and spacing, the other is chosen so
            that the abdomen fits.
    """
    patient = Patient(seed)
    grid = _grid(patient, shape, spacing)
    depth, height, width = grid.shape
    hu = np.empty(grid.shape, np.int16)
    labels = np.empty(grid.shape, np.uint8)

    def scan(first: int) -> None:
        last = min(first + step, depth)
        slab = Slab(patient, grid, first, last)
        paint_table(slab)
        trunk = slab.trunk()
        for paint in _ANATOMY:
            paint(trunk)
        clean, labels[first:last] = slab.slices()
        hu[first:last] = add_noise(patient, clean, first, grid.spacing)

    samples = Slab.samples_per_slice(grid.spacing[2])
    step = max(1, _SLAB_POINTS // (height * width * samples))
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as threads:
        list(threads.map(scan, range(0, depth, step)))
    return Phantom(Image(hu, grid), Image(labels, grid), patient.description)


def _grid(patient: Patient, shape, spacing) -> Grid:
    """The grid asked for, or one that the seed chooses, around the patient's abdomen."""
    front = patient.front * patient.depth
    field = np.array((2 * patient.half_width + 50, front + patient.back + 60, 285.0))
    field *= patient.scale
    if spacing is None and shape is None:
        rng = patient.rng("grid")
        in_plane = round(float(rng.uniform(0.7, 0.95)), 3)
        thickness = float(rng.choice((1.5, 2.0, 2.5, 3.0, 3.0, 4.0, 5.0, 5.0)))
        spacing = (in_plane, in_plane, thickness)
    if spacing is None:
        in_plane = float(max(field[0] / shape[2], field[1] / shape[1]))
        spacing = (in_plane, in_plane, float(field[2] / shape[0]))
    if shape is None:
        shape = tuple(int(np.ceil(n)) for n in (field / spacing)[::-1])
    extent = (np.array(shape[::-1]) - 1) * spacing
    below = 0.5 * extent[2] + max(extent[2] - 285, 0) * 0.2  # longer scans reach further down
    middle = patient.centre + (0, (patient.back - front) / 2 - 16, 12)
    origin = middle - (extent[0] / 2, extent[1] / 2, below)
    return Grid(
        shape=tuple(int(n) for n in shape),
        spacing=tuple(float(s) for s in spacing),
        origin=tuple(float(round(o, 3)) for o in origin),
    )
