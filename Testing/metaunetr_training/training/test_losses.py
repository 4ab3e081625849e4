"""The loss counts an organ only where the data set annotates it."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from monai.losses import DiceLoss

from metaunetr_training.data.prepared import UNKNOWN
from metaunetr_training.training.losses import EPSILON, marginal_loss

SHAPE = (6, 5, 4)


def scores_and_labels(classes: int = 4, batch: int = 2):
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(batch, classes, *SHAPE, generator=generator, dtype=torch.float64)
    labels = torch.randint(classes, (batch, *SHAPE), generator=generator, dtype=torch.uint8)
    return scores.float(), labels


def all_of(scores) -> torch.Tensor:
    return torch.ones(scores.shape[:2], dtype=torch.bool)


def test_with_every_organ_annotated_it_is_dice_and_cross_entropy():
    scores, labels = scores_and_labels()
    found = marginal_loss(scores, labels, all_of(scores))
    dice = 1 - DiceLoss(softmax=True, to_onehot_y=True, include_background=False, smooth_nr=0,
                        smooth_dr=0, reduction="none")(scores, labels[:, None].long())
    assert found.cross_entropy.item() == pytest.approx(
        F.cross_entropy(scores, labels.long()).item(), abs=1e-6)
    assert found.dice.item() == pytest.approx(-(dice + EPSILON).log().mean().item(), abs=1e-6)
    assert found.total == found.cross_entropy + found.dice


def test_an_organ_that_is_not_annotated_counts_as_background_or_itself():
    """By hand: two voxels called background, one of which looks like the unannotated organ 1."""
    probabilities = torch.tensor([[0.2, 0.7, 0.1], [0.6, 0.1, 0.3], [0.1, 0.1, 0.8]])  # by voxel
    scores = probabilities.log().T.reshape(1, 3, 3, 1, 1)
    labels = torch.tensor([0, 0, 2], dtype=torch.uint8).reshape(1, 3, 1, 1)
    found = marginal_loss(scores, labels, torch.tensor([[True, False, True]]))
    assert found.cross_entropy.item() == pytest.approx(
        -(math.log(0.9) + math.log(0.7) + math.log(0.8)) / 3, abs=1e-6)
    expected = -math.log(2 * 0.8 / (0.1 + 0.3 + 0.8 + 1) + EPSILON)
    assert found.dice.item() == pytest.approx(expected, abs=1e-6)


def test_what_is_not_annotated_is_not_pushed_down():
    """The gradient that the unannotated organ gets has the sign that background's has."""
    scores, labels = scores_and_labels()
    labels[labels == 1] = 0
    scores.requires_grad_()
    annotated = all_of(scores)
    annotated[:, 1] = False
    marginal_loss(scores, labels, annotated).total.backward()
    here = labels == 0
    assert (scores.grad[:, 1][here] < 0).all()
    assert (scores.grad[:, 0][here] < 0).all()
    annotated[:], scores.grad = True, None
    marginal_loss(scores, labels, annotated).total.backward()
    assert (scores.grad[:, 1][here] > 0).all()


def test_a_teacher_decides_among_background_and_organs_that_are_not_annotated():
    """Cross-entropy of the same voxels by hand: the first two are free, the third is organ 2."""
    own = torch.tensor([[0.2, 0.7, 0.1], [0.6, 0.1, 0.3], [0.1, 0.1, 0.8]])  # by voxel
    teacher = torch.tensor([[0.3, 0.6, 0.1], [0.8, 0.0001, 0.1999], [0.3, 0.3, 0.4]])
    scores, target = (values.log().T.reshape(1, 3, 3, 1, 1) for values in (own, teacher))
    labels = torch.tensor([0, 0, 2], dtype=torch.uint8).reshape(1, 3, 1, 1)
    annotated = torch.tensor([[True, False, True]])
    found = marginal_loss(scores, labels, annotated, target)
    by_hand = [-(math.log(0.2) + 2 * math.log(0.7)) / 3, -math.log(0.6), -math.log(0.8)]
    assert found.cross_entropy.item() == pytest.approx(sum(by_hand) / 3, abs=1e-3)
    assert found.dice == marginal_loss(scores, labels, annotated).dice


