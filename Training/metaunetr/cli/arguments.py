"""Kinds of arguments that several commands take; argparse explains those that are wrong."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from metaunetr import organs


class Organs(argparse.Action):
    """Organs by name or number, or both sides as "kidneys", apart by spaces or commas."""

    def __init__(self, option_strings, dest, **kwargs) -> None:
        super().__init__(option_strings, dest, nargs="+", metavar="ORGAN", **kwargs)

    def __call__(self, parser, namespace, words, option_string=None) -> None:
        try:
            chosen = [organ for word in words for name in word.split(",")
                      for organ in organs.select(name)]
        except KeyError as error:
            raise argparse.ArgumentError(self, error.args[0]) from None
        setattr(namespace, self.dest, chosen)


def number(kind: type, low: float, high: float) -> Callable[[str], float]:
    """Reads an int or a float from `low` to `high`."""
    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            what = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"must be {what} from {low} to {high}: {text!r}")
        return value
    return read
