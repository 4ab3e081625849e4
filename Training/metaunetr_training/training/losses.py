"""-log Dice + cross-entropy for data sets that annotate different organs.

Logarithm of Dice: Wong, Moradi, Tang, Syeda-Mahmood, 3D segmentation with exponential logarithmic
loss for highly unbalanced object sizes, MICCAI 2018 (with both exponents 1). The gradient of
1 - Dice vanishes with the predicted probability of an organ, so small organs that the network has
learnt as background stay background for thousands of steps; the gradient of -log Dice does not.

Marginal loss: Shi, Xiao, Chen, Zhou, Marginal loss and exclusion loss for partially supervised
multi-organ segmentation, Med Image Anal 2021;70:101979. The background of a data set may be any
organ that it does not annotate, so the probabilities of these organs are added to background's.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from metaunetr_training.data.prepared import UNKNOWN

EPSILON = 1e-6  # added to Dice, so that its logarithm is finite and has a gradient everywhere


class Loss(NamedTuple):
    """`total` is minimised; the other two are logged."""

    total: Tensor
    cross_entropy: Tensor
    dice: Tensor


def marginal_loss(
    logits: Tensor, labels: Tensor, annotated: Tensor, teacher: Tensor | None = None
) -> Loss:
    """The mean over samples; Dice is computed for each sample, not for the whole batch.

    Args:
        logits: (B, C, D, H, W).
        labels: class numbers (B, D, H, W), only of annotated classes; voxels of UNKNOWN are left
            out.
        annotated: bool (B, C), whether the labels of a sample include the class; true for 0,
            background.
        teacher: logits (B, C, D, H, W) of the network that is the target in voxels labelled 0,
            among background and classes that are not annotated; None for any of these classes.
    """
    teachers = [None] * len(logits) if teacher is None else teacher
    samples = [_sample_loss(*sample)
               for sample in zip(logits, labels, annotated, teachers, strict=True)]
    cross_entropy, dice = (torch.stack(values).mean() for values in zip(*samples, strict=True))
    return Loss(cross_entropy + dice, cross_entropy, dice)


def _sample_loss(
    logits: Tensor, labels: Tensor, annotated: Tensor, teacher: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Cross-entropy and -log Dice of one sample: logits (C, D, H, W), labels (D, H, W)."""
    known = labels != UNKNOWN
    if not known.any():
        return logits.sum() * 0, logits.sum() * 0
    if not known.all():
        logits, labels = logits[:, known], labels[known]
        teacher = None if teacher is None else teacher[:, known]
    logits, labels = logits.float(), labels.long()
    distilled = None
    if not annotated.all():
        if teacher is not None:
            distilled = _distillation(logits, labels, annotated, teacher.float())
        logits, labels = _merge_unknown(logits, labels, annotated)
    log_probability = F.log_softmax(logits, dim=0)
    cross_entropy = F.nll_loss(log_probability[None], labels[None])
    if distilled is not None:
        cross_entropy = cross_entropy + distilled
    return cross_entropy, _dice_loss(log_probability.exp(), labels)


def _distillation(logits: Tensor, labels: Tensor, annotated: Tensor, teacher: Tensor) -> Tensor:
    """Cross-entropy with the teacher among classes that are not annotated, mean over all voxels.

    Added to the marginal cross-entropy, -log P(group), it gives the cross-entropy with the
    teacher's probabilities within the group: -log P(class) = -log P(group) - log P(class | group).
    """
    group = ~annotated
    group[0] = True
    free = labels == 0
    target, own = teacher[group][:, free].softmax(0), logits[group][:, free].log_softmax(0)
    return -(target * own).sum() / labels.numel()


def _merge_unknown(logits: Tensor, labels: Tensor, annotated: Tensor) -> tuple[Tensor, Tensor]:
    """Class 0 becomes "background or an organ that is not annotated"."""
    unknown = ~annotated
    unknown[0] = True
    merged = torch.cat([logits[unknown].logsumexp(0, keepdim=True), logits[~unknown]])
    numbers = torch.zeros(len(annotated), dtype=torch.long, device=logits.device)
    numbers[~unknown] = torch.arange(1, len(merged), device=logits.device)
    return merged, numbers[labels]


def _dice_loss(probability: Tensor, labels: Tensor) -> Tensor:
    """-log of soft Dice, mean over the organs in the patch.

    Absent organs are left to cross-entropy: their Dice is 0 however small the error.
    """
    classes = len(probability)
    flat = labels.flatten()
    of_label = probability.flatten(1).gather(0, flat[None])[0]
    overlap = probability.new_zeros(classes).index_add(0, flat, of_label)[1:]
    voxels = torch.bincount(flat, minlength=classes)[1:]
    present = voxels > 0
    if not present.any():
        return probability.new_zeros(())
    sums = probability.flatten(1).sum(1)[1:] + voxels
    return -(2 * overlap[present] / sums[present] + EPSILON).log().mean()
