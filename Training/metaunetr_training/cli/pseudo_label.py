"""`metaunetr-training pseudo-label`: labels by a model for organs that cases do not annotate."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from metaunetr.cli.arguments import add_command, number
from metaunetr_training.cli.arguments import DEVICE, fold


def add_to(commands) -> None:
    parser = add_command(
        commands, "pseudo-label", "label organs that prepared cases do not annotate, with a model",
        "Copies a prepared folder. In the training cases of the copy, a model labels the organs "
        "that the data set does not annotate, where it is sure; training leaves out the voxels "
        "where it is not. Labels of the data set are kept.",
        "metaunetr-training pseudo-label prepared pseudo --model models/mine",
    )
    parser.add_argument("prepared", metavar="DIR", type=Path, help="folder made by `prepare`")
    parser.add_argument("output", metavar="NEW", type=Path, help="the prepared folder to make")
    parser.add_argument("--model", metavar="MODEL",
                        help="name or folder of a model (default: the bundled one)")
    parser.add_argument("--fold", type=fold, default=0, metavar="N",
                        help="fold whose cases are copied as they are, or none (default: 0)")
    parser.add_argument("--confidence", type=number(float, 0.5, 1), default=0.7, metavar="P",
                        help="lowest probability of a voxel, and lowest mean probability of an "
                             "organ (default: 0.7)")
    parser.add_argument("--device", default="auto", metavar="DEVICE", help=DEVICE)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    from metaunetr.engine import Segmenter
    from metaunetr_training.data.prepared import Prepared
    from metaunetr_training.training.pseudo_labels import add_pseudo_labels

    prepared = Prepared.read(args.prepared)
    done = add_pseudo_labels(prepared, args.output, Segmenter(args.model, args.device), args.fold,
                             args.confidence,
                             lambda line: print(line, file=sys.stderr, flush=True))
    labelled = sum(bool(case.pseudo_labelled) for case in done.cases)
    print(f"{args.output}: {labelled} of {len(done.cases)} cases have labels of a model")
