"""Organ numbers by the names that data sets use, such as "RightKidney" or "postcava"."""

from __future__ import annotations

import re
from types import MappingProxyType

from metaunetr import organs

# Only synonyms: "prostate" alone leaves a uterus unlabelled, "portal vein" the splenic vein.
ALIASES = MappingProxyType({
    "gall bladder": "gallbladder",
    "oesophagus": "esophagus",
    "arota": "aorta",  # so written in AMOS22's dataset.json
    "abdominal aorta": "aorta",
    "postcava": "inferior vena cava",
    "ivc": "inferior vena cava",
    "vena cava inferior": "inferior vena cava",
    "portal vein and splenic vein": "portal and splenic vein",
    "portal and splenic veins": "portal and splenic vein",
    "portal vein splenic vein": "portal and splenic vein",
    "bladder": "urinary bladder",
    "prostate uterus": "prostate or uterus",
    "rag": "right adrenal gland",  # FLARE22
    "lag": "left adrenal gland",
    "kidney": "kidneys",
    "adrenal": "adrenal glands",
    "adrenals": "adrenal glands",
    "adrenal gland": "adrenal glands",
})
SIDES = ("right", "left")


def organs_of(name: str) -> tuple[int, ...]:
    """Organ numbers: one, both sides ("kidney" and "kidneys"), or none for an unknown name."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)  # RightKidney
    words = re.findall(r"[^\W_]+", text.lower())
    sides = [word for word in words if word in SIDES]
    rest = " ".join(word for word in words if word not in SIDES)
    rest = ALIASES.get(rest, rest)
    try:
        both = organs.select(rest) if not rest.isdigit() else []
    except KeyError:
        return ()
    if not sides:
        return tuple(organ.number for organ in both)
    side = sides[0].capitalize()
    return tuple(organ.number for organ in both
                 if len(sides) == 1 and organ.side and organ.side[2] == side)
