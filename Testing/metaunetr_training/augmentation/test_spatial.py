"""Where things go: in mm, on voxels that are no cubes, and the labels with them."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
import torch.nn.functional as F

from metaunetr_training.augmentation import spatial

CPU = torch.device("cpu")
SHAPE, SPACING = (44, 64, 64), (2.6, 1.2, 1.6)  # (d, h, w)
BALLS = {3: (-20.0, 5.0, -28.0), 7: (18.0, -14.0, 24.0), 9: (6.0, 12.0, 3.0)}  # mm from the centre
STILL = spatial.affine((0, 0, 0), 1)
NOWHERE = (0.0, 0.0, 0.0)


def positions() -> torch.Tensor:
    """(3, D, H, W) mm from the centre."""
    return torch.stack(torch.meshgrid(*(
        (torch.arange(n) - (n - 1) / 2) * step for n, step in zip(SHAPE, SPACING, strict=True)
    ), indexing="ij"))


def balls(radius: float = 9.0) -> tuple[torch.Tensor, torch.Tensor]:
    """An image of bright smooth balls, each brighter than the last, and their labels."""
    image, labels = torch.zeros(SHAPE), torch.zeros(SHAPE, dtype=torch.uint8)
    for label, centre in BALLS.items():
        distance = (positions() - torch.tensor(centre).reshape(3, 1, 1, 1)).norm(dim=0)
        image += (radius + 1 - distance).clamp(0, 1) * label / 10
        labels[distance <= radius + 0.5] = label
    return image, labels


def centre(weights: torch.Tensor) -> torch.Tensor:
    weights = weights.float()
    return (positions() * weights).sum((1, 2, 3)) / weights.sum()


@pytest.mark.parametrize(("degrees", "point", "expected"), [
    ((90, 0, 0), (0, 1, 0), (0, 0, 1)),  # about D: from H to W
    ((0, 90, 0), (0, 0, 1), (1, 0, 0)),  # about H: from W to D
    ((0, 0, 90), (1, 0, 0), (0, 1, 0)),  # about W: from D to H
    ((90, 90, 0), (0, 1, 0), (1, 0, 0)),  # D before H
])
def test_the_matrix_turns_about_the_named_axis(degrees, point, expected):
    turned = torch.tensor(spatial.affine(degrees, 1)) @ torch.tensor(point, dtype=torch.float32)
    torch.testing.assert_close(turned, torch.tensor(expected, dtype=torch.float32))


def test_nothing_drawn_far_enough_mirrors():
    for degrees in itertools.product((-30, 0, 30), repeat=3):
        matrix = torch.tensor(spatial.affine(degrees, 0.8))
        assert torch.linalg.det(matrix) == pytest.approx(0.8**3, rel=1e-5)
        assert matrix[2, 2] > 0.5  # what pointed to the left still does


@pytest.mark.parametrize(("degrees", "scale", "shift"), [
    ((12, 0, 0), 1, NOWHERE),
    ((0, -12, 0), 1, NOWHERE),
    ((0, 0, 12), 1, NOWHERE),
    ((0, 0, 0), 1.2, NOWHERE),
    ((0, 0, 0), 0.85, NOWHERE),
    ((0, 0, 0), 1, (8.0, -5.0, 7.0)),
    ((7, -9, 5), 1.1, (3.0, 2.0, -4.0)),
])
def test_balls_and_labels_come_to_the_same_place_in_mm(degrees, scale, shift):
    image, labels = balls()
    matrix = spatial.affine(degrees, scale)
    moved, relabelled = spatial.deform(image, labels, SPACING, matrix, shift, None)
    for label, was in BALLS.items():
        expected = torch.tensor(matrix) @ torch.tensor(was) + torch.tensor(shift)
        near = (positions() - expected.reshape(3, 1, 1, 1)).norm(dim=0) < 14
        torch.testing.assert_close(centre(moved * near), expected, atol=0.25, rtol=0)
        error = (centre(relabelled == label) - expected).abs()
        assert (error <= 0.5 * torch.tensor(SPACING)).all(), "labels have no half voxels"
        volume = (relabelled == label).sum() / (labels == label).sum()
        assert volume.item() == pytest.approx(scale**3, rel=0.05)
        if scale == 1:  # a ball stays a ball: as wide in mm along D as along H
            spread = ((positions() - expected.reshape(3, 1, 1, 1)) ** 2
                      * (relabelled == label)).sum((1, 2, 3)) / (relabelled == label).sum()
            assert spread.max() / spread.min() < 1.12


def test_the_identity_changes_nothing():
    image, labels = balls()
    same, same_labels = spatial.deform(image, labels, SPACING, STILL, NOWHERE, None)
    torch.testing.assert_close(same, image, atol=1e-5, rtol=0)
    assert torch.equal(same_labels, labels)


@pytest.mark.parametrize("seed", range(2))
def test_labels_follow_an_elastic_deformation(seed):
    image, labels = balls()
    field = spatial.elastic(SHAPE, SPACING, 4, 40, torch.Generator().manual_seed(seed), CPU)
    bent, relabelled = spatial.deform(image, labels, SPACING, STILL, NOWHERE, field)
    assert not torch.equal(relabelled, labels)
    for label in BALLS:
        near = F.max_pool3d((relabelled == label).float()[None], 5, 1, 2)[0] > 0
        ball, mask = near & (bent > label / 20), relabelled == label
        assert 2 * (ball & mask).sum() > 0.95 * (ball.sum() + mask.sum())


def test_an_elastic_field_is_as_large_as_asked_smooth_and_does_not_fold():
    fields = torch.stack([
        spatial.elastic(SHAPE, SPACING, 4, 40, torch.Generator().manual_seed(seed), CPU)
        for seed in range(10)])
    assert fields.std().item() == pytest.approx(4, rel=0.15)
    assert fields[..., 0, 0, 0].std() == pytest.approx(4, rel=0.4)  # at the border as well
    for axis, step in zip((2, 3, 4), SPACING, strict=True):
        gradient = fields.diff(dim=axis) / step
        assert gradient.std() < 1.4 * 4 / 40
        assert gradient.abs().max() < 0.7
        assert (gradient.diff(dim=axis) / step).abs().max() < 0.06  # no kinks


def test_beyond_the_patch_is_air_in_plane_and_the_last_slice_along_the_body():
    image, labels = torch.full(SHAPE, 0.6), torch.full(SHAPE, 5, dtype=torch.uint8)
    image[0], labels[0] = 0.3, 2
    moved, relabelled = spatial.deform(image, labels, SPACING, STILL,
                                      (3 * 2.6, 3 * 1.2, -3 * 1.6), None)
    assert (relabelled[:, :3] == 0).all() and (relabelled[:, :, -3:] == 0).all()
    assert moved[:, :3].max() < 1e-4 and moved[:, :, -3:].max() < 1e-4
    moved, relabelled = moved[:, 4:, :-4], relabelled[:, 4:, :-4]
    assert (relabelled[:4] == 2).all() and (relabelled[4:] == 5).all()
    torch.testing.assert_close(moved[:4], torch.full_like(moved[:4], 0.3))


def test_between_two_labels_there_is_no_third():
    labels = torch.zeros(SHAPE, dtype=torch.uint8)
    labels[:, :30] = 13
    labels[:, 30:, :30] = 4
    matrix = spatial.affine((5, 9, -7), 1.07)
    turned = spatial.deform(labels / 13, labels, SPACING, matrix, (1.0, 2.0, 3.0), None)[1]
    assert set(turned.unique().tolist()) == {0, 4, 13}


def test_borders_of_labels_lie_where_most_of_the_voxel_is():
    """A plane through the patch, turned: as many voxels as the turned half-space has."""
    where = positions()
    labels = (where[2] < 3.2).to(torch.uint8)  # 3.2 mm: half-way between two voxels
    turned = spatial.deform(labels.float(), labels, SPACING, spatial.affine((10, 0, 0), 1),
                            NOWHERE, None)[1]
    cos, sin = math.cos(math.radians(10)), math.sin(math.radians(10))
    exact = cos * where[2] - sin * where[1] < 3.2
    inner = (slice(None), slice(4, -4), slice(8, -8))
    assert (turned.bool() != exact)[inner].float().mean() < 0.004


def test_a_vote_counts_each_neighbour_by_its_nearness():
    labels = torch.zeros(2, 2, 2, dtype=torch.uint8)
    labels[0, 0, 0], labels[1, 1, 1], labels[1, 1, 0] = 1, 2, 2
    points = torch.tensor([[-0.9, -0.9, -0.9], [0.0, 0.95, 0.95], [0.0, 0.0, 0.0]])  # (w, h, d)
    assert spatial._vote(labels, points).tolist() == [1, 2, 0]
