"""Every command says what it is for, shows examples that work, and names its defaults."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator

import pytest

import metaunetr.cli
import metaunetr_training.cli
from metaunetr.cli import mixers
from metaunetr.network.sizes import SIZES

PARSERS = {"metaunetr": metaunetr.cli.parser, "metaunetr-training": metaunetr_training.cli.parser,
           "torchrun": metaunetr_training.cli.parser}


def commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield command
                yield from commands(command)


ALL = {command.prog: command for name in ("metaunetr", "metaunetr-training")
       for command in commands(PARSERS[name]())}


@pytest.mark.parametrize("name", ALL)
def test_a_description_and_examples_that_the_parser_takes(name):
    command = ALL[name]
    assert command.description.endswith(".")
    title, *examples = command.epilog.splitlines()
    assert title in ("example:", "examples:") and 1 <= len(examples) <= 3
    assert examples[0].split()[:len(name.split())] == name.split()
    for example in examples:
        program, *words = shlex.split(example)
        if program == "torchrun":
            words = words[words.index("metaunetr_training") + 1:]
        if "--help" not in words:
            PARSERS[program]().parse_args(words)


@pytest.mark.parametrize("name", ALL)
def test_every_option_names_its_default(name):
    silent = [action.option_strings[-1] for action in ALL[name]._actions
              if action.option_strings and action.nargs != 0
              and "(required)" not in action.help and "(default: " not in action.help]
    assert silent == []
    wrong = [action.option_strings[-1] for action in ALL[name]._actions
             if action.option_strings and action.nargs != 0
             and isinstance(action.default, (int, float, str)) and action.default
             and f"(default: {action.default}" not in action.help]
    assert wrong == []


def test_sizes_are_those_of_the_network():
    assert tuple(SIZES) == mixers.SIZES
