"""Cases of a test that are functions, called after them."""

from __future__ import annotations

from collections.abc import Callable

import pytest


class Makers(list):
    """For `parametrize`: functions that make something bad, each with what is expected of it.

        bad = Makers()

        @bad("is empty")
        def an_empty_file(folder): ...

        @pytest.mark.parametrize(("make", "words"), bad)
    """

    def __call__(self, *expected) -> Callable:
        def register(make: Callable) -> Callable:
            self.append(pytest.param(make, expected, id=make.__name__.replace("_", " ")))
            return make
        return register
