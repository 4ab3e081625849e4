"""Minibatch CKA: the similarity of two feature maps over the same examples.

Kornblith, Norouzi, Lee, Hinton: Similarity of Neural Network Representations Revisited, ICML 2019.
Nguyen, Raghu, Kornblith: Do Wide and Deep Networks Learn the Same Things?, ICLR 2021, equations 1
to 4: HSIC is summed over minibatches with the unbiased estimator of Song et al. (Feature Selection
via Dependence Maximization, JMLR 2012), so that the result does not depend on their size.

With K the Gram matrix of n examples, its diagonal set to 0, equation 3 reads

    HSIC(K, L) = (tr KL + 1'K1 1'L1 / (n-1)(n-2) - 2 1'KL1 / (n-2)) / n(n-3)

which is the inner product of the two `centred` matrices over n(n-3) (Székely and Rizzo: Partial
Distance Correlation, Annals of Statistics 2014, section 3). So each map is centred once, and one
matrix product gives all pairs.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

FEWEST = 4  # examples in a minibatch; the estimator divides by n - 3
CHUNK = 1 << 18  # values of each example per matrix product


def centred_gram(examples: Sequence[Tensor]) -> Tensor:
    """The centred Gram matrix (n, n), float64, of n examples of one map, of any equal shape.

    Raises:
        ValueError: fewer than four examples.
    """
    n = len(examples)
    if n < FEWEST:
        raise ValueError(f"Unbiased HSIC needs {FEWEST} examples in a minibatch, not {n}.")
    flat = [example.reshape(-1) for example in examples]
    gram = torch.zeros(n, n, dtype=torch.float64)
    for start in range(0, len(flat[0]), CHUNK):
        part = torch.stack([values[start : start + CHUNK] for values in flat]).double()
        part -= part.mean(0)  # reduces rounding errors; the Gram matrix is centred below
        gram += (part @ part.T).cpu()
    return _centred(gram)


def _centred(gram: Tensor) -> Tensor:
    """Off the diagonal K_ij - sum_l K_il / (n-2) - sum_l K_lj / (n-2) + sum K / (n-1)(n-2)."""
    n = len(gram)
    gram = gram - torch.diag(gram.diagonal())
    rows = gram.sum(1) / (n - 2)
    centred = gram - rows - rows[:, None] + gram.sum() / ((n - 1) * (n - 2))
    return centred - torch.diag(centred.diagonal())


class MinibatchCKA:
    """CKA of every pair of maps, streaming over minibatches."""

    def __init__(self) -> None:
        self.hsic: Tensor | float = 0.0  # (maps, maps), summed over minibatches

    def add(self, grams: Sequence[Tensor]) -> None:
        """One minibatch: the `centred_gram` of every map, always in the same order."""
        n = len(grams[0])
        flat = torch.stack(list(grams)).flatten(1)  # (maps, n²)
        self.hsic = self.hsic + flat @ flat.T / (n * (n - 3))

    def matrix(self) -> Tensor:
        """CKA (maps, maps).

        1 for maps that are equal up to rotation and scale, 0 for unrelated maps (estimates may be
        slightly negative), NaN for a map that is equal in all examples.
        """
        own = self.hsic.diagonal().sqrt()
        return self.hsic / (own * own[:, None])
