"""HU of tissues before and after intravenous contrast: the one table of attenuation.

Means as reported for 120 kV: Birnbaum et al., Radiology 2007;245:445 (unenhanced organs);
Bae, Radiology 2010;256:32 (timing and enhancement); Foley et al., Radiology 1984;151:185.
Liver and spleen stay within 15 HU of each other in each phase, the kidney as well without
contrast, so that thresholds cannot tell them apart.
"""

from __future__ import annotations

from types import MappingProxyType

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


def attenuation(phase: str) -> MappingProxyType[str, float]:
    """HU of every tissue in a phase.

    Raises:
        ValueError: the phase is not one of `PHASES`.
    """
    if phase not in PHASES:
        raise ValueError(f"a phase must be one of {', '.join(PHASES)}: {phase!r}")
    column = PHASES.index(phase)
    return MappingProxyType({tissue: float(values[column]) for tissue, values in _TABLE.items()})
