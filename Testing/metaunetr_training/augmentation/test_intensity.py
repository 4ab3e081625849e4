"""Grey values change as asked, stay within 0 to 1, and air stays air."""

from __future__ import annotations

import pytest
import torch

from metaunetr_training.augmentation import intensity


def patch(*values: float) -> torch.Tensor:
    return torch.tensor(values).reshape(1, 1, -1)


SEEDED = torch.Generator().manual_seed(0)


@pytest.mark.parametrize(("change", "before", "after"), [
    (lambda x: intensity.contrast(x, 1.5), (0.0, 0.3, 0.5, 0.7), (0.0, 0.2, 0.5, 0.8)),
    (lambda x: intensity.contrast(x, 0.5), (0.0, 0.3, 0.5, 0.7), (0.0, 0.4, 0.5, 0.6)),
    (lambda x: intensity.contrast(x, 1.0), (0.0, 0.3, 0.5, 0.7), (0.0, 0.3, 0.5, 0.7)),
    (lambda x: intensity.contrast(x, 2.0), (0.0, 0.0), (0.0, 0.0)),  # nothing but air
    (lambda x: intensity.contrast(x, 3.0), (0.2, 0.8), (0.0, 1.0)),
    (lambda x: intensity.brightness(x, 0.1), (0.0, 0.05, 0.4, 0.95), (0.0, 0.1, 0.5, 1.0)),
    (lambda x: intensity.brightness(x, -0.1), (0.0, 0.15, 0.4, 1.0), (0.0, 0.05, 0.3, 0.9)),
    (lambda x: intensity.gamma(x, 2.0), (0.0, 0.5, 1.0), (0.0, 0.25, 1.0)),
    (lambda x: intensity.gamma(x, 1.0), (0.0, 0.5, 1.0), (0.0, 0.5, 1.0)),
    (lambda x: intensity.noise(x, 0.0, SEEDED), (0.0, 0.5, 1.0), (0.0, 0.5, 1.0)),
])
def test_values(change, before, after):
    image = patch(*before)
    torch.testing.assert_close(change(image), patch(*after))
    assert torch.equal(image, patch(*before)), "the input is left alone"


def test_noise_is_as_strong_as_asked_in_tissue_and_absent_in_air():
    image = torch.zeros(16, 32, 32)
    image[:8] = 0.5
    noisy = intensity.noise(image, 0.05, torch.Generator().manual_seed(1))
    assert noisy[:8].std().item() == pytest.approx(0.05, rel=0.05)
    assert noisy[:8].mean().item() == pytest.approx(0.5, abs=0.005)
    assert (noisy[8:] == 0).all()
    assert torch.equal(noisy, intensity.noise(image, 0.05, torch.Generator().manual_seed(1)))
