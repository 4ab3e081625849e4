"""-log Dice + cross-entropy for data sets that annotate different organs.

Dice enters as its logarithm: Wong, Moradi, Tang, Syeda-Mahmood, 3D segmentation with exponential
logarithmic loss for highly unbalanced object sizes, MICCAI 2018 (with both exponents 1). What 1 -
Dice pulls at an organ falls with the probability it has been given, so that small organs, once
background to the network, stay it for thousands of steps; the logarithm pulls all the same.

Marginal loss: Shi, Xiao, Chen, Zhou, Marginal loss and exclusion loss for partially supervised
multi-organ segmentation, Med Image Anal 2021;70:101979. What a data set calls background may be
any organ that it does not annotate, so the probabilities of these are added to the background's.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

EPSILON = 1e-6  # added to Dice, so that its logarithm is finite and has a gradient everywhere


class Loss(NamedTuple):
    """`total` is what is minimised; the parts are for the log."""

    total: Tensor
    cross_entropy: Tensor
    dice: Tensor


def marginal_loss(scores: Tensor, labels: Tensor, annotated: Tensor) -> Loss:
    """Mean over samples, each by itself, so that it does not matter which share a batch.

    Args:
        scores: (B, C, D, H, W). labels: class numbers (B, D, H, W); none that is not annotated.
        annotated: bool (B, C), whether a sample's labels tell the class; 0, background, is.
    """
    samples = [_sample_loss(*sample) for sample in zip(scores, labels, annotated, strict=True)]
    cross_entropy, dice = (torch.stack(values).mean() for values in zip(*samples, strict=True))
    return Loss(cross_entropy + dice, cross_entropy, dice)


def _sample_loss(scores: Tensor, labels: Tensor, annotated: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy and -log Dice of one sample: scores (C, D, H, W), labels (D, H, W)."""
    scores, labels = scores.float(), labels.long()
    if not annotated.all():
        scores, labels = _merge_unknown(scores, labels, annotated)
    logarithm = F.log_softmax(scores, dim=0)
    cross_entropy = F.nll_loss(logarithm[None], labels[None])
    return cross_entropy, _dice_loss(logarithm.exp(), labels)


def _merge_unknown(scores: Tensor, labels: Tensor, annotated: Tensor) -> tuple[Tensor, Tensor]:
    """Background becomes "background or an organ that is not annotated"."""
    unknown = ~annotated
    unknown[0] = True
    merged = torch.cat([scores[unknown].logsumexp(0, keepdim=True), scores[~unknown]])
    numbers = torch.zeros(len(annotated), dtype=torch.long, device=scores.device)
    numbers[~unknown] = torch.arange(1, len(merged), device=scores.device)
    return merged, numbers[labels]


def _dice_loss(probability: Tensor, labels: Tensor) -> Tensor:
    """-log of soft Dice, mean of the organs in the patch; those elsewhere are left to
    cross-entropy, because a Dice of nothing is 0 however small the mistake."""
    classes = len(probability)
    flat = labels.flatten()
    there = probability.flatten(1).gather(0, flat[None])[0]
    overlap = probability.new_zeros(classes).index_add(0, flat, there)[1:]
    voxels = torch.bincount(flat, minlength=classes)[1:]
    present = voxels > 0
    if not present.any():
        return probability.new_zeros(())
    sums = probability.flatten(1).sum(1)[1:] + voxels
    return -(2 * overlap[present] / sums[present] + EPSILON).log().mean()
