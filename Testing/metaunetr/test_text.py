"""Numbers as people read them."""

import pytest

from metaunetr.text import duration, millilitres


@pytest.mark.parametrize(("seconds", "text"), [
    (0.4, "0 s"), (99, "99 s"), (120, "2 min"), (5900, "98 min"), (9000, "2.5 h"),
])
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(("volume", "text"), [
    (1503.4, "1503"), (152.44, "152"), (31.54, "31.5"), (3.418, "3.42"), (0.418, "0.42"),
    (0.0449, "0.04"), (0.0041, "0.004"), (0.00052, "0.0005"),
])
def test_volumes(volume, text):
    assert millilitres(volume) == text
