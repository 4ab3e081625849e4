"""The one table of organs: numbers, names, codes, colours, HU, volumes.

Organ numbers are what every label map of this project holds. 1 to 13 are BTCV's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

Code = tuple[str, str, str]  # coding scheme, value, meaning

CATEGORY: Code = ("SCT", "123037004", "Anatomical Structure")
RIGHT: Code = ("SCT", "24028007", "Right")
LEFT: Code = ("SCT", "7771000", "Left")
# mean HU, wide on purpose: what lies outside is not the organ, or not in HU
TISSUE = (-80.0, 300.0)  # a fatty pancreas, kidneys full of contrast
VESSEL = (10.0, 700.0)  # the blood of an anaemic patient, an arterial bolus
HOLLOW = (-800.0, 800.0)  # gas, oral contrast
BLADDER = (-50.0, 2000.0)  # excreted contrast


@dataclass(frozen=True)
class VolumeRange:
    """Volumes (mL) that an adult's organ is expected to have, and who measured them."""

    low: float
    high: float
    source: str


@dataclass(frozen=True)
class Organ:
    """One organ.

    Attributes:
        number: its value in label maps.
        name: lower case, as shown to people; `key` is the same for file names and options.
        code: SNOMED CT code; `side` the modifier where the organ is paired.
        colour: RGB, 0 to 255.
        volume: expected volume, None where fasting, filling or the field of view decide it.
        hu: lowest and highest mean HU that it can have, with any contrast and disease.
    """

    number: int
    name: str
    code: Code
    colour: tuple[int, int, int]
    side: Code | None = None
    volume: VolumeRange | None = None
    hu: tuple[float, float] = TISSUE

    @property
    def key(self) -> str:
        return self.name.replace(" ", "_")


_LIVER = VolumeRange(
    541, 2974, "Eur J Radiol 2018;106:32-37 (SHIP, n = 2773: no liver disease 1360 ± 273 mL, "
    "steatosis 1717 ± 419 mL; 3 SD below and above)"
)
_SPLEEN = VolumeRange(
    54, 629, "Prassopoulos et al., Eur Radiol 1997;7:246-248 (107 to 315 mL; half to twice)"
)
_KIDNEY = VolumeRange(
    69, 348, "J Clin Med 2024;13:769 (SHIP-TREND, n = 1815: median of women 138 mL, of men "
    "174 mL; half to twice)"
)
_PANCREAS = VolumeRange(
    20, 150, "Saisho et al., Clin Anat 2007;20:933-942 (72 ± 26 mL; mean ± 3 SD, at least 20)"
)


def _organ(number, name, value, meaning, colour, side=None, volume=None, hu=TISSUE):
    return Organ(number, name, ("SCT", value, meaning), colour, side, volume, hu)


ORGANS: tuple[Organ, ...] = (
    _organ(1, "spleen", "78961009", "Spleen", (157, 108, 162), volume=_SPLEEN),
    _organ(2, "right kidney", "64033007", "Kidney", (185, 102, 83), RIGHT, _KIDNEY),
    _organ(3, "left kidney", "64033007", "Kidney", (185, 102, 83), LEFT, _KIDNEY),
    _organ(4, "gallbladder", "28231008", "Gallbladder", (139, 150, 98)),
    _organ(5, "esophagus", "32849002", "Esophagus", (211, 171, 143), hu=HOLLOW),
    _organ(6, "liver", "10200004", "Liver", (221, 130, 101), volume=_LIVER),
    _organ(7, "stomach", "69695003", "Stomach", (216, 132, 105), hu=HOLLOW),
    _organ(8, "aorta", "15825003", "Aorta", (224, 97, 76), hu=VESSEL),
    _organ(9, "inferior vena cava", "64131007", "Inferior vena cava", (110, 165, 54), hu=VESSEL),
    _organ(10, "portal and splenic vein", "110765007", "Portal vein and splenic vein",
           (0, 151, 206), hu=VESSEL),
    _organ(11, "pancreas", "15776009", "Pancreas", (249, 180, 111), volume=_PANCREAS),
    _organ(12, "right adrenal gland", "23451007", "Adrenal gland", (249, 186, 150), RIGHT),
    _organ(13, "left adrenal gland", "23451007", "Adrenal gland", (249, 186, 150), LEFT),
    _organ(14, "duodenum", "38848004", "Duodenum", (255, 253, 229), hu=HOLLOW),
    _organ(15, "urinary bladder", "89837001", "Urinary bladder", (222, 154, 132), hu=BLADDER),
    # One label of the data set AMOS, and no code means either: this one is of any organ (DICOM's
    # own list of SNOMED codes has it too).
    _organ(16, "prostate or uterus", "113343008", "Body organ structure", (230, 158, 140)),
)

BY_NUMBER = MappingProxyType({organ.number: organ for organ in ORGANS})
BY_NAME = MappingProxyType({organ.name: organ for organ in ORGANS})


def find(text: str) -> Organ:
    """The organ a person means by `text`: its name or key in any case, or its number.

    Raises:
        KeyError: no organ is called so; the message lists the names.
    """
    wanted = text.strip().lower().replace("_", " ")
    if wanted in BY_NAME:
        return BY_NAME[wanted]
    if wanted.isdigit() and int(wanted) in BY_NUMBER:
        return BY_NUMBER[int(wanted)]
    raise KeyError(f"no organ is called {text!r}; known: {', '.join(BY_NAME)}")


def select(text: str) -> list[Organ]:
    """The organs that `text` stands for: one (see `find`), or both sides ("kidneys").

    Raises:
        KeyError: no organ is called so.
    """
    wanted = text.strip().lower().replace("_", " ")
    pair = [organ for organ in ORGANS
            if organ.side and organ.name.removeprefix(organ.side[2].lower() + " ") + "s" == wanted]
    return pair or [find(text)]
