"""What training reads is what the engine would see, with labels at the same places."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from metaunetr.engine.resample import body_box, matrices, to_model_input
from metaunetr.image import Grid, Image
from metaunetr.orientation import Orientation, tilt
from metaunetr_training import recipe
from metaunetr_training.data.prepared import BRIGHTEST
from metaunetr_training.data.resample import resample_labels, to_model_arrays
from tiny_dataset import small_case

AT_8_MM = replace(recipe.load("fast").preprocessing, spacing=(8.0, 8.0, 8.0))


def stored(image: Image, axes: tuple[int, int, int], flips: tuple[bool, bool, bool]) -> Image:
    """The same image with its array in another order, as other scanners store it."""
    back = Orientation(axes, flips)
    return Image(np.ascontiguousarray(back.view(image.array)), back.canonical(image.grid))


def turned(image: Image, degrees: float) -> Image:
    """The patient lies turned in the scanner."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rotation = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    return Image(image.array, replace(image.grid, direction=rotation))


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def test_the_image_is_the_engines_input():
    image, labels = small_case(spacing=(3.0, 3.0, 5.0))
    volume, _ = to_model_arrays(image, labels, AT_8_MM)
    expected = to_model_input(image.array, image.grid, AT_8_MM)
    box = body_box(expected, AT_8_MM.body_crop)
    assert volume.shape < tuple(expected.shape)
    np.testing.assert_allclose(volume / BRIGHTEST, expected[box].numpy(), atol=0.5001 / BRIGHTEST)


def test_fill_is_air_as_in_the_engine():
    image, labels = small_case(spacing=(3.0, 3.0, 5.0))
    hu = image.array.copy()
    hu[:, :5] = -1024
    filled = hu.copy()
    filled[:, :5] = 3071
    air, fill = (to_model_arrays(replace(image, array=array), labels, AT_8_MM)[0]
                 for array in (hu, filled))
    np.testing.assert_array_equal(fill, air)


@pytest.mark.parametrize("spacing", [(3.0, 3.0, 5.0), (6.0, 6.0, 6.0), (9.0, 9.0, 12.0)])
def test_a_label_is_what_covers_most_of_a_voxel(spacing):
    _, labels = small_case(spacing=spacing)
    along = [matrix.double().numpy() for matrix in matrices(labels.grid, AT_8_MM)]
    numbers = np.unique(labels.array)
    covers = [np.einsum("ad,bh,cw,dhw->abc", *along, labels.array == n, optimize=True)
              for n in numbers]
    expected = numbers[np.argmax(covers, axis=0)]
    found = resample_labels(labels.array, labels.grid, AT_8_MM)
    ties = np.sort(covers, axis=0)[-1] - np.sort(covers, axis=0)[-2] < 1e-5
    assert set(np.unique(found)) == set(numbers)
    np.testing.assert_array_equal(found[~ties], expected[~ties])


@pytest.mark.parametrize("axes, flips", [
    ((0, 1, 2), (True, True, True)), ((2, 0, 1), (False, True, False)),
    ((1, 2, 0), (True, False, False)),
])
def test_the_order_of_voxels_in_the_file_does_not_matter(axes, flips):
    image, labels = small_case()
    expected = to_model_arrays(image, labels, AT_8_MM)
    for other in (stored(labels, axes, flips), labels):  # also of the labels alone
        found = to_model_arrays(stored(image, axes, flips), other, AT_8_MM)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("degrees, tolerated", [(20, True), (40, False)])
def test_a_turned_patient_keeps_image_and_labels_together(degrees, tolerated):
    image, labels = (turned(one, degrees) for one in small_case())
    assert tilt(image.grid) == pytest.approx(degrees)
    upright = to_model_arrays(*small_case(), AT_8_MM)
    volume, drawn = to_model_arrays(image, labels, AT_8_MM)
    assert (volume.shape == upright[0].shape) == tolerated
    kidneys = (drawn == 2) | (drawn == 3)
    low, high = AT_8_MM.hu_window
    hu = volume / BRIGHTEST * (high - low) + low
    assert dice(hu > 70, drawn > 0) > 0.85
    assert hu[kidneys].mean() == pytest.approx(180, abs=25)
    for number in (1, 2, 3, 6):
        assert np.count_nonzero(drawn == number) == pytest.approx(
            np.count_nonzero(upright[1] == number), rel=0.12)


def test_nothing_labelled_is_cropped_away():
    image, labels = small_case()
    labels.array[20:24, 0:3, 0:3] = 4  # in the air beside the body
    volume, drawn = to_model_arrays(image, labels, AT_8_MM)
    assert volume.shape == drawn.shape
    assert drawn[:, 0, 0].any()
    assert np.count_nonzero(drawn == 4) == pytest.approx(36 * (6 / 8) ** 3, rel=0.5)


@pytest.mark.parametrize("number", [0, 6])
def test_one_label_everywhere_stays_everywhere(number):
    grid = Grid((10, 12, 14), (3.0, 3.0, 3.0), (0.0, 0.0, 0.0))
    found = resample_labels(np.full(grid.shape, number, np.uint8), grid, AT_8_MM)
    assert (found == number).all()
    assert found.dtype == np.uint8


def test_memory_is_taken_for_one_organ_at_a_time(monkeypatch):
    taken = []
    empty = torch.empty
    monkeypatch.setattr(torch, "empty", lambda *a, **k: taken.append(a) or empty(*a, **k))
    _, labels = small_case()
    resample_labels(labels.array, labels.grid, AT_8_MM)
    assert max(np.prod(size) for size in taken) < labels.array.size / 5
