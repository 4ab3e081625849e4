"""Which held-out cases training looks at while it goes on."""

from types import SimpleNamespace

import pytest

from metaunetr_training.training.validate import interleave


@pytest.mark.parametrize(("datasets", "count", "chosen"), [
    ("aaab", 2, [0, 3]),
    ("aaabbc", 4, [0, 3, 5, 1]),
    ("aaabbc", 9, [0, 3, 5, 1, 4, 2]),
    ("aaa", 2, [0, 1]),
    ("", 3, []),
])
def test_every_data_set_has_its_turn(datasets, count, chosen):
    cases = [SimpleNamespace(source=SimpleNamespace(dataset=name)) for name in datasets]
    assert interleave(cases, count) == [cases[n] for n in chosen]
