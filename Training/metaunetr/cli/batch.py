"""`metaunetr batch`: files and folders of CTs in, segmentations and one table out."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from metaunetr.cli import engine
from metaunetr.cli.arguments import Organs, add_command, number
from metaunetr.cli.ending import GRACE_OF_BATCH
from metaunetr.cli.progress import TerminalProgress
from metaunetr.errors import InputError
from metaunetr.io.formats import FORMATS
from metaunetr.result import DISCLAIMER

CASES_FAILED = 7  # exit code
SUFFIXES = {kind.option: kind.write[0] for kind in FORMATS if kind.option}


def add_to(commands) -> None:
    """Add `metaunetr batch` to the commands."""
    parser = add_command(
        commands, "batch", "segment all CTs in files and folders",
        "Segments all CTs in files and folders. Results keep the folder structure of the input. "
        "If a case fails, the reason is reported and the other cases are still segmented. "
        f"{DISCLAIMER}",
        "metaunetr batch --input studies --output results --report",
        "metaunetr batch --input a.nii.gz b.nii.gz --output results --format nii.gz "
        "--organs liver spleen",
        "metaunetr batch --input studies --output results --resume --dask-local 4",
    )
    parser.add_argument("--input", nargs="+", type=Path, required=True, metavar="PATH",
                        help="files and folders (required); folders are searched recursively for "
                             "NIfTI, NRRD, MetaImage and DICOM series, also in .zip files. Also a "
                             "list of inputs: a CSV file with a column image (and optionally "
                             "name), or a JSON list of paths or of {image, name}")
    parser.add_argument("--all-series", action="store_true",
                        help="segment every CT series in DICOM folders (default: only axial "
                             "ones, without projections, screenshots, and series that are derived "
                             "from another one in the input)")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR",
                        help="folder for the results (required); made if it is missing")
    parser.add_argument("--organs", action=Organs,
                        help="segment only these, such as: liver spleen kidneys (default: all "
                             "organs of the model)")
    engine.add_options(parser)
    parser.add_argument("--format", nargs="+", choices=SUFFIXES, default=["seg.nrrd"],
                        help="format of the labels; dicomseg and rtstruct need DICOM input. If "
                             "several are named, such as dicomseg seg.nrrd, each case gets the "
                             "first one that its input allows (default: seg.nrrd)")
    engine.add_seg_type(parser)
    parser.add_argument("--surfaces", choices=("stl", "obj"),
                        help="also write a surface of each organ in this format, coordinates in "
                             "mm (LPS) as 3D Slicer writes them (default: none)")
    parser.add_argument("--report", action="store_true",
                        help="also write a report page of each case, NAME report.html, to which "
                             "index.html links (default: not written)")
    parser.add_argument("--statistics", type=Path, metavar="FILE.csv",
                        help="write organs.csv, the table of volumes (mL), HU, confidence and "
                             "flags, to this file as well (default: only to the output folder)")
    parser.add_argument("--resume", action="store_true",
                        help="segment only what is missing, or was made from another input, model "
                             "or options (default: segment everything again)")
    parser.add_argument("--identifiers", action="store_true",
                        help="show patients, examinations and complete paths in logs, tables, "
                             "records and page (default: paths start at the folder that all "
                             "inputs share, and a hash identifies a series)")
    machines = parser.add_mutually_exclusive_group()
    machines.add_argument("--dask", metavar="ADDRESS", default="",
                          help="segment on the workers of this Dask scheduler, such as "
                               "tcp://host:8786, which must see files and model under the same "
                               "paths (default: on this machine)")
    machines.add_argument("--dask-local", metavar="N", type=number(int, 1, 256), default=0,
                          help="segment in N processes of this machine (default: in this one)")
    parser.add_argument("-C", dest="folder", metavar="DIR", type=Path,
                        help="change to this folder first; relative paths start there (default: "
                             "the current folder)")
    parser.set_defaults(run=run, grace=GRACE_OF_BATCH)


def run(args: argparse.Namespace) -> int:
    """Run the batch; the exit code says whether a case failed."""
    engine.use_threads(args.threads)
    report = engine.reporter(args, _Terminal)
    if args.folder:
        _enter(args.folder)
    for path in args.input:
        if not os.path.lexists(path):
            raise InputError(f"{path}: there is no such file or folder; check --input")
    from metaunetr import batch
    from metaunetr.batch.case_ledger import INDEX

    suffixes = tuple(SUFFIXES[name] for name in args.format)
    engine.check_seg_type(args, ".dcm" if ".dcm" in suffixes else suffixes[0])
    options = batch.Options(
        output=args.output, suffixes=suffixes, seg_type=args.seg_type, organs=args.organs,
        model=args.model, device=args.device, overlap=args.overlap, precision=args.precision,
        surfaces=f".{args.surfaces}" if args.surfaces else "", report=args.report,
        table=args.statistics,
        resume=args.resume, all_series=args.all_series, identifiers=args.identifiers,
        scheduler=args.dask, workers=args.dask_local,
    )
    try:
        failed = batch.run(args.input, options, report)
    finally:
        report.close()
    if not args.json_progress:
        print(f"Overview: {args.output / INDEX}")
    return CASES_FAILED if failed else 0


def _enter(folder: Path) -> None:
    try:
        os.chdir(folder)
    except OSError as error:
        raise InputError(f"{folder}: cannot be entered: {error.strerror}") from None


class _Terminal(TerminalProgress):
    """The lines of a batch on standard output, and a bar for the case that is running.

    Warnings about single cases are left to their records.
    """

    def __call__(self, event: dict[str, Any]) -> None:
        if event.get("line"):
            self.close()
            print(event["line"], flush=True)
        elif (event["event"] == "warning" and "case" in event) or event["event"] == "estimate":
            pass
        else:
            super().__call__(event)
