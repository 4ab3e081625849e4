"""`metaunetr-training remember`: a copy of a correction that does not identify the patient."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from metaunetr.cli.arguments import add_command, add_json_progress
from metaunetr.cli.ending import end_with_stdin
from metaunetr.cli.progress import JsonProgress


def add_to(commands) -> None:
    parser = add_command(
        commands, "remember", "copy a corrected CT for `adapt`, without what identifies a patient",
        "Copies a CT and the organs that you have corrected in it: at the spacing of the model, "
        "with 256 grey levels, cropped to the body, without names, dates and numbers. The folder "
        "is a case for `metaunetr-training adapt`.",
        "metaunetr-training remember ct.nii.gz ct.seg.nrrd -o corrections/1",
    )
    parser.add_argument("image", type=Path, metavar="CT", help="image, or folder of a DICOM series")
    parser.add_argument("labels", type=Path, metavar="SEGMENTATION",
                        help=".seg.nrrd; the segments that you have drawn or changed are copied")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR",
                        help="folder of the copy (required)")
    parser.add_argument("--from", dest="start", metavar="MODEL",
                        help="name or folder of the model that will be adapted (default: "
                             "abdomen13-2mm)")
    add_json_progress(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    if args.json_progress:
        end_with_stdin()
    from metaunetr.bundle import find
    from metaunetr.errors import InputError
    from metaunetr.organs import BY_NUMBER
    from metaunetr_training.adapt.cases import read_corrections
    from metaunetr_training.adapt.remember import remember

    start, warnings = find(args.start), []
    case = read_corrections(args.image, args.labels, warnings.append)
    if not case.organs:
        raise InputError(f"{args.labels}: no segment has been corrected; correct some in 3D "
                         "Slicer, and save them")
    size = remember(case, args.output, start.preprocessing)
    organs = [BY_NUMBER[number].name for number in sorted(case.organs)]
    line = f"{args.output}: {', '.join(organs)}; {size / 1e6:.1f} MB"
    if args.json_progress:
        report = JsonProgress()
        for text in warnings:
            report({"event": "warning", "text": text})
        report({"event": "result", "organs": organs, "bytes": size, "line": line})
    else:
        for text in warnings:
            print(f"warning: {text}", file=sys.stderr)
        print(line)
