"""One patient: everything the seed decides, and where the patient lies in the scanner.

Patient space is in mm to Left, Posterior and Superior of the centre of vertebra L1, in a patient
of average height. All anatomy is written down there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .fields import Field
from .phases import PHASES, attenuation
from .shapes import rotation

AXIS_Y = -25.0  # of the trunk, in front of the spine
_PITCHES = {"fine": 2.4, "small": 5.0, "medium": 11.0, "large": 28.0}
_WARP_PITCH, _WARP_SD, _WARP_REACH = 40.0, 2.2, 10.0


@dataclass
class Patient:
    """The anatomy, pose and scan of one seed.

    Attributes:
        phase: contrast phase; hu: attenuation of each tissue in it.
        oral_contrast: HU of what the patient drank, None for nothing.
        scale: size against the average patient.
        half_width, front, back: mm from the axis of the trunk to the skin.
        depth: stretch of all that lies in front of that axis.
        fat: mm of fat under the skin; wall: mm of muscle around the cavity.
        turn: 3×3 pose, patient to scanner; centre: LPS mm of vertebra L1 in the scanner.
        domes: mm by which the right and left diaphragm rise above its middle.
        noise_sd: HU in soft tissue.
    """

    seed: int
    phase: str = ""
    oral_contrast: float | None = None
    scale: float = 1.0
    half_width: float = 165.0
    front: float = 118.0
    back: float = 108.0
    depth: float = 1.0
    fat: float = 14.0
    wall: float = 11.0
    domes: tuple[float, float] = (27.0, 16.0)
    noise_sd: float = 20.0
    degrees: dict[str, float] = field(default_factory=dict)
    turn: np.ndarray = field(default_factory=lambda: np.eye(3))
    centre: np.ndarray = field(default_factory=lambda: np.zeros(3))

    def __post_init__(self):
        rng = self.rng("patient")
        self.phase = str(rng.choice(PHASES, p=(0.1, 0.1, 0.7, 0.1)))
        self.hu = {k: v + rng.normal(0, 1.5) for k, v in attenuation(self.phase).items()}
        self.oral_contrast = float(rng.uniform(150, 320)) if rng.random() < 0.6 else None
        self.scale = float(rng.uniform(0.94, 1.06))
        habitus = float(rng.random())  # 0 lean, 1 obese
        self.fat = 7 + 22 * habitus
        self.wall = float(rng.uniform(10, 15))
        self.half_width = 142 + self.fat + float(rng.uniform(8, 16))
        self.front = 92 + self.wall + self.fat
        self.depth = 0.94 + 0.16 * habitus + float(rng.uniform(-0.04, 0.08))
        self.back = 97 + 0.8 * self.fat + float(rng.uniform(-3, 3))
        self.domes = (float(rng.uniform(20, 34)), float(rng.uniform(8, 24)))
        self.noise_sd = float(rng.uniform(19.5, 26))
        self.degrees = {axis: float(rng.normal(0, 1.4)) for axis in "xyz"}
        self.turn = rotation(*self.degrees.items())
        self.centre = rng.uniform((-12, -8, -400), (12, 8, 400)).round(1)
        self.fields = {name: Field(self.rng(name), p) for name, p in _PITCHES.items()}
        self._plans = {}
        self._warp = [Field(self.rng(f"warp {axis}"), _WARP_PITCH) for axis in "xyz"]

    def rng(self, purpose: str) -> np.random.Generator:
        """An own stream of random numbers for each purpose, so that parts do not disturb others."""
        return np.random.default_rng([self.seed, *purpose.encode()])

    @property
    def box(self):
        """Corners of a box around the trunk, endless along the spine."""
        low = np.array((-self.half_width, AXIS_Y - self.front, -1e4))
        return low - 2, np.array((self.half_width, AXIS_Y + self.back, 1e4)) + 2

    def once(self, name: str, plan):
        """A part of the anatomy that is laid out once for all slabs."""
        if name not in self._plans:
            self._plans[name] = plan(self)
        return self._plans[name]

    @property
    def description(self) -> dict:
        """What the seed chose, for records."""
        return {
            "seed": self.seed, "phase": self.phase, "oral_contrast_hu": self.oral_contrast,
            "scale": self.scale, "fat_mm": self.fat, "half_width_mm": self.half_width,
            "turn_degrees": dict(self.degrees), "noise_sd_hu": self.noise_sd,
        }

    def to_patient(self, z: np.ndarray, y: np.ndarray, x: np.ndarray):
        """Patient coordinates x, y, z, each (D, H, W), of the grid spanned by scanner axes."""
        inverse = (self.turn.T / self.scale).astype(np.float32)
        x, y, z = (axis - c for axis, c in zip((x, y, z), self.centre, strict=True))
        dx, dy, dz = (axis.astype(np.float32) for axis in (x, y[:, None], z[:, None, None]))
        px, py, pz = (
            row[0] * dx + row[1] * dy + row[2] * dz
            + np.clip(np.float32(_WARP_SD) * warp.on(z, y, x), -_WARP_REACH, _WARP_REACH)
            for row, warp in zip(inverse, self._warp, strict=True)
        )
        py += np.minimum(py - np.float32(AXIS_Y), 0) * np.float32(1 / self.depth - 1)
        return px, py, pz

    def to_scanner_box(self, low, high):
        """Corners in the scanner of a box that surely holds the patient's box (low, high)."""
        corners = np.array((low, high), float)
        corners[:, 1] += np.minimum(corners[:, 1] - AXIS_Y, 0) * (self.depth - 1)
        low, high = corners
        middle, half = (low + high) / 2, (high - low) / 2 + _WARP_REACH
        centre = self.turn @ middle * self.scale + self.centre
        reach = np.abs(self.turn) @ half * self.scale
        return centre - reach, centre + reach
