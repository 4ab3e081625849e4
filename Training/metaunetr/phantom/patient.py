"""One patient: everything that the seed decides, and the position in the scanner.

Patient space is in mm to Left, Posterior and Superior of the centre of vertebra L1, in a patient
of average height. All anatomy is given there.

HU of tissues are means reported for 120 kV: Birnbaum et al., Radiology 2007;245:445 (unenhanced
organs); Bae, Radiology 2010;256:32 (timing and enhancement); Foley et al., Radiology 1984;151:185.
Liver and spleen stay within 15 HU of each other in each phase, the kidney as well without
contrast, so that no threshold separates them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from .canvas import Field
from .shapes import rotation

PHASES = ("none", "arterial", "portal", "late")

# tissue: HU without contrast, late arterial, portal venous, late
_TABLE = {
    "liver": (51, 78, 103, 90),
    "spleen": (48, 90, 113, 96),
    "kidney cortex": (44, 170, 182, 150),
    "kidney medulla": (43, 85, 168, 152),
    "renal pelvis": (5, 8, 25, 260),
    "pancreas": (40, 105, 98, 78),
    "adrenal": (30, 85, 80, 65),
    "bile": (8, 8, 9, 10),
    "gallbladder wall": (35, 60, 75, 65),
    "aorta": (40, 270, 150, 112),
    "vena cava": (38, 70, 132, 110),
    "renal veins": (38, 140, 155, 112),
    "portal vein": (40, 115, 160, 115),
    "hepatic veins": (40, 65, 152, 112),
    "heart": (40, 200, 140, 108),
    "myocardium": (42, 90, 105, 90),
    "gut wall": (38, 85, 100, 78),
    "esophagus": (38, 65, 72, 62),
    "muscle": (55, 60, 67, 65),
    "disc": (85, 88, 90, 90),
    "marrow": (150, 160, 170, 168),
}

FAT, SKIN, LUNG, FLUID, GAS, CORTICAL, CARTILAGE = -104, 25, -850, 14, -980, 480, 105
THECAL_SAC = 30


AXIS_Y = -25.0  # of the trunk, in front of the spine
_PITCHES = {"fine": 2.4, "small": 5.0, "medium": 11.0, "large": 28.0}
_WARP_PITCH, _WARP_SD, _WARP_REACH = 40.0, 2.2, 10.0


def attenuation(phase: str) -> MappingProxyType[str, float]:
    """HU of every tissue in a phase.

    Raises:
        ValueError: the phase is not one of `PHASES`.
    """
    if phase not in PHASES:
        raise ValueError(f"a phase must be one of {', '.join(PHASES)}: {phase!r}")
    column = PHASES.index(phase)
    return MappingProxyType({tissue: float(values[column]) for tissue, values in _TABLE.items()})


@dataclass
class Patient:
    """The anatomy, pose and scan of one seed.

    Attributes:
        phase: contrast phase; hu: attenuation of each tissue in it.
        oral_contrast: HU of oral contrast medium, None for none.
        scale: size relative to the average patient.
        half_width, front, back: mm from the axis of the trunk to the skin.
        depth: stretch of everything in front of that axis.
        fat: mm of fat under the skin; wall: mm of muscle around the cavity.
        pose: 3×3 rotation, patient to scanner; centre: LPS mm of vertebra L1 in the scanner.
        domes: height (mm) of the right and left dome of the diaphragm above its middle.
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
    pose: np.ndarray = field(default_factory=lambda: np.eye(3))
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
        self.pose = rotation(*self.degrees.items())
        self.centre = rng.uniform((-12, -8, -400), (12, 8, 400)).round(1)
        self.fields = {name: Field(self.rng(name), p) for name, p in _PITCHES.items()}
        self._plans = {}
        self._warp = [Field(self.rng(f"warp {axis}"), _WARP_PITCH) for axis in "xyz"]

    def rng(self, purpose: str) -> np.random.Generator:
        """A separate stream of random numbers for each purpose, so that parts are independent."""
        return np.random.default_rng([self.seed, *purpose.encode()])

    @property
    def box(self):
        """Corners of a box around the trunk, unlimited along the spine."""
        low = np.array((-self.half_width, AXIS_Y - self.front, -1e4))
        return low - 2, np.array((self.half_width, AXIS_Y + self.back, 1e4)) + 2

    def once(self, name: str, plan):
        """A part of the anatomy that is planned once and shared by all slabs."""
        if name not in self._plans:
            self._plans[name] = plan(self)
        return self._plans[name]

    @property
    def description(self) -> dict:
        """The values that the seed determined."""
        return {
            "seed": self.seed, "phase": self.phase, "oral_contrast_hu": self.oral_contrast,
            "scale": self.scale, "fat_mm": self.fat, "half_width_mm": self.half_width,
            "turn_degrees": dict(self.degrees), "noise_sd_hu": self.noise_sd,
        }

    def to_patient(self, z: np.ndarray, y: np.ndarray, x: np.ndarray):
        """Patient coordinates x, y, z, each (D, H, W), of the grid spanned by scanner axes."""
        inverse = (self.pose.T / self.scale).astype(np.float32)
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
        """Corners in the scanner of a box that contains the patient's box (low, high)."""
        corners = np.array((low, high), float)
        corners[:, 1] += np.minimum(corners[:, 1] - AXIS_Y, 0) * (self.depth - 1)
        low, high = corners
        middle, half = (low + high) / 2, (high - low) / 2 + _WARP_REACH
        centre = self.pose @ middle * self.scale + self.centre
        reach = np.abs(self.pose) @ half * self.scale
        return centre - reach, centre + reach
