"""`metaunetr-training evaluate`: a run or a bundle on whole CTs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from metaunetr.cli.arguments import Organs, add_command, number
from metaunetr.cli.batch import CASES_FAILED
from metaunetr_training.cli.arguments import DEVICE, dataset


def add_to(commands) -> None:
    parser = add_command(
        commands, "evaluate", "measure the accuracy of a run or a model on whole CTs",
        "Segments whole CTs as `metaunetr segment` does and compares them with their references on "
        "their own grids: Dice, NSD at 2 mm, HD95 (mm); tables, plots, pictures of the worst "
        "cases, and a calibration of the confidence. A run is measured on the cases that it held "
        "out. The same command again measures only what is missing, or what another model has "
        "made.",
        "metaunetr-training evaluate runs/mine",
        "metaunetr-training evaluate abdomen13-2mm --data btcv:/data/BTCV --output results",
    )
    parser.add_argument("model", metavar="RUN|MODEL",
                        help="folder of a run; name or folder of a model")
    parser.add_argument("--prepared", type=Path, metavar="DIR",
                        help="folder made by `prepare` (default: that of the run)")
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--fold", type=number(int, 0, 1000), metavar="N",
                      help="use the cases of this fold (default: the one that the run held out; "
                           "for a model, all cases)")
    part.add_argument("--test", action="store_true", help="use the cases of the test set")
    part.add_argument("--data", action="append", default=[], type=dataset, metavar="KIND:DIR",
                      help="use the cases of a raw data set, such as btcv:/data/BTCV; can be given "
                           "several times (default: prepared cases)")
    parser.add_argument("--output", type=Path, metavar="DIR",
                        help="folder for the results (default: RUN/evaluation; required for a "
                             "model)")
    parser.add_argument("--device", default="auto", metavar="DEVICE", help=DEVICE)
    parser.add_argument("--organs", action=Organs,
                        help="show only these in tables and plots; the calibration uses all "
                             "(default: all)")
    parser.add_argument("--ceiling", action="store_true",
                        help="also measure what a perfect mask reaches at the model spacing")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from metaunetr import extras

    extras.require("scipy", "matplotlib")  # of the plots, which come last
    from metaunetr.errors import InputError, OutputError
    from metaunetr_training.evaluation.output import evaluate
    from metaunetr_training.evaluation.selection import choose, is_run

    if args.data and args.prepared:
        raise InputError("the cases are either those of --prepared or those of --data")
    if args.output is None and not is_run(args.model):
        raise OutputError(f"{args.model}: is no folder of a run; name a folder for the results "
                          "with --output")
    selection = choose(args.model, args.prepared, args.fold, args.test, args.data)
    output = args.output or Path(args.model) / "evaluation"
    print_line(f"{selection.bundle.name} on {len(selection.cases)} cases: {selection.split}")
    values, table = evaluate(selection, output, args.device, args.organs, args.ceiling,
                             print_line)
    print(table)
    print(f"Written to {output}")
    return CASES_FAILED if values["failed"] else 0


def print_line(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
