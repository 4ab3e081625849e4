"""HU, noise and texture are those of CT, and thresholds do not find the organs."""

import numpy as np
import pytest
from scipy import ndimage

from metaunetr.phantom.patient import PHASES, attenuation

from .conftest import SEED_OF_PHASE

SPLEEN, KIDNEYS, LIVER = 1, (2, 3), 6


def inner_hu(made, number):
    """HU of an organ away from its surface."""
    inside = ndimage.binary_erosion(made.labels.array == number)
    return np.median(made.image.array[inside])


def best_threshold_dice(made, number):
    """The highest Dice that any interval of HU within the body reaches for an organ."""
    hu = made.image.array
    body = hu > -300
    bins = np.clip(hu[body], -200, 600).astype(int) // 5 + 40
    organ = np.cumsum(np.bincount(bins[made.labels.array[body] == number], minlength=161))
    everything = np.cumsum(np.bincount(bins, minlength=161))
    organ, everything = np.r_[0, organ], np.r_[0, everything]
    low, high = np.triu_indices(162, 1)
    hit = organ[high] - organ[low]
    return np.max(2 * hit / (everything[high] - everything[low] + organ[-1]))


@pytest.mark.parametrize("phase", PHASES)
def test_hu_and_noise_are_those_of_ct(make, phase):
    made = make(SEED_OF_PHASE[phase])
    assert made.description["phase"] == phase
    liver, spleen, *kidneys = (inner_hu(made, n) for n in (LIVER, SPLEEN, *KIDNEYS))
    assert abs(liver - spleen) <= 15
    if phase == "none":
        assert all(abs(kidney - hu) <= 15 for kidney in kidneys for hu in (liver, spleen))
    inside = ndimage.binary_erosion(made.labels.array == LIVER)
    pairs = inside[1:] & inside[:-1]
    # noise differs between slices, anatomy hardly, so that differences have twice its variance
    difference = np.diff(made.image.array.astype(float), axis=0)[pairs]
    assert 12 <= difference.std() / np.sqrt(2) <= 30


@pytest.mark.parametrize("phase", PHASES)
def test_no_threshold_finds_an_organ(make, phase):
    made = make(SEED_OF_PHASE[phase])
    dice = {number: best_threshold_dice(made, number) for number in (LIVER, SPLEEN, *KIDNEYS)}
    assert max(dice.values()) < 0.6, dice


def test_noise_is_correlated_within_slices_like_that_of_a_reconstruction(make):
    made = make(1, (4, 300, 420), (0.8, 0.8, 3))
    liver = ndimage.binary_erosion(made.labels.array == LIVER)
    difference = np.diff(made.image.array.astype(float), axis=0)
    pairs = liver[1:] & liver[:-1]
    neighbours = pairs[:, :, 1:] & pairs[:, :, :-1]
    a, b = difference[:, :, 1:][neighbours], difference[:, :, :-1][neighbours]
    assert 0.25 < np.corrcoef(a, b)[0, 1] < 0.9


def test_contrast_arrives_in_order():
    for brighter, darker, phase in (
        ("aorta", "portal vein", "arterial"),
        ("kidney cortex", "kidney medulla", "arterial"),
        ("portal vein", "liver", "portal"),
        ("liver", "muscle", "portal"),
        ("renal pelvis", "kidney medulla", "late"),
    ):
        hu = attenuation(phase)
        assert hu[brighter] > hu[darker] + 15, (brighter, darker, phase)


def test_an_unknown_phase_is_refused():
    with pytest.raises(ValueError, match=r"none, arterial, portal, late.*'venous'"):
        attenuation("venous")
