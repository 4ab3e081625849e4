"""`metaunetr-training prepare`: data sets become the folder that training reads."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from metaunetr.cli.arguments import add_command, number
from metaunetr.cli.batch import CASES_FAILED
from metaunetr_training.cli.arguments import add_changes, dataset


def add_to(commands) -> None:
    parser = add_command(
        commands, "prepare", "check and resample data sets for training",
        "Checks the cases of data sets, resamples them once to the recipe's spacing, crops them to "
        "the body and assigns folds. The same command again does only what is missing or has "
        "changed; other data sets can be added. If a case fails, the reason is reported and the "
        "other cases are still prepared.",
        "metaunetr-training prepare prepared --data btcv:/data/BTCV",
        "metaunetr-training prepare prepared --data btcv:/data/BTCV --data amos:/data/AMOS "
        "--dry-run",
        "metaunetr-training prepare prepared --data general:data/phantoms --recipe fast --folds 3",
    )
    parser.add_argument("folder", metavar="OUT", type=Path, help="folder for the prepared cases")
    wish = parser.add_mutually_exclusive_group()
    wish.add_argument("--recipe", default="fast",
                      help="name in Training/configs, or a YAML file; only its preprocessing "
                           "is used (default: fast)")
    wish.add_argument("--from", dest="start", metavar="MODEL",
                      help="use the preprocessing of this model, to fine-tune it (default: that of "
                           "the recipe)")
    parser.add_argument("--data", type=dataset, action="append", required=True,
                        metavar="KIND:DIR",
                        help="a data set (required): btcv, amos, abdomenct1k or general, and its "
                             "folder; can be given several times")
    parser.add_argument("--folds", type=number(int, 2, 100), default=5, metavar="N",
                        help="number of folds for cross-validation (default: 5)")
    parser.add_argument("--hold-out", nargs="+", metavar="CASE",
                        help="instead of cross-validation: these cases, such as btcv/0023, are "
                             "fold 0, all others are fold 1 (default: cross-validation)")
    add_changes(parser)
    parser.add_argument("--jobs", type=number(int, 1, 1024), metavar="N",
                        help="number of processes, each with one case (default: by processors and "
                             "memory)")
    parser.add_argument("--dry-run", action="store_true",
                        help="only show what there is to do and the disk space it takes")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from metaunetr import bundle
    from metaunetr.errors import InputError
    from metaunetr_training import recipe as recipes
    from metaunetr_training.data import prepare
    from metaunetr_training.data.datasets import dataset_cases

    if args.start and args.changes:
        raise InputError("--set changes a recipe: it cannot be given with --from")
    wish = bundle.find(args.start) if args.start else recipes.load(args.recipe, args.changes)
    preprocessing = wish.preprocessing
    cases = []
    for kind, folder in args.data:
        found = dataset_cases(kind, folder)
        print(f"{kind} in {folder}: {len(found)} cases", file=sys.stderr)
        cases += found
    plan = prepare.plan(args.folder, preprocessing, cases, args.folds, args.jobs,
                        args.hold_out or ())
    print(plan, file=sys.stderr)
    if args.dry_run:
        return 0
    prepared = prepare.prepare(plan, lambda line: print(line, file=sys.stderr, flush=True))
    print(f"{args.folder}: {len(prepared.cases)} cases are prepared, {len(plan.failed)} failed; "
          f"see {args.folder / 'report.html'}")
    return CASES_FAILED if plan.failed else 0
