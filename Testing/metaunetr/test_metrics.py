"""Agreement of masks, against MONAI and against cases worked out by hand."""

import numpy as np
import pytest

from metaunetr.metrics import agreement

SPACINGS = [(1.0, 1.0, 1.0), (0.78, 0.78, 5.0), (2.0, 0.5, 1.3)]


def ellipsoid(shape, centre, radii):
    grid = np.indices(shape).reshape(3, -1).T
    inside = (((grid - np.array(centre)) / np.array(radii)) ** 2).sum(axis=1) <= 1
    return inside.reshape(shape)


def box(shape, start, stop):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))] = True
    return mask


SHAPE = (14, 22, 26)
PAIRS = {
    "equal": (ellipsoid(SHAPE, (7, 11, 13), (4, 7, 8)),) * 2,
    "shifted": (ellipsoid(SHAPE, (7, 11, 13), (4, 7, 8)), ellipsoid(SHAPE, (8, 12, 11), (4, 7, 8))),
    "swollen": (ellipsoid(SHAPE, (7, 11, 13), (5, 9, 9)), ellipsoid(SHAPE, (7, 11, 13), (3, 5, 6))),
    "apart": (box(SHAPE, (1, 1, 1), (3, 4, 5)), box(SHAPE, (9, 15, 20), (12, 20, 24))),
    "at the border": (box(SHAPE, (0, 0, 0), (6, 9, 9)), box(SHAPE, (0, 2, 0), (5, 22, 26))),
    "with a hole": (
        ellipsoid(SHAPE, (7, 11, 13), (5, 9, 9)) & ~ellipsoid(SHAPE, (7, 11, 13), (2, 3, 3)),
        ellipsoid(SHAPE, (7, 11, 13), (5, 9, 9)),
    ),
    "one stray voxel": (
        ellipsoid(SHAPE, (7, 11, 13), (4, 7, 8)) | box(SHAPE, (0, 0, 0), (1, 1, 1)),
        ellipsoid(SHAPE, (7, 11, 13), (4, 7, 8)),
    ),
}


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(("spacing", "tolerance"), [*zip(SPACINGS, (1.0, 5.5, 2.0), strict=True)])
@pytest.mark.parametrize("pair", PAIRS)
def test_agrees_with_monai(pair, spacing, tolerance):
    torch = pytest.importorskip("torch")
    monai = pytest.importorskip("monai.metrics")
    prediction, reference = PAIRS[pair]
    masks = [torch.from_numpy(mask)[None, None].float() for mask in (prediction, reference)]
    options = {"include_background": True, "spacing": spacing[::-1]}

    measured = agreement(prediction, reference, spacing, tolerance)

    assert measured.dice == pytest.approx(
        monai.compute_dice(*masks, include_background=True).item(), abs=1e-6
    )
    # The same surface elements; bent patches are cut into triangles differently.
    assert measured.surface_dice == pytest.approx(
        monai.compute_surface_dice(
            *masks, class_thresholds=[tolerance], use_subvoxels=True, **options
        ).item(),
        abs=1e-6 if len(set(spacing)) == 1 else 0.01,
    )
    # MONAI measures between the centres of surface voxels, and counts them.
    assert measured.hd95 == pytest.approx(
        monai.compute_hausdorff_distance(*masks, percentile=95, **options).item(),
        abs=max(spacing),
    )


@pytest.mark.parametrize(
    ("gap", "surface_dice"),
    [(2.0, 1.0), (2.01, 0.5)],
    ids=["just within the tolerance", "just beyond it"],
)
def test_touching_plates_share_one_side_and_are_apart_by_their_thickness(gap, surface_dice):
    first, second = box((4, 6, 6), (0, 0, 0), (1, 6, 6)), box((4, 6, 6), (1, 0, 0), (2, 6, 6))
    result = agreement(first, second, (1.0, 1.0, gap))
    assert result.dice == 0
    assert result.surface_dice == pytest.approx(surface_dice)
    assert result.hd95 == pytest.approx(gap)


def test_a_known_dice():
    first, second = box((1, 1, 6), (0, 0, 0), (1, 1, 4)), box((1, 1, 6), (0, 0, 1), (1, 1, 3))
    assert agreement(first, second, (1, 1, 1)).dice == pytest.approx(2 * 2 / (4 + 2))


@pytest.mark.parametrize(
    ("prediction", "reference", "expected"),
    [
        ("empty", "empty", (np.nan, np.nan, np.nan)),
        ("empty", "full", (0, 0, np.inf)),
        ("full", "empty", (0, 0, np.inf)),
    ],
)
def test_absent_organs(prediction, reference, expected):
    masks = {"empty": np.zeros((3, 4, 5), bool), "full": box((3, 4, 5), (1, 1, 1), (2, 3, 4))}
    result = agreement(masks[prediction], masks[reference], (1, 1, 1))
    np.testing.assert_equal((result.dice, result.surface_dice, result.hd95), expected)
