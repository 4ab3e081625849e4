"""CKA against a direct computation, and what it does and does not change with."""

import numpy as np
import pytest
import torch

from metaunetr_training.experiments.cka import MinibatchCKA, centred_gram

PAIR = 60  # examples


def features(seed: int, channels: int = 20, examples: int = PAIR) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(examples, channels))).float()


def related(x: torch.Tensor, seed: int = 1) -> torch.Tensor:
    """Features of which half come from `x`."""
    return torch.cat([x[:, : x.shape[1] // 2], features(seed, 12, len(x))], dim=1)


def streamed(maps: list[torch.Tensor], size: int = PAIR) -> torch.Tensor:
    """CKA of all pairs, `size` examples a minibatch."""
    cka = MinibatchCKA()
    for parts in zip(*(x.split(size) for x in maps), strict=True):
        cka.add([centred_gram(part) for part in parts])
    return cka.matrix()


def cka(x: torch.Tensor, y: torch.Tensor, size: int = PAIR) -> float:
    return streamed([x, y], size)[0, 1].item()


def direct_hsic(x: np.ndarray, y: np.ndarray) -> float:
    """Equation 3 of Nguyen et al., word for word."""
    n = len(x)
    k, l = x @ x.T, y @ y.T  # noqa: E741
    np.fill_diagonal(k, 0)
    np.fill_diagonal(l, 0)
    one = np.ones(n)
    total = np.trace(k @ l) + (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2)) \
        - 2 / (n - 2) * one @ k @ l @ one
    return total / (n * (n - 3))


@pytest.mark.parametrize("size", [4, 5, 20, PAIR])
def test_it_is_the_equation_summed_over_minibatches(size):
    x, y = features(0), related(features(0))
    parts = [(a.double().numpy(), b.double().numpy())
             for a, b in zip(x.split(size), y.split(size), strict=True)]
    xy, xx, yy = (sum(direct_hsic(p[i], p[j]) for p in parts) for i, j in ((0, 1), (0, 0), (1, 1)))
    assert cka(x, y, size) == pytest.approx(xy / np.sqrt(xx * yy), abs=1e-6)


def test_the_estimate_is_unbiased_by_the_size_of_minibatches():
    x = features(0, examples=1600)
    y = related(x)
    assert cka(x, y, 8) == pytest.approx(cka(x, y, 1600), abs=0.03)


def test_a_map_is_like_itself():
    assert cka(features(0), features(0)) == pytest.approx(1, abs=1e-9)


def test_unrelated_maps_are_near_zero_although_examples_are_few():
    # the biased estimator says 0.98 here
    values = [cka(features(n, 500), features(n + 100, 500), 10) for n in range(10)]
    assert abs(np.mean(values)) < 0.05


def rotation(n: int) -> torch.Tensor:
    return torch.linalg.qr(features(7, n, n).double())[0].float()


@pytest.mark.parametrize(
    "change",
    [lambda y: y @ rotation(y.shape[1]), lambda y: 40 * y, lambda y: y - 300,
     lambda y: y[:, torch.randperm(y.shape[1])]],
    ids=["rotation", "scale", "shift", "order of channels"],
)
def test_it_does_not_change_with(change):
    x, y = features(0), related(features(0))
    assert cka(x, change(y), 12) == pytest.approx(cka(x, y, 12), abs=1e-4)


def test_it_changes_with_a_linear_map_that_is_no_rotation():
    x, y = features(0), related(features(0))
    stretched = y @ torch.diag(torch.logspace(0, 2, y.shape[1]))
    assert abs(cka(x, stretched) - cka(x, y)) > 0.1


def test_examples_of_any_shape_give_the_gram_matrix_of_all_their_values(monkeypatch):
    maps = features(0, 4 * 3 * 5 * 6, 6).reshape(6, 4, 3, 5, 6)
    whole = centred_gram(maps)
    monkeypatch.setattr("metaunetr_training.experiments.cka.CHUNK", 100)
    assert torch.allclose(centred_gram(list(maps)), whole)
    assert whole.sum(0).abs().max() < 1e-9  # centred
    assert not whole.diagonal().any()


def test_a_map_that_never_changes_is_like_nothing():
    assert torch.isnan(streamed([features(0), torch.ones(PAIR, 3)])[0, 1])


def test_three_examples_are_too_few():
    with pytest.raises(ValueError, match="4 examples"):
        centred_gram(features(0, examples=3))
