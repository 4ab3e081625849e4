"""What the scanner adds: the table under the patient, and noise with a kernel's texture."""

from __future__ import annotations

import numpy as np

from .patient import AXIS_Y


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
