"""What holds for any geometry and any values, tried by hypothesis."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from metaunetr.bundle import Preprocessing
from metaunetr.engine.resample import interpolation_matrix, matrices, model_shape, to_model_input
from metaunetr.errors import InputError
from metaunetr.guard import check_grid, inspect_ct
from metaunetr.image import Grid, Image
from metaunetr.io import read_image, write_image
from metaunetr.orientation import Orientation

DTYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32",
          "float64")
PREPROCESSING = Preprocessing((3.0, 3.0, 3.0), (-125.0, 275.0), 0.35, (0.05, 0.02))


numbers = st.floats(-1e4, 1e4, allow_nan=False, width=32)
angles = st.tuples(*[st.floats(-180, 180)] * 3)


@st.composite
def grids(draw, largest: int = 7) -> Grid:
    """Any grid at right angles: turned, flipped, its axes exchanged."""
    a, b, c = np.radians(draw(angles))
    turn = np.eye(3)
    for angle, axis in ((a, 0), (b, 1), (c, 2)):
        one, other = (n for n in range(3) if n != axis)
        step = np.eye(3)
        step[[one, one, other, other], [one, other, one, other]] = (
            math.cos(angle), -math.sin(angle), math.sin(angle), math.cos(angle))
        turn = turn @ step
    order = draw(st.permutations(range(3)))
    signs = draw(st.tuples(*[st.sampled_from((1.0, -1.0))] * 3))
    direction = turn[:, order] * signs
    shape = draw(st.tuples(*[st.integers(1, largest)] * 3))
    spacing = draw(st.tuples(*[st.floats(0.05, 20.0)] * 3))
    return Grid(shape, spacing, draw(st.tuples(numbers, numbers, numbers)), direction)


@st.composite
def images(draw) -> Image:
    """Voxels of any type, reaching to the ends of what it holds, on any grid."""
    grid, dtype = draw(grids()), np.dtype(draw(st.sampled_from(DTYPES)))
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    if dtype.kind == "f":
        scale = draw(st.sampled_from((1.0, 1e3, 1e30)))
        return Image((chance.normal(size=grid.shape) * scale).astype(dtype), grid)
    info = np.iinfo(dtype)
    return Image(chance.integers(info.min, info.max, grid.shape, dtype, endpoint=True), grid)


@given(images(), st.sampled_from((".nii", ".nii.gz", ".nrrd", ".mha")))
def test_what_is_written_is_read(image, suffix):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"ct{suffix}"
        write_image(path, image)
        back = read_image(path)
        fits = np.abs(image.array.astype(float)).max() <= 32767 and image.array.dtype.kind in "iu"
        assert back.array.dtype == (np.int16 if fits else np.float32) or (
            image.array.dtype.kind in "iu" and image.array.min() == -32768)
        expected = image.array.astype(np.float32)
        assert np.array_equal(back.array.astype(np.float32), expected)
        # NIfTI has 24 bits of every number
        reach = np.abs(image.grid.origin).max() + sum(
            n * s for n, s in zip(image.grid.shape[::-1], image.grid.spacing, strict=True))
        assert back.grid.same_as(image.grid, 1e-6 * max(1.0, reach))


@given(grids())
def test_canonical_axes_and_back(grid):
    array = np.arange(math.prod(grid.shape)).reshape(grid.shape)
    orientation = Orientation.of(grid)
    view, canonical = orientation.view(array), orientation.canonical(grid)
    assert view.shape == canonical.shape
    # every voxel lies where it lay, and the axes run towards left, posterior and superior
    for k, j, i in ((0, 0, 0), tuple(n - 1 for n in view.shape)):
        before = np.argwhere(array == view[k, j, i])[0]
        was, now = grid.affine @ [*before[::-1], 1], canonical.affine @ [i, j, k, 1]
        assert np.allclose(was, now, atol=1e-6 * max(1.0, np.abs(was).max()))
    assert (np.diag(np.asarray(canonical.direction)) >= -1e-9).all()
    again = Orientation.of(canonical)
    assert again.canonical(canonical).same_as(canonical, 1e-6)
    copy = np.zeros_like(array)
    orientation.view(copy)[...] = view
    assert np.array_equal(copy, array)


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0.05, 30), st.floats(0, 8))
def test_resampling_weighs_voxels_by_one_in_all(count, length, step, sigma):
    matrix = interpolation_matrix((step - 1) / 2, step, count, length, sigma)
    assert matrix.shape == (count, length)
    assert (matrix >= 0).all()
    assert torch.allclose(matrix.sum(1), torch.ones(count), atol=1e-5)


@given(grids(largest=24), st.integers(-100, 200))
def test_the_input_of_the_network_stays_in_its_range(grid, hu):
    grid = Orientation.of(grid).canonical(grid)
    if math.prod(model_shape(grid, PREPROCESSING.spacing)) > 200_000:
        return
    values = to_model_input(np.full(grid.shape, hu, np.int16), grid, PREPROCESSING)
    assert tuple(values.shape) == model_shape(grid, PREPROCESSING.spacing)
    assert [m.shape[0] for m in matrices(grid, PREPROCESSING)] == list(values.shape)
    assert torch.allclose(values, torch.full_like(values, (hu + 125) / 400), atol=1e-4)


@given(grids(largest=9), st.sampled_from(DTYPES), st.integers(0, 2**32),
       st.sampled_from((0.0, 0.01, 1.0)), st.sampled_from((1.0, 100.0, 1e4, 1e38)))
def test_the_guard_warns_or_refuses(grid, dtype, seed, bad, scale):
    chance = np.random.default_rng(seed)
    array = np.clip(chance.normal(0, scale, grid.shape), -3e38, 3e38)
    if np.dtype(dtype).kind == "f":
        array[chance.random(grid.shape) < bad] = chance.choice([np.nan, np.inf, -np.inf])
    else:
        array = np.clip(array, np.iinfo(dtype).min / 2, np.iinfo(dtype).max / 2)
    image = Image(array.astype(dtype), grid)
    try:
        warnings = inspect_ct(image)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert np.isfinite(image.array).all()
        assert all(isinstance(text, str) and text.endswith(".") for text in warnings)


anything = st.one_of(st.floats(), st.floats(width=32), st.sampled_from((0.0, 1.0, -1.0, 1e300)))


@given(st.tuples(*[anything] * 3), st.tuples(*[anything] * 3), st.lists(anything, min_size=9,
                                                                        max_size=9))
def test_a_grid_of_any_numbers_is_sound_or_refused(spacing, origin, direction):
    grid = Grid((5, 6, 7), spacing, origin, np.reshape(direction, (3, 3)))
    try:
        with np.errstate(all="ignore"):
            check_grid("the image", grid)
    except InputError as error:
        assert str(error).startswith("the image: ")
    else:
        assert np.isfinite(grid.affine).all()
        assert min(grid.spacing) > 0
        assert abs(abs(np.linalg.det(np.asarray(direction).reshape(3, 3))) - 1) < 0.01
