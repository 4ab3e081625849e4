"""What looks wrong about an organ: about itself, and beside the other organs of the same image.

A flag is a sentence. All but one are doubts, for which a person should look at the organ. The
exception, that the organ reaches the border of the image, only means that its volume is incomplete.
The thresholds were chosen on labelled CTs; `Testing/benchmarks/flags.py` measures what they do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from metaunetr.organs import Organ
from metaunetr.result import CUT_OFF
from metaunetr.text import millilitres

CONFIDENCE = 0.88  # mean probability over an organ's voxels
CALIBRATED = 0.7  # the same, where the model's card turns it into the Dice to be expected
SPREAD = 140.0  # HU, of a vessel; 125 in one full of plaques
KIDNEYS = ("right kidney", "left kidney")
KIDNEY_VOLUME = 0.6  # of the other kidney's; the least of 30 labelled CTs
# a kidney below this share of the other one's volume is flagged if it is also as short as this, or
# if its confidence is lower by this much: naturally small kidneys are neither. The length alone
# says nothing, because fragments lengthen the other kidney.
SMALLER, SHORTER, LESS_SURE = 0.8, 0.78, 0.04
KIDNEY_HU = 60.0  # difference of their means
VENA_CAVA_HU = 50.0  # that its mean may lie above the aorta's
# vessels that run from above the liver to below the kidneys, and how far below the top of the liver
# they may end, in mm
VESSELS = {"aorta": 15.0, "inferior vena cava": 40.0}
BELOW_KIDNEYS = 60.0  # mm; how far above the lowest point of the kidneys they may end
# the aorta's largest cross-section in its uppermost 5 cm, of the median: at least 3.0 where that is
# the arch (24 labelled CTs), about 1.2 where only the descending aorta was found
ARCH = 2.0
SCAN_END = 15.0  # mm; what comes as near to the end of the scan reaches it


@dataclass(frozen=True)
class Found:
    """One organ as found in one image.

    Attributes:
        volume_ml, hu_mean: on the input grid.
        hu_spread: between the quartiles of HU.
        confidence: as in `OrganResult`; `calibrated` if it is the expected Dice.
        parts: connected components without the small ones.
        cut_off: it reaches the border of the image.
        wrong_side: see `swapped_sides`.
        extent: its lowest and highest point in mm above the lower end of the image.
        upper_width: the largest axial cross-section within 5 cm of its highest point, in units of
            the median one.
    """

    organ: Organ
    volume_ml: float
    hu_mean: float
    hu_spread: float
    confidence: float
    calibrated: bool
    parts: int
    cut_off: bool
    wrong_side: bool
    extent: tuple[float, float]
    upper_width: float

    @property
    def length(self) -> float:
        return self.extent[1] - self.extent[0]


def flags_of(organ: Found, others: Mapping[str, Found], length: float) -> tuple[str, ...]:
    """The flags of an organ that was found.

    Args:
        others: all organs that were found in the image, by name.
        length: of the image along the body, mm.
    """
    flags = [*_position(organ), *_size(organ), *_hounsfield(organ), *_certainty(organ)]
    if organ.organ.name in KIDNEYS and all(name in others for name in KIDNEYS):
        (other,) = (others[name] for name in KIDNEYS if name != organ.organ.name)
        flags += _beside_the_other_kidney(organ, other)
    if organ.organ.name in VESSELS:
        flags += _beside_the_other_vessel(others)
        flags += _ends(organ, others, length)
    return tuple(flags)


def _position(organ: Found) -> Iterator[str]:
    if organ.cut_off:
        yield CUT_OFF
    if organ.wrong_side:
        yield "lies on the wrong side of its counterpart"


def _size(organ: Found) -> Iterator[str]:
    expected, volume = organ.organ.volume, organ.volume_ml
    if expected and (volume > expected.high or (volume < expected.low and not organ.cut_off)):
        yield (f"volume {millilitres(volume)} mL is outside the expected {expected.low:.0f} to "
               f"{expected.high:.0f} mL")
    if organ.parts > 1:
        yield f"{organ.parts} separate parts"


def _hounsfield(organ: Found) -> Iterator[str]:
    low, high = organ.organ.hu
    if not low <= organ.hu_mean <= high:
        yield f"its mean of {organ.hu_mean:.0f} HU is outside the possible {low:.0f} to {high:.0f}"
    if organ.organ.name in VESSELS and organ.hu_spread > SPREAD:
        yield f"its HU spread over {organ.hu_spread:.0f}, as those of no vessel"


def _certainty(organ: Found) -> Iterator[str]:
    least = CALIBRATED if organ.calibrated else CONFIDENCE
    if round(organ.confidence, 2) <= least:  # as it is shown
        yield f"the confidence is at most {least:g}"


def _beside_the_other_kidney(organ: Found, other: Found) -> Iterator[str]:
    share = organ.volume_ml / other.volume_ml
    incomplete = (organ.length < SHORTER * other.length
                  or organ.confidence < other.confidence - LESS_SURE)
    if not organ.cut_off and share < (SMALLER if incomplete else KIDNEY_VOLUME):
        yield f"has {share:.0%} of the {other.organ.name}'s volume"
    if abs(organ.hu_mean - other.hu_mean) > KIDNEY_HU:
        yield f"{organ.hu_mean:.0f} HU, but the {other.organ.name} {other.hu_mean:.0f}"


def _beside_the_other_vessel(others: Mapping[str, Found]) -> Iterator[str]:
    if all(name in others for name in VESSELS):
        aorta, cava = (others[name].hu_mean for name in VESSELS)
        if cava > aorta + VENA_CAVA_HU:
            yield f"the vena cava is brighter than the aorta ({cava:.0f} and {aorta:.0f} HU)"


def _ends(vessel: Found, others: Mapping[str, Found], length: float) -> Iterator[str]:
    """Flags of vessels that end inside the image at an implausible level."""
    low, high = vessel.extent
    kidneys = [others[name].extent[0] for name in KIDNEYS if name in others]
    if kidneys and low > SCAN_END and low > min(kidneys) + BELOW_KIDNEYS:
        yield "its lower end lies above the lower poles of the kidneys"
    liver = others.get("liver")
    top = liver.extent[1] - VESSELS[vessel.organ.name] if liver else 0.0
    if high >= length - SCAN_END:
        return
    if high < top:
        yield "its upper end lies below the top of the liver"
    elif vessel.organ.name == "aorta" and vessel.upper_width < ARCH:
        yield "it ends in the chest without an arch"
