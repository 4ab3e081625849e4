"""Right and left are separated in masks of both, in any orientation; labels become organs."""

from __future__ import annotations

import numpy as np
import pytest

from metaunetr import io
from metaunetr.errors import InputError
from metaunetr.image import Grid, Image
from metaunetr_training.data.case import Case
from metaunetr_training.data.labels import middle_of_body, read_reference, right_of_pair

CENTRE = np.array([20.0, -30.0, 500.0])  # LPS mm, of the image


def rotation(x: float, y: float, z: float) -> np.ndarray:
    """Rotations about the three axes, in degrees, one after the other."""
    matrix = np.eye(3)
    for axis, angle in enumerate(np.radians([x, y, z])):
        a, b = [n for n in range(3) if n != axis]
        turn = np.eye(3)
        turn[[a, b], [a, b]] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix


OBLIQUE = rotation(-10, 25, 30) @ np.diag([-1, 1, -1])
DIRECTIONS = {
    "axial": np.eye(3), "flipped": -np.eye(3), "sagittal": np.eye(3)[[1, 2, 0]], "oblique": OBLIQUE,
}


def grid_of(direction: np.ndarray) -> Grid:
    """380 × 240 × 180 mm of the patient, whichever way the axes run."""
    spacing = np.array([5.0, 6.0, 4.5])
    size = np.ceil(np.abs(direction.T) @ [380, 240, 180] / spacing).astype(int)
    origin = CENTRE - direction @ ((size - 1) / 2 * spacing)
    return Grid(tuple(int(n) for n in size[::-1]), tuple(spacing), tuple(origin), direction)


def places(grid: Grid) -> np.ndarray:
    """LPS mm of every voxel from the middle of the image: (3, D, H, W)."""
    k, j, i = np.indices(grid.shape)
    points = np.stack([i, j, k, np.ones_like(i)], axis=-1) @ grid.affine.T
    return np.moveaxis(points[..., :3], -1, 0) - CENTRE[:, None, None, None]


def ellipsoid(places: np.ndarray, centre, radii) -> np.ndarray:
    return sum(((x - c) / r) ** 2 for x, c, r in zip(places, centre, radii, strict=True)) <= 1


KIDNEY = (27, 27, 55)
RIGHT, LEFT = ((-62, 30, -5), KIDNEY), ((65, 30, 5), KIDNEY)
MIDDLE = 0.0
# ellipsoids of the right and of the left organ, and the middle of the body, or None where the mask
# has a gap
PAIRS = {
    "both kidneys": ([RIGHT], [LEFT], None),
    "a right kidney alone": ([RIGHT], [], MIDDLE),
    "a left kidney alone": ([], [LEFT], MIDDLE),
    "a left kidney in two pieces": (
        [], [((60, 30, 40), (27, 27, 25)), ((72, 30, -40), (27, 27, 25))], MIDDLE),
    "fragments": ([RIGHT, ((-70, 30, 75), (9, 9, 9))],
                  [((60, 30, 40), (27, 27, 25)), ((70, 30, -40), (27, 27, 25)),
                   ((40, 0, 75), (9, 9, 9))], None),
    "a shrunken left kidney": ([RIGHT], [((60, 30, 0), (11, 11, 18))], MIDDLE),
    "a kidney that reaches over the middle": ([((-14, 30, 0), (27, 27, 45))], [], MIDDLE),
    "a cystic kidney, twice as wide": ([], [((45, 30, 0), (60, 40, 70))], MIDDLE),
    "both on the right of the image": (
        [((-150, 30, 0), (24, 27, 45))], [((-40, 30, 0), (24, 27, 45))], None),
    "both adrenal glands": ([((-30, 20, 20), (12, 10, 15))], [((32, 20, 15), (12, 10, 15))], None),
    "a left adrenal gland": ([], [((32, 20, 15), (12, 10, 15))], MIDDLE),
}


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
def test_every_component_belongs_to_its_side(direction):
    grid = grid_of(direction)
    where = places(grid)
    wrong = []
    for name, (right, left, middle) in PAIRS.items():
        sides = [np.any([np.zeros(grid.shape, bool)] + [ellipsoid(where, *e) for e in parts],
                        axis=0) for parts in (right, left)]

        def middle_of_body(middle=middle) -> float:
            assert middle is not None, "the mask has a gap"
            return CENTRE[0] + middle

        found = right_of_pair(sides[0] | sides[1], grid, middle_of_body)
        wrong += [name] * (not np.array_equal(found, sides[0]))
    assert wrong == []


