"""Numbers as people read them."""

import pytest

from metaunetr.text import duration


@pytest.mark.parametrize(("seconds", "text"), [
    (0.4, "0 s"), (99, "99 s"), (120, "2 min"), (5900, "98 min"), (9000, "2.5 h"),
])
def test_durations(seconds, text):
    assert duration(seconds) == text
