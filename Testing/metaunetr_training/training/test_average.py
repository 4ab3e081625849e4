"""The moving average of the weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from metaunetr_training.training.average import Average


def linear(value: float) -> nn.Linear:
    layer = nn.Linear(2, 2)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.fill_(value)
    return layer


@pytest.mark.parametrize(("step", "weight"), [(0, 0.9), (8, 0.5), (10_000, 0.01)])
def test_it_forgets_the_beginning_soon_and_later_slowly(step, weight):
    average = Average(linear(0.0), decay=0.99)
    average.update(linear(1.0), step)
    assert average.state["weight"][0, 0].item() == pytest.approx(weight)


def test_it_is_the_recurrence_and_does_not_touch_the_network():
    average, network, expected = Average(linear(0.0), decay=0.5), linear(0.0), 0.0
    for step in range(20, 30):
        with torch.no_grad():
            network.weight += 1
        before = network.weight.clone()
        average.update(network, step)
        expected = 0.5 * expected + 0.5 * network.weight[0, 0].item()
        assert torch.equal(network.weight, before)
    assert average.state["weight"][1, 1].item() == pytest.approx(expected)
    average.copy_to(network)
    assert network.weight[0, 0].item() == pytest.approx(expected)