@pytest.mark.parametrize("middle", [0.0, 8.0])
def test_a_horseshoe_kidney_is_divided_in_the_middle(middle):
    grid = grid_of(OBLIQUE)
    where = places(grid)
    horseshoe = (ellipsoid(where, (-50, 30, 0), KIDNEY) | ellipsoid(where, (50, 30, 0), KIDNEY)
                 | ellipsoid(where, (0, 15, -35), (60, 15, 15)))
    right = right_of_pair(horseshoe, grid, lambda: CENTRE[0] + middle)
    assert np.array_equal(right, horseshoe & (where[0] < middle))


@pytest.mark.parametrize("shift", [0.0, -60.0])
def test_the_middle_of_the_body_is_found_at_the_height_of_the_mask(shift):
    grid = grid_of(OBLIQUE)
    where = places(grid)
    body = ellipsoid(where, (shift, 0, 0), (120, 90, 1000))
    arm = ellipsoid(where, (150, 0, 80), (30, 30, 40))  # not at the height of the mask
    hu = np.where(body | arm, 40, -1000).astype(np.int16)
    mask = ellipsoid(where, (shift + 50, 30, -30), (30, 30, 20))
    assert middle_of_body(Image(hu, grid), mask, grid) == pytest.approx(CENTRE[0] + shift, abs=6)


def test_the_middle_of_an_image_without_tissue_is_its_own(tmp_path):
    grid = grid_of(np.eye(3))
    empty = Image(np.full(grid.shape, -1000, np.int16), grid)
    mask = np.ones(grid.shape, bool)
    assert middle_of_body(empty, mask, grid) == pytest.approx(CENTRE[0], abs=10)


MERGED = {1: (6,), 2: (2, 3), 3: (2, 3), 4: (12, 13), 5: ()}


@pytest.fixture
def case(tmp_path) -> Case:
    """A liver; a left kidney with a tumour that is a label of its own; adrenals; a bone."""
    grid = grid_of(OBLIQUE)
    where = places(grid)
    hu = np.where(ellipsoid(where, (0, 0, 0), (150, 100, 1000)), 40, -1000).astype(np.int16)
    labels = np.zeros(grid.shape, np.uint8)
    for label, parts in {
        1: [((-80, -20, 40), (50, 50, 30))], 2: [LEFT], 3: [((85, 20, 10), (20, 20, 20))],
        4: [((-30, 20, 60), (12, 10, 15)), ((32, 20, 60), (12, 10, 15))],
        5: [((0, 70, 0), (20, 15, 80))],
    }.items():
        for part in parts:
            labels[ellipsoid(where, *part)] = label
    io.write_image(tmp_path / "image.nii.gz", Image(hu, grid))
    io.write_image(tmp_path / "labels.nii.gz", Image(labels, grid))
    return Case("ours", "a", tmp_path / "image.nii.gz", tmp_path / "labels.nii.gz", MERGED)


def test_labels_become_organ_numbers_on_their_own_grid(case):
    raw, reference = io.read_labels(case.labels), read_reference(case)
    left_of_middle = places(raw.grid)[0] > 0
    expected = np.select(
        [raw.array == 1, np.isin(raw.array, (2, 3)), (raw.array == 4) & left_of_middle,
         raw.array == 4], [6, 3, 13, 12])
    assert np.array_equal(reference.array, expected)
    assert reference.array.dtype == np.uint8
    assert reference.grid.same_as(raw.grid)
    assert reference.source == case.labels


def test_a_ct_that_was_read_already_is_not_read_again(case):
    image = io.read_image(case.image)
    case.image.unlink()
    assert set(read_reference(case, image).array.flat) == {0, 3, 6, 12, 13}


def test_a_data_set_without_merged_sides_needs_no_ct(case):
    case.image.unlink()
    plain = Case("ours", "a", case.image, case.labels, {n: (n,) for n in range(1, 6)})
    assert np.array_equal(read_reference(plain).array, io.read_labels(case.labels).array)


def test_sides_may_be_named_in_any_order(case):
    reversed_order = Case(case.dataset, case.id, case.image, case.labels,
                          {label: organs[::-1] for label, organs in MERGED.items()})
    assert np.array_equal(read_reference(reversed_order).array, read_reference(case).array)


def test_unknown_labels_are_refused_by_name(case):
    known = {label: MERGED[label] for label in (1, 2, 4)}
    with pytest.raises(InputError, match="must be among 1, 2, 4, those that ours knows; this file "
                                         "holds 3, 5 too") as error:
        read_reference(Case("ours", "a", case.image, case.labels, known))
    assert str(error.value).startswith(str(case.labels))
