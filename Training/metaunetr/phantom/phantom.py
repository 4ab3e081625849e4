"""`make`: from a seed to a CT of the abdomen and its organs."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ..image import Grid, Image
from .body import paint_back_muscles, paint_chest, paint_trunk
from .canvas import Slab
from .gut import (
    paint_colon,
    paint_duodenum,
    paint_esophagus,
    paint_small_bowel,
    paint_stomach,
)
from .organs import (
    paint_adrenals,
    paint_gallbladder,
    paint_kidneys,
    paint_liver,
    paint_pancreas,
    paint_spleen,
)
from .patient import AXIS_Y, Patient
from .skeleton import paint_pelvis, paint_ribs, paint_spine
from .vessels import paint_aorta, paint_mesentery, paint_portal_veins, paint_vena_cava

_SLAB_POINTS = 3_000_000  # bounds the memory that one thread needs

# Later structures cover earlier ones.
_ANATOMY = (
    paint_trunk, paint_chest, paint_ribs, paint_pelvis,
    paint_mesentery, paint_small_bowel, paint_colon,
    paint_stomach, paint_spleen, paint_liver, paint_duodenum, paint_gallbladder,
    paint_pancreas, paint_kidneys, paint_back_muscles, paint_spine,
    paint_esophagus, paint_vena_cava, paint_aorta, paint_portal_veins, paint_adrenals,
)


@dataclass(frozen=True)
class Phantom:
    """A CT and its exact labels on one grid.

    Attributes:
        image: HU, int16 (D, H, W). labels: organ numbers 1 to 13, uint8 (D, H, W).
        description: phase, pose, size and noise that the seed determined.
    """

    image: Image
    labels: Image
    description: dict


def make(seed: int = 0, shape=None, spacing=None) -> Phantom:
    """A CT of the abdomen of a patient; a seed gives the same patient on every grid.

    Args:
        seed: determines anatomy, habitus, pose, contrast phase, noise, and the grid if it is
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
    """The given grid, or one that the seed determines, around the patient's abdomen."""
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


def paint_table(slab):
    """A curved couch under the patient: a thin hard shell around foam, straight along z."""
    p = slab.patient
    back = p.centre[1] + p.scale * (AXIS_Y + p.back) + 5
    _, y, x = (axis.astype(np.float32) for axis in slab.axes)
    x = x - np.float32(p.centre[0])
    under = y[None, :, None] - np.float32(back) + np.square(x) * np.float32(6e-4)  # (1, H, W)
    shell = np.maximum(np.abs(under - 14) - 14, np.abs(x) - 215)
    view = slab.everything()
    view.paint(shell, -60)
    view.paint(shell + 2.5, -930)


def noise_slice(patient, k: int, shape: tuple[int, int], spacing: tuple[float, float]):
    """Noise (H, W) of unit SD in one slice: ramp-filtered like a reconstruction, then smoothed.

    The power spectrum rises with frequency and falls with the kernel (Riederer et al.,
    Phys Med Biol 1978;23:446), so it is neither white nor blurred white noise.
    """
    rng = np.random.default_rng([patient.seed, k])
    height, width = shape
    dx, dy = spacing
    f = np.hypot(np.fft.fftfreq(height, dy)[:, None], np.fft.rfftfreq(width, dx)[None])
    roll_off = min(0.32, 0.3 / max(dx, dy))  # per mm
    gain = np.sqrt(f + 0.02) * np.exp(-np.square(f / roll_off) / 2)
    white = rng.standard_normal(shape, dtype=np.float32)
    noise = np.fft.irfft2(np.fft.rfft2(white) * gain, shape)
    return (noise / noise.std()).astype(np.float32)


def add_noise(patient, hu: np.ndarray, first: int, spacing) -> np.ndarray:
    """HU (D, H, W) as int16 with noise; less of it in air."""
    dx, dy, _ = spacing
    for i, image in enumerate(hu):
        sd = patient.noise_sd * np.clip(0.35 + (image + 1000) * np.float32(6.5e-4), 0.35, 1)
        image += sd * noise_slice(patient, first + i, image.shape, (dx, dy))
    return np.clip(np.rint(hu), -1024, 3071).astype(np.int16)
