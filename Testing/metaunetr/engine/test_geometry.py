"""Labels land where the anatomy is, whatever way the image lies in the patient."""

from itertools import permutations, product

import numpy as np
import pytest

from analytic import BLOBS, LEVELS, HuBins, Lopsided, analytic_image, make_bundle, rotation
from metaunetr.engine import Segmenter
from metaunetr.engine.resample import model_shape
from metaunetr.engine.upsample import Axis
from metaunetr.image import Grid, Image


def reordered(image: Image, axes, flips) -> Image:
    """The same scan stored with other array axes and directions."""
    array = image.array.transpose(axes)
    affine = image.grid.affine[:, [*(2 - axes[2 - n] for n in range(3)), 3]].copy()
    for axis, flip in enumerate(flips):
        if flip:
            array = np.flip(array, axis)
            column = 2 - axis
            affine[:3, 3] += affine[:3, column] * (array.shape[axis] - 1)
            affine[:3, column] *= -1
    return Image(np.ascontiguousarray(array), Grid.from_affine(array.shape, affine))


@pytest.mark.slow
def test_all_48_ways_of_storing_a_scan_give_the_same_labels_voxel_for_voxel():
    rng = np.random.default_rng(0)
    image = analytic_image((3.5, 4.0, 6.0), extent=(70, 72, 78))
    noisy = image.array + rng.integers(-300, 300, image.array.shape).astype(np.int16)
    image = Image(noisy, image.grid)
    engine = Segmenter(make_bundle(Lopsided()), device="cpu")
    expected = engine.segment(image).labels.array
    assert set(np.unique(expected)) == {0, 1, 6}
    for axes, flips in product(permutations(range(3)), product((False, True), repeat=3)):
        other = reordered(image, axes, flips)
        labels = engine.segment(other).labels.array
        backwards = [axis for axis, flip in enumerate(flips) if flip]
        mapped = np.flip(labels, backwards).transpose(np.argsort(axes))
        assert np.array_equal(mapped, expected), (axes, flips)


GRIDS = {
    "isotropic": ((3.0, 3.0, 3.0), np.eye(3)),
    "thin slices": ((1.3, 1.3, 1.0), np.eye(3)),
    "thick slices": ((0.8, 0.8, 7.0), np.eye(3)),
    "coarser than the model": ((4.5, 4.5, 5.0), np.eye(3)),
    "left-handed": ((1.5, 1.5, 3.0), np.diag([1, 1, -1])),
    "RAS, sagittal": ((3.0, 1.0, 1.0), np.array([[0, 0, -1], [-1, 0, 0], [0, 1, 0]])),
    "12 degrees oblique": ((1.5, 1.5, 3.0), rotation((1, 2, 3), 12)),
    "35 degrees oblique": ((1.5, 1.5, 3.0), rotation((1, 0, 0), 35)),
    "45 degrees oblique, mixed axes": ((1.2, 1.2, 2.5), rotation((1, 2, 3), 45)),
    "oblique and left-handed": ((1.5, 1.5, 3.0), rotation((0, 1, 1), 40) @ np.diag([-1, 1, 1])),
}


@pytest.mark.parametrize(("spacing", "direction"), GRIDS.values(), ids=GRIDS)
def test_organs_lie_within_half_a_voxel_of_the_analytic_answer(spacing, direction):
    image = analytic_image(spacing, direction)
    found = Segmenter(make_bundle(HuBins()), device="cpu").segment(image)
    half_a_voxel = 0.5 * max(*spacing, 3.0)
    for blob, number in zip(BLOBS, (6, 1), strict=True):
        k, j, i = np.nonzero(found.labels.array == number)
        places = (image.grid.affine @ np.stack([i, j, k, np.ones_like(i)]))[:3].T
        # not the rim of an oblique image, where outside passes through the HU of an organ
        places = places[np.linalg.norm(places - blob.centre, axis=1) < blob.radius + 8]
        assert np.abs(places.mean(axis=0) - blob.centre).max() < half_a_voxel
        volume = len(places) * image.grid.voxel_volume
        assert volume == pytest.approx(4 / 3 * np.pi * blob.radius**3 / 1000, rel=0.1)


def test_a_cropped_scan_keeps_its_labels_in_place():
    image = analytic_image((1.5, 1.5, 3.0))
    whole = Segmenter(make_bundle(HuBins()), device="cpu").segment(image).labels.array
    part = (slice(10, None), slice(16, None), slice(8, -4))
    affine = image.grid.affine.copy()
    affine[:3, 3] = (image.grid.affine @ [8, 16, 10, 1])[:3]
    array = np.ascontiguousarray(image.array[part])
    cropped = Image(array, Grid.from_affine(array.shape, affine))
    labels = Segmenter(make_bundle(HuBins()), device="cpu").segment(cropped).labels.array
    assert (labels == whole[part]).mean() > 0.995


FILLED = [  # voxels (D, H, W), spacing along (i, j, k), degrees oblique
    *((tuple(length if n == axis else 9 for n in range(3)),
       tuple(spacing if n == 2 - axis else 3.0 for n in range(3)), 0)
      for axis in range(3)
      for spacing in (0.7, 1.25, 2.5, 4.0, 5.0)
      for length in (50, 52, 400)),
    *(((60, 50, 71), spacing, degrees)
      for spacing in ((1.0, 1.0, 1.0), (2.0, 2.0, 3.0), (0.8, 0.8, 5.0))
      for degrees in (20, 31, 45)),
]


def test_an_organ_that_fills_the_image_is_labelled_up_to_every_face_and_flagged(long):
    engine = Segmenter(make_bundle(HuBins()), device="cpu", precision="float32")
    for shape, spacing, degrees in FILLED if long else FILLED[1::5]:
        grid = Grid(shape, spacing, (0.0, 0.0, 0.0), rotation((1, 0.3, 0.2), degrees))
        result = engine.segment(Image(np.full(shape, LEVELS[1], np.int16), grid))
        assert (result.labels.array == 6).all(), grid
        (liver,) = (found for found in result.organs if found.organ.number == 6)
        assert "touches the border" in liver.flags[0], grid


def test_the_model_grid_covers_every_length_at_every_spacing(long):
    for spacing in np.arange(0.5, 8.0, 0.15 if long else 0.47).round(2):
        for length in range(50, 401, 7 if long else 23):
            (depth, _, _) = model_shape(Grid((length, 4, 4), (1.0, 1.0, spacing), (0, 0, 0)),
                                        (3.0, 3.0, 3.0))
            assert depth - 1 < length * spacing / 3 + 1e-9 <= depth + 1e-5
            axis = Axis(length, round(3.0 / spacing, 9), 0, depth)
            assert (axis.first, axis.count) == (0, length), (spacing, length)
