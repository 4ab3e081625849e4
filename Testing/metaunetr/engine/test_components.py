import numpy as np
import pytest
import torch
from scipy import ndimage

from analytic import HuBins, analytic_image, make_bundle, rotation
from metaunetr.engine import Segmenter
from metaunetr.engine.components import (
    count_components,
    keep_largest,
    remove_small_components,
)
from metaunetr.image import Image


def box(*ranges, shape=(20, 20, 20)):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(*part) for part in ranges)] = True
    return mask


ONE = box((2, 12), (2, 12), (2, 12))
SPECK = box((15, 16), (15, 16), (15, 16))
HALF = box((13, 20), (13, 20), (13, 20))
PARTS = {
    "nothing": (np.zeros((5, 5, 5), bool), 0),
    "one": (ONE, 1),
    "a speck beside it": (ONE | SPECK, 1),
    "two parts": (ONE | HALF, 2),
    "touching by a corner": (box((0, 5), (0, 5), (0, 5)) | box((5, 9), (5, 9), (5, 9)), 1),
}


@pytest.mark.parametrize(("mask", "count"), PARTS.values(), ids=PARTS)
def test_parts_are_what_hangs_together_and_is_no_speck(mask, count):
    assert count_components(mask) == count


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_fragments_go_to_the_runner_up_and_true_parts_stay(dtype):
    stray = box((0, 2), (0, 3), (18, 20))
    logits = torch.zeros(3, 20, 20, 20, dtype=dtype)
    logits[0] = 4
    logits[1][torch.from_numpy(ONE | HALF | stray)] = 7
    logits[2][torch.from_numpy(SPECK)] = 9  # an organ may be small
    logits[2][torch.from_numpy(box((0, 1), (0, 1), (18, 20)))] = 6  # as large: stays
    remove_small_components(logits, 1.0)
    classes = logits.argmax(dim=0).numpy()
    assert np.array_equal(classes == 1, (ONE | HALF) & ~SPECK)
    assert np.array_equal(classes == 2, SPECK | box((0, 1), (0, 1), (18, 20)))


def test_a_runner_up_that_is_a_fragment_too_goes_as_well():
    logits = torch.zeros(3, 20, 20, 20)
    logits[1][torch.from_numpy(ONE)] = 7
    logits[2][torch.from_numpy(HALF)] = 7
    logits[1:, 0, 0, 18:] = torch.tensor([[6.0], [5.0]])
    remove_small_components(logits, 1.0)
    classes = logits.argmax(dim=0).numpy()
    assert np.array_equal(classes == 1, ONE) and np.array_equal(classes == 2, HALF)


def test_relabelling_goes_on_until_no_fragment_is_left():
    """In one place all three organs are more likely than background, one after the other."""
    logits = torch.zeros(4, 20, 20, 20)
    for channel, mask in enumerate((ONE, HALF, box((2, 12), (2, 12), (14, 18))), start=1):
        logits[channel][torch.from_numpy(mask)] = 7
    logits[1:, 0, 0, 18:] = torch.tensor([[6.0], [5.0], [4.0]])
    remove_small_components(logits, 1.0)
    assert (logits.argmax(dim=0)[0, 0, 18:] == 0).all()


def test_interpolation_does_not_restore_a_fragment():
    """Beside the fragment another organ wins, but the fragment's organ is above background."""
    logits = torch.zeros(3, 20, 20, 20)
    logits[1][torch.from_numpy(ONE)] = 7
    logits[2][torch.from_numpy(HALF)] = 7
    logits[1:, 16, 16, 12] = torch.tensor([6.0, -6.0])
    logits[1:, 16, 16, 13] = torch.tensor([6.0, 6.5])
    remove_small_components(logits, 1.0)
    between = logits[:, 16, 16, 12:14].mean(dim=1)
    assert between.argmax() == 2


@pytest.mark.parametrize(("voxels", "found"), [(49, False), (50, True)])
def test_an_organ_of_less_than_half_a_millilitre_is_none(voxels, found):
    logits = torch.zeros(2, 20, 20, 20)
    logits[1].view(-1)[:voxels] = 7
    remove_small_components(logits, 0.01)
    assert (logits[1] > 0).any() == found
    assert (logits.argmax(dim=0) == 1).sum() == (voxels if found else 0)


def test_of_every_class_only_the_largest_part_is_left():
    logits = torch.zeros(3, 20, 20, 20)
    logits[1][torch.from_numpy(ONE | HALF | SPECK)] = 7
    remove_small_components(logits, 1.0, largest_only=True)
    assert np.array_equal(logits.argmax(dim=0).numpy() == 1, ONE)


def test_of_every_label_only_the_largest_part_is_left():
    labels = np.zeros((20, 20, 20), np.uint8)
    labels[ONE] = 3
    labels[12, 12, 12] = 3  # touches by a corner
    labels[HALF] = 3
    labels[SPECK] = 7
    keep_largest(labels)
    assert np.array_equal(labels == 3, ONE) and np.array_equal(labels == 7, SPECK)


def test_of_two_equal_parts_one_is_left():
    labels = np.zeros((1, 1, 9), np.uint8)
    labels[0, 0, [1, 2, 5, 6]] = 1
    keep_largest(labels)
    assert np.count_nonzero(labels) == 2


@pytest.mark.parametrize("labels", [np.zeros((3, 3, 3), np.uint8), np.ones((3, 3, 3), np.uint8)])
def test_nothing_and_everything_stay_as_they_are(labels):
    kept = labels.copy()
    keep_largest(kept)
    assert np.array_equal(kept, labels)


GRIDS = {
    "finer than the model": ((1.2, 1.2, 2.0), np.eye(3)),
    "coarser than the model": ((4.5, 4.5, 5.0), np.eye(3)),
    "turned upright and back": ((2.0, 2.0, 3.0), rotation((1, 2, 3), 40)),
}


@pytest.mark.parametrize(("spacing", "direction"), GRIDS.values(), ids=GRIDS)
def test_on_the_grid_of_the_input_every_organ_is_one_part(spacing, direction):
    """Two balls of one organ, with ragged edges."""
    image = analytic_image(spacing, direction)
    noise = np.random.default_rng(0).integers(-99, 99, image.array.shape)
    image = Image(np.abs(image.array) + noise.astype(np.int16), image.grid)
    engine = Segmenter(make_bundle(HuBins()), device="cpu", precision="float32")
    torn, whole = (engine.segment(image, largest_component=only) for only in (False, True))
    assert ndimage.label(torn.labels.array == 6)[1] > 1
    assert any("parts" in flag for flag in torn.organs[2].flags)
    for found in (organ for organ in whole.organs if organ.voxels):
        mask = whole.labels.array == found.organ.number
        assert ndimage.label(mask)[1] == 1
        assert found.voxels == mask.sum()
        assert found.hu_mean == pytest.approx(image.array[mask].mean())
        assert not any("parts" in flag for flag in found.flags)
    assert whole.record["largest_component"] and not torn.record["largest_component"]
