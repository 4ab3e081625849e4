"""Every command says what it is for, shows examples that work, and names its defaults."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator

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


def test_a_description_and_examples_that_the_parser_takes():
    for name, command in ALL.items():
        assert command.description.endswith("."), name
        title, *examples = command.epilog.splitlines()
        assert title in ("example:", "examples:") and 1 <= len(examples) <= 3, name
        assert examples[0].split()[:len(name.split())] == name.split()
        for example in examples:
            program, *words = shlex.split(example)
            if program == "torchrun":
                words = words[words.index("metaunetr_training") + 1:]
            if "--help" not in words:
                PARSERS[program]().parse_args(words)


def test_every_option_names_its_default():
    for name, command in ALL.items():
        options = [action for action in command._actions
                   if action.option_strings and action.nargs != 0]
        for option in options:
            default = option.default if isinstance(option.default, (int, float, str)) else None
            words = f"(default: {default}" if default else "(default: "
            assert "(required)" in option.help or words in option.help, (name, option.dest)


def test_sizes_are_those_of_the_network():
    assert tuple(SIZES) == mixers.SIZES
