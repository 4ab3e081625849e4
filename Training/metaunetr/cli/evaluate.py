"""`metaunetr evaluate`: Dice, NSD at 2 mm and HD95 against references."""

from __future__ import annotations

import argparse
from pathlib import Path

from metaunetr import organs as organ_table
from metaunetr.errors import InputError


def add_to(commands) -> None:
    parser = commands.add_parser(
        "evaluate", help="compare segmentations with references: Dice, NSD at 2 mm, HD95"
    )
    parser.add_argument("prediction", type=Path, help="label map, or a folder of them")
    parser.add_argument("reference", type=Path, help="label map, or a folder with the same names")
    parser.add_argument("--organs", nargs="+", metavar="ORGAN",
                        help="score these (default: those that each reference contains)")
    parser.add_argument("--csv", type=Path, metavar="FILE.csv", help="a line per case and organ")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    from metaunetr import evaluation, io

    if args.csv:
        io.prepare_file(args.csv)
    rows = evaluation.evaluate(args.prediction, args.reference, chosen_organs(args.organs))
    print(evaluation.format_table(rows))
    if args.csv:
        evaluation.write_csv(args.csv, rows)


def chosen_organs(words: list[str] | None) -> list[organ_table.Organ] | None:
    """The organs of words such as `liver,spleen` and `kidneys`; None for no words.

    Raises:
        InputError: no organ is called so.
    """
    if words is None:
        return None
    try:
        return [organ for word in words for name in word.split(",")
                for organ in organ_table.select(name)]
    except KeyError as error:
        raise InputError(str(error.args[0])) from error
