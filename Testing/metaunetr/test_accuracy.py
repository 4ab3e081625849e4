"""Each bundled model's accuracy on labelled real CT through the shipped path, pinned.

The table in `accuracy.json` holds Dice per model, case and organ. A change of crop, overlap or
precision that costs more than 0.005 in the mean of a case fails here. After a change that is
meant to alter results, look at them, then print a new table:

    python Testing/metaunetr/test_accuracy.py > Testing/metaunetr/accuracy.json
"""

import json
import math
from pathlib import Path

import pytest

from metaunetr import Segmenter, read_image, read_labels
from metaunetr.bundle import find
from metaunetr.metrics import dice

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
TABLE = json.loads(Path(__file__).with_name("accuracy.json").read_text() or "{}")
TOLERANCE = 0.005  # mean of a case
ORGAN_TOLERANCE = 0.03  # one organ: small ones swing with the rounding of another processor
CASES = (
    "totalsegmentator/images/s0009.nii.gz",
    "totalsegmentator/images/tsrepo_example_ct_3mm_pseudo.nii.gz",
    "amos_slabs/images/amos_0001_slab.nii.gz",
    "amos_slabs/images/amos_0013_slab.nii.gz",
)
SMALLEST = 1.0  # mL: below, one voxel decides the Dice


def measure(model: str, case: str) -> dict[str, float]:
    """Dice of every organ that the model knows and the reference holds at least 1 mL of."""
    image = read_image(DATA / case)
    reference = read_labels(DATA / case.replace("/images/", "/labels/"))
    labels = Segmenter(model, device="cpu").segment(image).labels.array
    found = {}
    for organ in sorted(find(model).classes, key=lambda organ: organ.number):
        truth = reference.array == organ.number
        if truth.sum() * image.grid.voxel_volume >= SMALLEST:
            found[organ.name] = round(dice(labels == organ.number, truth), 3)
    return found


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="the labelled CTs are not part of the repository")
@pytest.mark.parametrize(
    ("model", "case"), [(model, case) for model, cases in TABLE.items() for case in cases]
)
def test_accuracy_on_real_ct_has_not_dropped(model, case):
    pinned = TABLE[model][case]
    found = measure(model, case)
    assert found.keys() == pinned.keys()
    assert math.fsum(found.values()) / len(found) >= (
        math.fsum(pinned.values()) / len(pinned) - TOLERANCE
    ), (found, pinned)
    worse = {organ: (found[organ], dice) for organ, dice in pinned.items()
             if found[organ] < dice - ORGAN_TOLERANCE}
    assert not worse


def test_every_bundled_model_is_pinned():
    bundled = {path.parent.name for path in (ROOT / "Resources" / "Models").glob("*/card.json")}
    assert bundled == set(TABLE)


if __name__ == "__main__":
    models = [path.parent.name for path in sorted((ROOT / "Resources/Models").glob("*/card.json"))]
    print(json.dumps({model: {case: measure(model, case) for case in CASES} for model in models},
                     indent=1))
