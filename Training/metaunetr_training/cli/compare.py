"""`metaunetr-training compare`: two evaluations of the same cases."""

from __future__ import annotations

import argparse
from pathlib import Path

from metaunetr.cli.arguments import add_command


def add_to(commands) -> None:
    parser = add_command(
        commands, "compare", "compare two evaluations of the same cases",
        "Compares Dice case by case: mean differences with intervals, Wilcoxon's signed-rank test "
        "corrected for the number of organs (Holm), effect sizes, and a plot. Both must have been "
        "evaluated on the same cases.",
        "metaunetr-training compare runs/a runs/b --output comparison",
    )
    parser.add_argument("a", metavar="A", type=Path,
                        help="folder of an evaluation, or of a run that was evaluated")
    parser.add_argument("b", metavar="B", type=Path, help="the folder to compare it with")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR",
                        help="folder for table, plot and differences (required)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    from metaunetr import extras

    extras.require("scipy", "matplotlib")
    from metaunetr_training.evaluation.compare import Evaluation, write

    print(write(args.output, Evaluation.read(args.a), Evaluation.read(args.b)))
    print(f"Written to {args.output}")
