"""Organs get brighter or darker, each its own way, without edges that no CT has."""

from __future__ import annotations

import pytest
import torch

from metaunetr.organs import BY_NAME
from metaunetr_training.augmentation import phase
from metaunetr_training.data.prepared import UNKNOWN

NAMES = ("liver", "aorta", "right kidney", "left kidney", "gallbladder", "spleen")
CLASSES = tuple(BY_NAME[name] for name in NAMES)
SPACING = (3.0, 3.0, 3.0)


def drawn(times: int = 300) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.stack([phase.shifts(CLASSES, 40, generator) for _ in range(times)])


@pytest.mark.parametrize(("name", "largest"), [
    ("liver", 40), ("spleen", 40), ("aorta", 80), ("right kidney", 80), ("gallbladder", 12),
])
def test_an_organ_changes_as_much_as_its_enhancement_allows_both_ways(name, largest):
    values = drawn()[:, 1 + NAMES.index(name)]
    assert 0.93 * largest < values.max() <= largest
    assert -0.93 * largest > values.min() >= -largest


def test_organs_change_apart_but_both_kidneys_together_and_background_never():
    values = drawn()
    assert (values[:, 0] == 0).all()
    assert torch.equal(values[:, 3], values[:, 4])
    assert torch.corrcoef(values[:, [1, 2, 3, 5, 6]].T).triu(1).abs().max() < 0.2


def test_table_names_organs_that_exist():
    assert set(phase.ENHANCEMENT) <= set(BY_NAME)


def test_the_shift_fills_the_organ_and_fades_over_its_border():
    image = torch.full((24, 24, 24), 0.5)
    labels = torch.zeros(image.shape, dtype=torch.uint8)
    labels[6:18, 6:18, 6:18] = 1
    image[11:13, 11:13, 11:13] = 0  # gas
    changed = phase.change_phase(image, labels, torch.tensor([0, 0.1]), SPACING) - image
    assert changed[9, 9, 9].item() == pytest.approx(0.1, abs=0.002)
    assert (changed[11:13, 11:13, 11:13] == 0).all()
    assert changed[:3].abs().max() < 1e-4
    profile = changed[:, 9, 9]
    steps = profile.diff().abs()
    assert 0.03 < steps.max() < 0.065  # over about three voxels, not one
    assert (profile[:10].diff() >= -1e-6).all()


def test_no_shift_is_no_change():
    image, labels = torch.rand(6, 7, 8), torch.randint(0, 7, (6, 7, 8), dtype=torch.uint8)
    assert torch.equal(phase.change_phase(image, labels, torch.zeros(7), SPACING), image)


def test_unknown_voxels_are_no_organ():
    image, labels = torch.rand(6, 7, 8), torch.full((6, 7, 8), UNKNOWN, dtype=torch.uint8)
    shifts = torch.tensor([0.0] + 6 * [0.1])
    assert torch.equal(phase.change_phase(image, labels, shifts, SPACING), image)
