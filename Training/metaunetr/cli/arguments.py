"""Help texts of commands, and types of arguments that several commands share."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import NoReturn

from metaunetr import organs


class Parser(argparse.ArgumentParser):
    """Explains a wrong command line in one sentence, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog.split()[0]}: {message}; see `{self.prog} --help`\n")

    def parse_known_args(self, args=None, namespace=None):
        """Arguments that a command does not know are its error, not that of `metaunetr`."""
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:
            option = unknown[0].partition("=")[0]
            near = _did_you_mean(option, self._option_string_actions)
            self.error(f"unrecognized arguments: {shlex.join(unknown)}{near}")
        return namespace, unknown


class HelpFormatter(argparse.HelpFormatter):
    """Wraps descriptions, and leaves texts of several lines (examples, exit codes) as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" in text:
            return text
        return super()._fill_text(text, width, indent)


def add_command(
    commands, name: str, summary: str, description: str, *examples: str
) -> Parser:
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
        chosen = [organ for word in words if word not in files
                  for name in word.split(",") for organ in self._select(name)]
        if files:
            names = " ".join(word for word in words if word not in files) or "liver"
            raise argparse.ArgumentError(self, (
                f"{', '.join(files)} was read as the name of an organ, because {option_string} "
                "takes all words up to the next option; write files before it: "
                f"… {shlex.join(files)} {option_string} {names} …"))
        setattr(namespace, self.dest, chosen)

    def _select(self, name: str) -> list[organs.Organ]:
        try:
            return organs.select(name)
        except KeyError:
            keys = [organ.key for organ in organs.ORGANS]
            near = _did_you_mean(name.strip().lower(), keys) or f"; known: {', '.join(keys)}"
            raise argparse.ArgumentError(self, f"no organ is called {name!r}{near}") from None


def add_json_progress(parser) -> None:
    """The option of commands that other programs run; see `ending.end_with_stdin`."""
    parser.add_argument("--json-progress", action="store_true",
                        help="print one JSON object per line on standard output; the run ends "
                             "when a pipe on standard input closes")


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    """"; did you mean a or b?", or "" if nothing is similar; "kidney" is part of two names."""
    known = list(known)
    near = get_close_matches(word, known, cutoff=0.72) or [
        name for name in known if len(word) > 2 and word in name]
    return f"; did you mean {' or '.join(near)}?" if near else ""


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
