"""Pictures show the patient the way a radiologist expects, whatever way the array runs."""

from itertools import permutations

import numpy as np
import pytest

from metaunetr.image import Grid, Image
from metaunetr.organs import find
from metaunetr.report.overlay import (
    FILL,
    GREYS,
    PLANES,
    Scene,
    organ_pictures,
    overlay_montage,
    overview_pictures,
)
from metaunetr.report.palette import shown_colour

LIVER, SPLEEN = find("liver"), find("spleen")
SPACING = (1.5, 1.0, 4.0)  # mm along (i, j, k) of the upright phantom
SHAPE = (50, 180, 120)  # (D, H, W)


def millimetres():
    """Coordinates (superior, posterior, left) in mm of each voxel, 0 in the middle."""
    axes = [
        (np.arange(n) - (n - 1) / 2) * s for n, s in zip(SHAPE, SPACING[::-1], strict=True)
    ]
    return np.meshgrid(*axes, indexing="ij")


def upright_phantom():
    """A ball of liver in a soft body, with a bright rod on the right, in front, above."""
    superior, posterior, left = millimetres()
    hu = np.full(SHAPE, 40, np.int16)
    hu[(left < -50) & (posterior < -50) & (superior > 50)] = 1000
    labels = np.where(superior**2 + posterior**2 + left**2 <= 40**2, LIVER.number, 0)
    return Image(hu, Grid(SHAPE, SPACING, (0, 0, 0))), labels.astype(np.uint8)


def stored_as(image, labels, axes, flips, rotation):
    """The same patient, with the array's axes permuted, flipped and the grid rotated."""
    grid = image.grid
    corner = np.zeros(3)
    columns = (np.array(rotation) @ grid.affine[:3, :3]).T[::-1]  # mm steps along D, H, W
    for axis in flips:
        corner += columns[axis] * (grid.shape[axis] - 1)
        columns[axis] *= -1
    affine = np.eye(4)
    affine[:3, :3] = np.array([columns[axis] for axis in axes])[::-1].T
    affine[:3, 3] = corner

    def store(array):
        return np.ascontiguousarray(np.flip(array, flips).transpose(axes))

    stored = Grid.from_affine(tuple(grid.shape[axis] for axis in axes), affine)
    return Image(store(image.array), stored), Image(store(labels), stored)


def turned(degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def tinted(picture):
    """Where a picture is coloured."""
    return (picture.max(axis=2).astype(int) - picture.min(axis=2)) > 5


def bright(picture):
    rows, columns = np.nonzero((picture > 250).all(axis=2))
    return rows.mean() / len(picture), columns.mean() / picture.shape[1]


@pytest.mark.parametrize(("axes", "flips"), list(zip(
    permutations(range(3)), [(), (0,), (1, 2), (1,), (2,), (0, 1, 2)], strict=True)))
def test_the_array_order_does_not_matter(axes, flips):
    image, labels = upright_phantom()
    expected = overlay_montage(image, Image(labels, image.grid))
    np.testing.assert_array_equal(
        overlay_montage(*stored_as(image, labels, axes, flips, np.eye(3))), expected
    )


@pytest.mark.parametrize("degrees", [20, -30])
def test_oblique_images_are_shown_in_their_own_slices(degrees):
    image, labels = upright_phantom()
    expected = overlay_montage(image, Image(labels, image.grid))
    np.testing.assert_array_equal(
        overlay_montage(*stored_as(image, labels, (1, 0, 2), (2,), turned(degrees))), expected
    )


def test_right_is_left_anterior_is_up_superior_is_up():
    image, labels = upright_phantom()
    scene = Scene.of(image, Image(labels, image.grid))
    whole = [n * s for n, s in zip(SHAPE, SPACING[::-1], strict=True)]
    middle = np.array(SHAPE) / 2
    slices = {"axial": 45, "coronal": 10, "sagittal": 10}  # those through the bright rod
    for axis, plane in enumerate(PLANES):
        field = tuple(np.delete(whole, axis))
        picture = scene.picture(plane, slices[plane], [LIVER.number], middle, field, 200)
        row, column = bright(picture)
        assert row < 0.4 and column < 0.4, plane


def test_a_ball_is_round_on_an_anisotropic_grid():
    image, labels = upright_phantom()
    pictures = organ_pictures(Scene.of(image, Image(labels, image.grid)), LIVER, size=300)
    pixel = 150 / 300  # the smallest field, in mm
    for plane, picture in pictures.items():
        assert picture.shape == (300, 300, 3)
        rows, columns = np.nonzero(tinted(picture))
        for extent in (np.ptp(rows), np.ptp(columns)):
            assert extent * pixel == pytest.approx(80, abs=4), plane  # slices are 4 mm thick


def test_the_organ_is_filled_and_outlined_in_its_colour():
    image, labels = upright_phantom()
    picture = organ_pictures(Scene.of(image, Image(labels, image.grid)), LIVER)["axial"]
    middle = picture[len(picture) // 2, len(picture) // 2]
    grey = round((40 + 160) / 400 * (GREYS - 1)) * 255 / (GREYS - 1)
    np.testing.assert_allclose(
        middle, (1 - FILL) * grey + FILL * np.array(shown_colour(LIVER)), atol=1
    )
    assert (picture == shown_colour(LIVER)).all(axis=2).any()
    assert not tinted(picture)[:20].any()


def test_only_the_organ_asked_for_is_drawn():
    image, labels = upright_phantom()
    labels[:, :20, :20] = SPLEEN.number
    scene = Scene.of(image, Image(labels, image.grid))
    picture = organ_pictures(scene, LIVER)["axial"]
    assert not (picture == shown_colour(SPLEEN)).all(axis=2).any()
    assert any((picture == shown_colour(SPLEEN)).all(axis=2).any()
               for picture in overview_pictures(scene).values())


def test_the_bar_is_five_centimetres_long():
    image, labels = upright_phantom()
    picture = organ_pictures(Scene.of(image, Image(labels, image.grid)), LIVER, size=300)["axial"]
    row = picture[-10:].reshape(10, 300, 3).min(axis=2).max(axis=0)
    assert (row == 255).sum() == pytest.approx(50 / (150 / 300), abs=1)


@pytest.mark.parametrize("shape", [(1, 64, 64), (40, 3, 50), (2, 2, 2)])
@pytest.mark.parametrize("filled", [False, True])
def test_thin_and_empty_images_have_pictures(shape, filled):
    grid = Grid(shape, (1, 1, 1), (0, 0, 0))
    labels = np.full(shape, LIVER.number if filled else 0, np.uint8)
    scene = Scene.of(Image(np.zeros(shape, np.float32), grid), Image(labels, grid))
    pictures = overview_pictures(scene) | (organ_pictures(scene, LIVER) if filled else {})
    for picture in pictures.values():
        assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.size


def test_an_organ_of_one_voxel_is_still_found():
    image, labels = upright_phantom()
    labels[:] = 0
    labels[7, 20, 100] = SPLEEN.number
    scene = Scene.of(image, Image(labels, image.grid))
    assert scene.richest_slices([SPLEEN.number]) == (7, 20, 100)
    assert tinted(organ_pictures(scene, SPLEEN)["axial"]).any()
