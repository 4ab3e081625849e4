"""Random augmentation of patches."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from metaunetr_training.augmentation import intensity, phase, separable, spatial
from metaunetr_training.recipe import Recipe

IDENTITY = spatial.affine((0, 0, 0), 1)


class Augment:
    """Changes each sample of a batch at random, by the probabilities and ranges of the recipe.

    In this order: deformation, contrast phase, grey values, blur, resolution, noise. All random
    numbers but the noise are drawn on the CPU, so that devices differ in noise alone.
    """

    def __init__(self, recipe: Recipe):
        low, high = recipe.preprocessing.hu_window
        self.ranges = recipe.augmentation
        self.spacing = tuple(reversed(recipe.preprocessing.spacing))  # along (d, h, w)
        self.classes = recipe.classes
        self.hu = 1 / (high - low)  # one HU in units of the network's input

    @torch.no_grad()
    def __call__(self, image: Tensor, labels: Tensor,
                 generators: Sequence[torch.Generator]) -> tuple[Tensor, Tensor]:
        """Augments a batch; to be called outside of autocast.

        Args:
            image: (B, 1, D, H, W) float32, 0 to 1.
            labels: (B, D, H, W) uint8, class numbers of the recipe.
            generators: one per sample, on the CPU, for all random numbers.

        Returns:
            image and labels, of the same shapes, types, range and device.
        """
        samples = [
            self._augment_sample(one[0], its_labels, generator)
            for one, its_labels, generator in zip(image, labels, generators, strict=True)
        ]
        images, labels = zip(*samples, strict=True)
        return torch.stack(images)[:, None].clamp_(0, 1), torch.stack(labels)

    def _augment_sample(self, image: Tensor, labels: Tensor,
             generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Augments one sample (D, H, W)."""
        ranges, draw = self.ranges, _Random(generator)
        image, labels = self._deform(image, labels, draw)
        if draw.chance(ranges.phase_probability):
            shifts = phase.shifts(self.classes, ranges.phase_hu * self.hu, generator)
            image = phase.change_phase(image, labels, shifts, self.spacing)
        if draw.chance(ranges.contrast_probability):
            image = intensity.contrast(image, draw.within(*ranges.contrast))
        if draw.chance(ranges.brightness_probability):
            image = intensity.brightness(image, draw.around_zero(ranges.brightness))
        if draw.chance(ranges.gamma_probability):
            image = intensity.gamma(image, draw.within(*ranges.gamma))
        if draw.chance(ranges.blur_probability):
            image = self._blur(image, draw.within(*ranges.blur_mm))
        if draw.chance(ranges.low_resolution_probability):
            image = self._low_resolution(image, draw)
        if draw.chance(ranges.noise_probability):
            own = torch.Generator(image.device).manual_seed(draw.seed())
            image = intensity.noise(image, draw.within(0, ranges.noise), own)
        return image, labels

    def _deform(self, image: Tensor, labels: Tensor, draw: _Random) -> tuple[Tensor, Tensor]:
        ranges = self.ranges
        moved = draw.chance(ranges.affine_probability)
        bent = draw.chance(ranges.elastic_probability)
        if not moved and not bent:
            return image, labels
        matrix, shift, displacement = IDENTITY, (0.0, 0.0, 0.0), None
        if moved:
            angles = [draw.around_zero(ranges.rotation_degrees) for _ in range(3)]
            matrix = spatial.affine(angles, draw.within(*ranges.scale))
            shift = tuple(draw.around_zero(ranges.shift_mm) for _ in range(3))
        if bent:
            displacement = spatial.elastic(
                image.shape, self.spacing, ranges.elastic_mm, ranges.elastic_pitch_mm,
                draw.generator, image.device,
            )
        return spatial.deform(image, labels, self.spacing, matrix, shift, displacement)

    def _blur(self, image: Tensor, sigma_mm: float) -> Tensor:
        return separable.along_axes(image, tuple(
            separable.blur(length, sigma_mm / step, image.device)
            for length, step in zip(image.shape, self.spacing, strict=True)
        ))

    def _low_resolution(self, image: Tensor, draw: _Random) -> Tensor:
        """Along all axes or, like thick slices, along one of them."""
        factor = draw.within(*self.ranges.low_resolution)
        only = None if draw.chance(0.5) else int(draw.within(0, 3))
        return separable.along_axes(image, tuple(
            separable.low_resolution(length, factor, image.device) if only in (None, axis)
            else None
            for axis, length in enumerate(image.shape)
        ))


class _Random:
    """Random numbers of a CPU generator."""

    def __init__(self, generator: torch.Generator):
        self.generator = generator

    def chance(self, probability: float) -> bool:
        return self.within(0, 1) < probability

    def within(self, low: float, high: float) -> float:
        """At least `low`, less than `high`."""
        return low + (high - low) * torch.rand((), generator=self.generator).item()

    def around_zero(self, largest: float) -> float:
        return self.within(-largest, largest)

    def seed(self) -> int:
        return int(torch.randint(2**63 - 1, (), generator=self.generator))