def test_a_network_that_agrees_with_its_teacher_is_not_changed_where_nothing_is_annotated():
    scores, labels = scores_and_labels(batch=1)
    labels[:] = 0
    scores[:, 3] = -30  # what is annotated is not there
    teacher = scores.clone()
    scores.requires_grad_()
    annotated = torch.tensor([[True, False, False, True]])
    marginal_loss(scores, labels, annotated, teacher).total.backward()
    assert scores.grad.abs().max() < 1e-7
    scores.grad = None
    marginal_loss(scores, labels, annotated, teacher.flip(1)).total.backward()
    assert scores.grad.abs().max() > 1e-4


def test_unknown_voxels_are_left_out():
    scores, labels = scores_and_labels(batch=1)
    expected = marginal_loss(scores[:, :, 1:], labels[:, 1:], all_of(scores))
    labels[:, 0] = UNKNOWN
    found = marginal_loss(scores, labels, all_of(scores))
    assert found.cross_entropy.item() == pytest.approx(expected.cross_entropy.item(), abs=1e-6)
    assert found.dice.item() == pytest.approx(expected.dice.item(), abs=1e-6)


def test_a_patch_without_a_known_voxel_teaches_nothing():
    scores, labels = scores_and_labels(batch=1)
    scores.requires_grad_()
    found = marginal_loss(scores, torch.full_like(labels, UNKNOWN), all_of(scores)).total
    found.backward()
    assert found.item() == 0 and not scores.grad.any()


@pytest.mark.parametrize("score", [0, -4, -8, -12])
def test_an_organ_that_has_been_given_up_is_pulled_back_all_the_same(score):
    """By about 1 over the number of organs, whatever probability it has."""
    scores = torch.zeros(1, 4, *SHAPE)
    scores[:, 3] = score
    scores.requires_grad_()
    labels = torch.zeros(1, *SHAPE, dtype=torch.uint8)
    labels[:, 0], labels[:, 1], labels[:, 2, 1:3, 1:3] = 1, 2, 3
    marginal_loss(scores, labels, all_of(scores)).dice.backward()
    assert -scores.grad[:, 3][labels == 3].sum().item() == pytest.approx(1 / 3, abs=0.1)


def test_a_batch_is_the_mean_of_its_samples_however_they_are_divided():
    scores, labels = scores_and_labels(batch=4)
    annotated = all_of(scores)
    annotated[1, 2] = False
    labels[1][labels[1] == 2] = 0
    whole = marginal_loss(scores, labels, annotated)
    halves = [marginal_loss(scores[part], labels[part], annotated[part])
              for part in (slice(0, 2), slice(2, 4))]
    for name in whole._fields:
        mean = sum(getattr(half, name) for half in halves) / 2
        assert getattr(whole, name).item() == pytest.approx(mean.item(), abs=1e-6)


@pytest.mark.parametrize("annotated", [[True, True, True, True], [True, False, False, True]])
def test_a_patch_of_background_alone_has_a_finite_loss_and_gradient(annotated):
    scores, labels = scores_and_labels()
    scores.requires_grad_()
    loss = marginal_loss(scores, torch.zeros_like(labels), torch.tensor([annotated] * 2))
    loss.total.backward()
    assert loss.dice == 0
    assert torch.isfinite(scores.grad).all()


def test_scores_in_bfloat16_are_summed_in_float32():
    scores, labels = scores_and_labels()
    found = marginal_loss(scores.bfloat16(), labels, all_of(scores))
    assert found.total.dtype == torch.float32
    assert found.total.item() == pytest.approx(
        marginal_loss(scores, labels, all_of(scores)).total.item(), rel=0.01)


def test_an_organ_with_hardly_any_probability_still_gets_a_gradient():
    scores = torch.zeros(1, 2, 8, 8, 8)
    scores[:, 1] = -20.0  # Dice 1e-8, far below EPSILON
    scores.requires_grad_()
    labels = torch.zeros(1, 8, 8, 8, dtype=torch.uint8)
    labels[0, 4, 4, 4] = 1
    marginal_loss(scores, labels, all_of(scores)).dice.backward()
    assert scores.grad[0, 1, 4, 4, 4].item() < -1e-4
