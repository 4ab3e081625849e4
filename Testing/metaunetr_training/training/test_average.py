"""The moving average of the weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from metaunetr_training.training.average import moving_average


def linear(value: float) -> nn.Linear:
    layer = nn.Linear(2, 2)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.fill_(value)
    return layer


@pytest.mark.parametrize(("updates", "weight"), [(1, 9 / 11), (8, 0.5), (10_000, 0.01)])
def test_it_forgets_the_beginning_soon_and_later_slowly(updates, weight):
    average = moving_average(linear(0.0), decay=0.99)
    average.n_averaged.fill_(updates)
    average.update_parameters(linear(1.0))
    assert average.module.weight[0, 0].item() == pytest.approx(weight)


def test_it_is_the_recurrence_and_does_not_touch_the_network():
    average, network, expected = moving_average(linear(0.0), decay=0.5), linear(0.0), 0.0
    average.n_averaged.fill_(20)
    for _ in range(10):
        with torch.no_grad():
            network.weight += 1
        before = network.weight.clone()
        average.update_parameters(network)
        expected = 0.5 * expected + 0.5 * network.weight[0, 0].item()
        assert torch.equal(network.weight, before)
    assert average.module.weight[1, 1].item() == pytest.approx(expected)
