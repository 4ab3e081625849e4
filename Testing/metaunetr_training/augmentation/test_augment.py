"""Patches as the recipe says: probabilities, seeds, batches, sides."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch

from metaunetr_training import recipe
from metaunetr_training.augmentation import Augment
from metaunetr_training.recipe import Augmentation

SHAPE = (20, 24, 32)
FAST = recipe.load("fast", ["preprocessing.spacing=[3.0, 2.5, 4.0]"])
PROBABILITIES = [f.name for f in fields(Augmentation) if f.name.endswith("_probability")]
RIGHT, LEFT = 1 + FAST.organs.index("right kidney"), 1 + FAST.organs.index("left kidney")


def augment(**probabilities: float) -> Augment:
    """As the fast recipe, but what is not named is never done."""
    chances = dict.fromkeys(PROBABILITIES, 0.0) | probabilities
    return Augment(replace(FAST, augmentation=replace(FAST.augmentation, **chances)))


def always() -> Augment:
    return augment(**dict.fromkeys(PROBABILITIES, 1.0))


def generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


@pytest.fixture(scope="module")
def patches() -> tuple[torch.Tensor, torch.Tensor]:
    """Two bodies with two kidneys, an aorta and noise; W runs from right to left."""
    image = torch.zeros(2, 1, *SHAPE)
    image[..., 3:-3, 4:-4] = 0.5
    labels = torch.zeros(2, *SHAPE, dtype=torch.uint8)
    labels[:, 6:14, 12:17, 7:12] = RIGHT
    labels[:, 6:14, 12:17, 20:25] = LEFT
    labels[:, :, 13:15, 15:17] = 8
    image[:, 0][labels > 0] = 0.75
    image += torch.rand(image.shape, generator=generators(0)[0]) * 0.05 * (image > 0)
    return image, labels


def test_without_chances_a_patch_stays_as_it_is(patches):
    image, labels = augment()(*patches, generators(1, 2))
    assert torch.equal(image, patches[0]) and torch.equal(labels, patches[1])


@pytest.mark.parametrize("name", PROBABILITIES)
def test_each_change_is_made_when_its_chance_is_one(name, patches):
    before = [tensor.clone() for tensor in patches]
    image, labels = augment(**{name: 1.0})(*patches, generators(1, 2))
    assert (image != patches[0]).flatten(1).any(1).all()
    assert torch.equal(labels, patches[1]) == (name[:6] not in ("affine", "elasti"))
    assert all(torch.equal(a, b) for a, b in zip(before, patches, strict=True))


@pytest.mark.parametrize(("section", "values"), [
    ("affine", {"rotation_degrees": 0.0, "scale": (1.0, 1.0), "shift_mm": 0.0}),
    ("elastic", {"elastic_mm": 0.0}),
    ("contrast", {"contrast": (1.0, 1.0)}),
    ("brightness", {"brightness": 0.0}),
    ("gamma", {"gamma": (1.0, 1.0)}),
    ("noise", {"noise": 0.0}),
    ("blur", {"blur_mm": (0.01, 0.01)}),
    ("phase", {"phase_hu": 0.0}),
])
def test_parameters_that_mean_nothing_change_nothing(section, values, patches):
    chances = dict.fromkeys(PROBABILITIES, 0.0) | {f"{section}_probability": 1.0}
    ranges = replace(FAST.augmentation, **chances, **values)
    image, labels = Augment(replace(FAST, augmentation=ranges))(*patches, generators(1, 2))
    torch.testing.assert_close(image, patches[0], atol=1e-5, rtol=0)
    assert torch.equal(labels, patches[1])


def test_chances_are_those_of_the_recipe(patches):
    image, labels = (tensor[:1, ..., :4, :4, :4] for tensor in (patches[0] + 0.3, patches[1]))
    often = augment(brightness_probability=0.3)
    changed = [not torch.equal(often(image, labels, generators(seed))[0], image.clamp(0, 1))
               for seed in range(400)]
    assert 0.22 < sum(changed) / 400 < 0.38


def test_values_types_and_labels_stay_what_they_were(patches):
    for seed in range(6):
        image, labels = always()(*patches, generators(seed, seed + 100))
        assert image.shape == patches[0].shape and labels.shape == patches[1].shape
        assert image.dtype == torch.float32 and labels.dtype == torch.uint8
        assert image.min() >= 0 and image.max() <= 1 and image.isfinite().all()
        assert set(labels.unique().tolist()) <= set(patches[1].unique().tolist())


def test_a_sample_depends_on_its_generator_alone(patches):
    state = torch.get_rng_state()
    change = always()
    together = change(*patches, generators(5, 6))
    again = change(*patches, generators(5, 6))
    alone = change(patches[0][1:], patches[1][1:], generators(6))
    other = change(*patches, generators(5, 7))
    for both, repeated, one, another in zip(together, again, alone, other, strict=True):
        assert torch.equal(both, repeated)
        assert torch.equal(both[1:], one)
        assert torch.equal(both[0], another[0]) and not torch.equal(both[1], another[1])
    assert torch.equal(state, torch.get_rng_state()), "the global generator is left alone"


def test_right_stays_right(patches):
    change = augment(affine_probability=1.0, elastic_probability=1.0)
    where = torch.arange(SHAPE[2], dtype=torch.float32)
    for seed in range(20):
        _, labels = change(patches[0][:1], patches[1][:1], generators(seed))
        right, left = (where[(labels[0] == kidney).nonzero()[:, 2]] for kidney in (RIGHT, LEFT))
        assert right.mean() + 5 < left.mean()


def test_phase_change_follows_the_labels_after_the_deformation(patches):
    """Both drawn: the kidneys that are brighter or darker are those that were moved."""
    chances = {"affine_probability": 1.0, "phase_probability": 1.0}
    for seed in range(5):
        image, labels = augment(**chances)(*patches, generators(seed, seed))
        moved, same_labels = augment(affine_probability=1.0)(*patches, generators(seed, seed))
        assert torch.equal(labels, same_labels)
        difference = (image - moved)[:, 0].abs()
        kidneys = (labels == RIGHT) | (labels == LEFT)
        fat = torch.nn.functional.max_pool3d((labels > 0).float(), 7, 1, 3) == 0
        assert difference[fat].max() < 0.01
        assert difference[kidneys].mean() > 5 * difference[fat].mean()


def test_a_blur_is_as_wide_in_mm_along_every_axis():
    """The spacing is (3, 2.5, 4) mm along (i, j, k), so (4, 2.5, 3) along (D, H, W)."""
    image = torch.zeros(1, 1, 21, 31, 27)
    image[0, 0, 10, 15, 13] = 1
    ranges = augment(blur_probability=1.0).ranges
    blur = Augment(replace(FAST, augmentation=replace(ranges, blur_mm=(5.0, 5.0))))
    blurred = blur(image, image[:, 0].to(torch.uint8), generators(0))[0][0, 0]
    for axis, step in enumerate((4.0, 2.5, 3.0)):
        profile = blurred.sum([other for other in range(3) if other != axis])
        offsets = (torch.arange(len(profile)) - len(profile) // 2) * step
        assert (profile * offsets**2).sum().sqrt().item() == pytest.approx(5, rel=0.02)


@pytest.mark.parametrize(("organ", "largest_hu"), [("liver", 40), ("left kidney", 80)])
def test_a_phase_changes_attenuation_by_hu(organ, largest_hu):
    image = torch.full((1, 1, 4, 4, 4), 0.5)
    labels = torch.full((1, 4, 4, 4), 1 + FAST.organs.index(organ), dtype=torch.uint8)
    low, high = FAST.preprocessing.hu_window
    change = augment(phase_probability=1.0)
    hu = [(change(image, labels, generators(seed))[0] - image).abs().max().item() * (high - low)
          for seed in range(100)]
    assert 0.9 * largest_hu < max(hu) <= largest_hu + 0.01


def test_every_sample_needs_a_generator(patches):
    with pytest.raises(ValueError, match="shorter"):
        augment()(*patches, generators(1))
