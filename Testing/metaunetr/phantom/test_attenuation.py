"""HU, noise and texture are those of CT, and thresholds do not find the organs."""

import numpy as np
import pytest
from scipy import ndimage

from metaunetr.phantom.phases import PHASES, attenuation

from .conftest import SEED_OF_PHASE

SPLEEN, RIGHT_KIDNEY, LEFT_KIDNEY, LIVER = 1, 2, 3, 6


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
def test_the_seeds_of_these_tests_cover_every_phase(make, phase):
    assert make(SEED_OF_PHASE[phase]).description["phase"] == phase


@pytest.mark.parametrize("phase", PHASES)
def test_liver_and_spleen_lie_within_15_hu(make, phase):
    made = make(SEED_OF_PHASE[phase])
    assert abs(inner_hu(made, LIVER) - inner_hu(made, SPLEEN)) <= 15


@pytest.mark.parametrize("kidney", [RIGHT_KIDNEY, LEFT_KIDNEY])
def test_unenhanced_kidneys_lie_within_15_hu_of_liver_and_spleen(make, kidney):
    made = make(SEED_OF_PHASE["none"])
    for other in (LIVER, SPLEEN):
        assert abs(inner_hu(made, kidney) - inner_hu(made, other)) <= 15


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("organ", [SPLEEN, RIGHT_KIDNEY, LEFT_KIDNEY, LIVER])
def test_no_threshold_finds_an_organ(make, phase, organ):
    assert best_threshold_dice(make(SEED_OF_PHASE[phase]), organ) < 0.6


@pytest.mark.parametrize("phase", PHASES)
def test_noise_has_an_sd_of_12_to_30_hu(make, phase):
    made = make(SEED_OF_PHASE[phase])
    inside = ndimage.binary_erosion(made.labels.array == LIVER)
    pairs = inside[1:] & inside[:-1]
    # Noise differs between slices, anatomy hardly: the difference of two holds it twice.
    difference = np.diff(made.image.array.astype(float), axis=0)[pairs]
    assert 12 <= difference.std() / np.sqrt(2) <= 30


def test_noise_is_correlated_within_slices_like_that_of_a_reconstruction(make):
    made = make(1, (6, 300, 420), (0.8, 0.8, 3))
    liver = ndimage.binary_erosion(made.labels.array == LIVER)
    difference = np.diff(made.image.array.astype(float), axis=0)
    pairs = liver[1:] & liver[:-1]
    neighbours = pairs[:, :, 1:] & pairs[:, :, :-1]
    a, b = difference[:, :, 1:][neighbours], difference[:, :, :-1][neighbours]
    assert 0.25 < np.corrcoef(a, b)[0, 1] < 0.9


@pytest.mark.parametrize(
    ("brighter", "darker", "phase"),
    [
        ("aorta", "portal vein", "arterial"),
        ("kidney cortex", "kidney medulla", "arterial"),
        ("portal vein", "liver", "portal"),
        ("liver", "muscle", "portal"),
        ("renal pelvis", "kidney medulla", "late"),
    ],
)
def test_contrast_arrives_in_order(brighter, darker, phase):
    hu = attenuation(phase)
    assert hu[brighter] > hu[darker] + 15


def test_an_unknown_phase_is_refused():
    with pytest.raises(ValueError, match=r"none, arterial, portal, late.*'venous'"):
        attenuation("venous")
