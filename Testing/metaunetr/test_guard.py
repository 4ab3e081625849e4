"""The input guard: CTs pass, with a word of warning; what is no CT in HU does not."""

from __future__ import annotations

import math

import numpy as np
import pytest

import disguises
from metaunetr.errors import InputError
from metaunetr.guard import inspect_ct
from metaunetr.image import Grid, Image

SHAPE = (40, 64, 64)


def body(air=-1000.0) -> np.ndarray:
    """HU of an abdomen on a table: fat, organs with vessels, spine, gas; noise of 15 HU."""
    noise = np.random.default_rng(3).normal(0, 15, SHAPE)
    _, y, x = np.indices(SHAPE)
    radius = np.hypot((y - 32) / 22, (x - 32) / 28)
    hu = np.select([radius < 0.8, radius < 1], [50.0, -100.0], air)
    hu[np.hypot(y - 26, x - 26) < 6] = 150
    hu[np.hypot(y - 44, x - 32) < 5] = 500
    hu[np.hypot(y - 22, x - 40) < 3] = -950
    hu[:, 60:62] = -700
    return np.where(hu > -1500, hu + noise, hu)


def ct(hu=None, spacing=(6.0, 6.0, 5.0), direction=None) -> Image:
    hu = np.clip(body(), -1024, 3071).astype(np.int16) if hu is None else hu
    return Image(hu, Grid(hu.shape, spacing, (0, 0, 0), np.eye(3) if direction is None
                          else direction))


def turned(degrees: float) -> np.ndarray:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


inner = (slice(None), slice(14, 50), slice(10, 54))  # within the body wall
GOOD = {
    "a CT": body(),
    "padded with -2000 outside the circle": body(air=-2000),
    "padded with -3024": body(air=-3024),
    "float HU": body().astype(np.float32),
    "cropped to the body, little air": body()[inner],
    "contrast and metal": np.where(body() > 480, 8000, body()),
    "a small patient in a wide field of view": np.pad(
        body(), ((0, 0), (40, 40), (50, 50)), constant_values=-1000),
    "noise of a low dose": body() + np.random.default_rng(0).normal(0, 60, SHAPE),
}


@pytest.mark.parametrize("hu", GOOD.values(), ids=GOOD.keys())
def test_a_ct_passes_in_silence(hu):
    dtype = hu.dtype if hu.dtype == np.float32 else np.int16
    assert inspect_ct(ct(hu.astype(dtype))) == []


def rescale(hu, low, high):
    return np.clip((hu - low) / (high - low), 0, 1)


def mr() -> np.ndarray:
    hu = body()
    return np.select([hu < -500, hu < 0, hu < 100, hu < 300], [12, 900, 420, 600], 80) + abs(
        np.random.default_rng(0).normal(0, 25, SHAPE))


labels = np.select([body() < 0, body() < 100, body() < 300], [0, 6, 8], 2)
BAD = {
    "scaled to 0..1": (rescale(body(), -1000, 1000).astype(np.float32), "rescaled"),
    "scaled to -1..1": (rescale(body(), -1000, 1000).astype(np.float32) * 2 - 1, "rescaled"),
    "z-scores": ((body() / 500).astype(np.float32), "rescaled"),
    "scaled to 0..255": ((rescale(body(), -160, 240) * 255).astype(np.uint8), "rescaled"),
    "a label map": (labels.astype(np.uint8), "label map"),
    "a label map in int16": (labels.astype(np.int16), "label map"),
    "a mask": ((body() > 0).astype(np.uint8), "label map"),
    "HU + 1024": (np.clip(body() + 1024, 0, 4095).astype(np.int16), "subtract 1024"),
    "HU + 1024, corners of -1000": (
        disguises.squares(np.clip(body() + 1024, 0, 4095).astype(np.int16), -1000),
        "subtract 1024"),
    "negated": ((-body()).astype(np.int16), "change the sign"),
    "inverted": ((2071 - body()).astype(np.int16), "MONOCHROME1"),
    "inverted soft tissue": ((80 - np.clip(body(), -160, 200)).astype(np.int16),
                             "background, of 240 HU, is brighter than the tissue"),
    "ten times too large": ((body() * 10).astype(np.int16), "divide them by 10"),
    "ten times too small": (np.where(body() > 480, 300, body() / 10).astype(np.float32),
                            "multiply them by 10"),
    "twice as large": ((body() * 2).astype(np.int16), "air lies at"),
    "twice as large, without gas": (np.maximum(body(), -200)[inner].astype(np.int16) * 2,
                                    "fat lies at -200"),
    "without sign": (body().astype(np.int16).astype(np.uint16).astype(np.float32),
                     "subtract 65536"),
    "HU + 1000": (np.clip(body() + 1000, 0, 4095).astype(np.int16), "subtract 1024"),
    "an intercept applied twice": ((body() - 1024).astype(np.int16), "of a body"),
    "an MR": (mr().astype(np.int16), "is it an MR"),
    "an MR with ringing below 0": ((mr() - 15).astype(np.int16), "is it an MR"),
    "air alone": ((np.random.default_rng(0).normal(-1000, 40, SHAPE)).astype(np.int16),
                  "HU"),
    "one value": (np.zeros(SHAPE, np.int16), "empty, every voxel is 0"),
    "padding alone": (np.where(body() > 0, -2000, -3000).astype(np.int16), "HU"),
}


