"""The 13 organs are all there, as large as in people, and on the right side of the body."""

import numpy as np
import pytest

from metaunetr.organs import BY_NAME

SEEDS = (0, 1, 2)

# mL that adults' organs have in CT, generously
VOLUMES = {
    "spleen": (80, 450),
    "right kidney": (90, 280),
    "left kidney": (90, 280),
    "gallbladder": (8, 90),
    "esophagus": (5, 45),
    "liver": (900, 2300),
    "stomach": (120, 800),
    "aorta": (35, 190),
    "inferior vena cava": (35, 180),
    "portal and splenic vein": (7, 45),
    "pancreas": (35, 150),
    "right adrenal gland": (1.5, 10),
    "left adrenal gland": (1.5, 10),
}


def volume(labels, number):
    return np.count_nonzero(labels.array == number) * labels.grid.voxel_volume


def centroid(labels, number):
    """LPS mm."""
    k, j, i = np.nonzero(labels.array == number)
    return labels.grid.affine[:3, :3] @ (i.mean(), j.mean(), k.mean()) + labels.grid.origin


# (this, axis, other): `this` lies left of, behind or above `other` (LPS)
POSITIONS = (
    ("spleen", 0, "liver"),
    ("left kidney", 0, "right kidney"),
    ("left adrenal gland", 0, "right adrenal gland"),
    ("aorta", 0, "inferior vena cava"),
    ("stomach", 0, "gallbladder"),
    ("left kidney", 1, "pancreas"),
    ("right kidney", 1, "gallbladder"),
    ("aorta", 1, "pancreas"),
    ("esophagus", 2, "pancreas"),
    ("liver", 2, "right kidney"),
    ("spleen", 2, "left kidney"),
    ("right adrenal gland", 2, "right kidney"),
    ("left adrenal gland", 2, "left kidney"),
)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_13_organs_have_plausible_volumes(make, seed):
    labels = make(seed).labels
    assert set(np.unique(labels.array)) == set(range(14))
    volumes = {organ: volume(labels, BY_NAME[organ].number) for organ in VOLUMES}
    assert {organ: volumes[organ] for organ, (low, high) in VOLUMES.items()
            if not low < volumes[organ] < high} == {}


@pytest.mark.parametrize("seed", SEEDS)
def test_organs_lie_left_of_behind_or_above_others(make, seed):
    labels = make(seed).labels
    centres = {organ: centroid(labels, BY_NAME[organ].number) for organ in VOLUMES}
    assert [(this, axis, other) for this, axis, other in POSITIONS
            if centres[this][axis] <= centres[other][axis] + 2] == []


def test_gas_in_the_stomach_lies_in_front_of_fluid(make):
    made = make(1)
    inside, hu = made.labels.array == 7, made.image.array
    gas, rest = np.nonzero(inside & (hu < -600)), np.nonzero(inside & (hu > -100))
    assert len(gas[1]) > 5
    assert gas[1].mean() < rest[1].mean() - 2  # rows run from the front to the back


def test_lungs_are_at_the_top_and_a_table_is_below_the_back(make):
    hu = make(1).image.array
    lung = (hu > -900) & (hu < -700)
    assert lung[-8:].sum() > 4 * lung[:8].sum()  # below, only the skin's surface is as light
    assert (hu[:, -6:] > -960).any(axis=1).mean() > 0.5


def test_the_same_patient_on_two_grids_has_the_same_organs(make):
    coarse, fine = make(2), make(2, (90, 84, 104))
    for number in (1, 2, 3, 6, 7, 8, 9, 11):
        assert volume(coarse.labels, number) == pytest.approx(
            volume(fine.labels, number), rel=0.1
        )
        distance = centroid(coarse.labels, number) - centroid(fine.labels, number)
        assert np.linalg.norm(distance) < 3


def test_seeds_differ_in_anatomy(make):
    volumes = {tuple(round(volume(make(s).labels, n)) for n in (1, 3, 6)) for s in SEEDS}
    assert len(volumes) == len(SEEDS)
