"""`metaunetr evaluate`: Dice, NSD at 2 mm and HD95 against references."""

from __future__ import annotations

import argparse
from pathlib import Path

from metaunetr.cli.arguments import Organs, add_command
from metaunetr.outputs import check_distinct


def add_to(commands) -> None:
    parser = add_command(
        commands, "evaluate", "compare segmentations with references: Dice, NSD at 2 mm, HD95",
        "Compares segmentations with references, organ by organ: Dice, normalized surface Dice "
        "(NSD) at 2 mm, and the 95th percentile of the Hausdorff distance (HD95, mm). References "
        "may be cropped; folders are matched by file name. Labels are organ numbers as "
        "`metaunetr segment` writes them: 1 to 13 are those of BTCV; those of AMOS differ from 10 "
        "on.",
        "metaunetr evaluate organs.seg.nrrd reference.nii.gz",
        "metaunetr evaluate results references --csv scores.csv",
        "metaunetr evaluate organs.nii.gz reference.nii.gz --organs liver spleen --json -",
    )
    parser.add_argument("prediction", metavar="PREDICTION", type=Path,
                        help="label map, or a folder of them")
    parser.add_argument("reference", metavar="REFERENCE", type=Path,
                        help="label map, or a folder with files of the same names")
    parser.add_argument("--organs", action=Organs,
                        help="compare only these (default: those that each reference contains)")
    parser.add_argument("--csv", type=Path, metavar="FILE.csv",
                        help="write one line per case and organ (default: not written)")
    parser.add_argument("--json", type=Path, metavar="FILE.json",
                        help="write the same as a list of objects; - prints it instead of the "
                             "table (default: not written)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    from metaunetr import evaluation, io

    printed = args.json == Path("-")
    outputs = [path for path in (args.csv, None if printed else args.json) if path is not None]
    check_distinct(outputs, [args.prediction, args.reference])
    for path in outputs:
        io.prepare_file(path)
    rows = evaluation.evaluate(args.prediction, args.reference, args.organs)
    if args.csv:
        evaluation.write_csv(args.csv, rows)
    if args.json and not printed:
        io.write_text(args.json, evaluation.as_json(rows))
    print(evaluation.as_json(rows) if printed else evaluation.format_table(rows))
