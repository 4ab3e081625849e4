"""Help texts of commands, and types of arguments that several commands share."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Callable

from metaunetr import organs


class HelpFormatter(argparse.HelpFormatter):
    """Wraps descriptions, and leaves texts of several lines (examples, exit codes) as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" in text:
            return text
        return super()._fill_text(text, width, indent)


def add_command(
    commands, name: str, summary: str, description: str, *examples: str
) -> argparse.ArgumentParser:
    """Add a command with a summary, a description, and examples to copy."""
    return commands.add_parser(
        name, help=summary, description=description, formatter_class=HelpFormatter,
        epilog="\n".join(["examples:" if len(examples) > 1 else "example:",
                          *(f"  {example}" for example in examples)]),
    )


class Organs(argparse.Action):
    """Organs by name or number, or both sides as "kidneys", separated by spaces or commas."""

    def __init__(self, option_strings, dest, **kwargs) -> None:
        super().__init__(option_strings, dest, nargs="+", metavar="ORGAN", **kwargs)

    def __call__(self, parser, namespace, words, option_string=None) -> None:
        files = [word for word in words if _is_file(word)]
        if files:
            names = " ".join(word for word in words if word not in files) or "liver"
            raise argparse.ArgumentError(self, (
                f"{', '.join(files)} was read as the name of an organ, because {option_string} "
                "takes all words up to the next option; write files before it: "
                f"… {shlex.join(files)} {option_string} {names} …"))
        try:
            chosen = [organ for word in words for name in word.split(",")
                      for organ in organs.select(name)]
        except KeyError as error:
            raise argparse.ArgumentError(self, error.args[0]) from None
        setattr(namespace, self.dest, chosen)


def _is_file(word: str) -> bool:
    """Whether a word is the name of a file or folder; names of organs have no dot or slash."""
    if any(mark in word for mark in (".", os.sep, os.altsep or os.sep)):
        return True
    try:
        organs.select(word)
    except KeyError:
        return os.path.exists(word)
    return False


def number(kind: type, low: float, high: float) -> Callable[[str], float]:
    """A type of argument: an int or a float from `low` to `high`."""
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