@pytest.mark.parametrize(("values", "words"), BAD.values(), ids=BAD.keys())
def test_what_is_no_ct_in_hu_is_refused(values, words):
    with pytest.raises(InputError, match=words) as refused:
        inspect_ct(ct(values))
    assert "\n" not in str(refused.value)


@pytest.fixture(scope="module")
def bodies(long):
    return disguises.bodies(abdomens=6 if long else 1)


DISGUISES = [(kind, name) for kind, disguised in disguises.KINDS.items() for name in disguised]


@pytest.mark.parametrize(("kind", "disguise"), DISGUISES, ids=[name for _, name in DISGUISES])
def test_right_fill_and_wrong_are_told_apart(bodies, kind, disguise, long):
    for name, image in bodies.items():
        if not long and kind != "RIGHT" and not name.startswith("abdomen"):
            continue
        if disguises.fits(name, disguise):
            verdict, text = disguises.judge(kind, image, disguise)
            assert verdict != "mistake", f"{name}: {text}"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_voxel_that_is_no_number_is_found(value):
    hu = np.tile(body().astype(np.float32), (10, 1, 1))  # larger than the sample
    hu[201, 3, 5] = value
    with pytest.raises(InputError, match="every voxel must be a number, 1 are NaN or infinite"):
        inspect_ct(ct(hu))


CLIPPED = {
    "a window": (np.clip(body(), -160, 240), "-160 to 240; gas and air"),
    "half as large": (np.clip(body(), -1000, 600) / 2, ", or were halved; gas and air"),
    "twice as large, padded": (np.where(body() < -300, -950, body().clip(-40)) * 2,
                               "or were multiplied"),
}


@pytest.mark.parametrize(("hu", "words"), CLIPPED.values(), ids=CLIPPED)
def test_values_clipped_to_a_window_are_told(hu, words):
    (warning,) = inspect_ct(ct(hu.astype(np.int16)))
    assert warning.startswith("HU are clipped to ") and words in warning


GRIDS = {
    "thick slices": ({"spacing": (6, 6, 9)}, "9.0 mm apart"),
    "a slab": ({"hu": body()[:11].astype(np.int16)}, "Only 5.5 cm"),
    "a narrow view": ({"spacing": (2, 2, 5)}, "12.8 × 12.8 cm across"),
    "a tilted patient": ({"direction": turned(14)}, "turned by 14°"),
}


@pytest.mark.parametrize(("changes", "words"), GRIDS.values(), ids=GRIDS.keys())
def test_an_unusual_grid_is_told(changes, words):
    warnings = inspect_ct(ct(**changes))
    assert len(warnings) == 1
    assert words in warnings[0]


@pytest.mark.parametrize("direction", [
    np.eye(3)[[2, 0, 1]], np.diag([-1.0, 1, -1]), turned(-9), turned(88),
], ids=["sagittal", "left-handed", "slightly oblique", "nearly coronal"])
def test_any_orientation_passes_in_silence(direction):
    assert inspect_ct(ct(spacing=(7, 7, 7), direction=direction)) == []


BAD_GRIDS = {
    "four slices": ({"hu": body()[:4].astype(np.int16)}, "at least 5 slices .* has 4"),
    "metres taken for millimetres": ({"spacing": (0.006, 0.006, 0.005)}, "0.05 to 20 mm"),
    "a gap": ({"spacing": (6, 6, 25)}, "6 × 6 × 25"),
    "no spacing": ({"spacing": (6, 6, 0)}, "finite and positive"),
    "spacing that is no number": ({"spacing": (6, 6, math.nan)}, "finite and positive"),
    "axes that coincide": ({"direction": np.eye(3)[[0, 0, 2]]}, "degenerate"),
    "shear": ({"direction": np.array([[1, 0, 0.1], [0, 1, 0], [0, 0, 0.995]])}, "right angles"),
}


@pytest.mark.parametrize(("changes", "words"), BAD_GRIDS.values(), ids=BAD_GRIDS.keys())
def test_an_impossible_grid_is_refused(changes, words):
    with pytest.raises(InputError, match=words):
        inspect_ct(ct(**changes))


def test_messages_name_the_file(tmp_path):
    image = Image(labels.astype(np.int16), ct().grid, tmp_path / "labels.nii.gz")
    with pytest.raises(InputError, match=r"labels\.nii\.gz: is a label map"):
        inspect_ct(image)
