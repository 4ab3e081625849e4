"""`metaunetr batch`: files and folders of CTs in, segmentations and one table out."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from metaunetr.cli import engine
from metaunetr.cli.arguments import Organs, number
from metaunetr.cli.progress import TerminalProgress
from metaunetr.errors import InputError
from metaunetr.result import DISCLAIMER

CASES_FAILED = 7  # exit code
SUFFIXES = {"seg.nrrd": ".seg.nrrd", "nii.gz": ".nii.gz", "dicomseg": ".dcm",
            "rtstruct": ".rtstruct.dcm"}


def add_to(commands) -> None:
    parser = commands.add_parser(
        "batch", help="segment all CTs in files and folders",
        description="Segment all CTs in files and folders. Results keep the folder structure of "
                    f"the input; a case that fails is told and the rest goes on. {DISCLAIMER}",
    )
    parser.add_argument("--input", nargs="+", type=Path, required=True, metavar="PATH",
                        help="files, and folders that are searched to the bottom: NIfTI, NRRD, "
                             "MetaImage, DICOM series, also in .zip files; a CSV with a column "
                             "image (and name), or a JSON list of paths or {image, name}, stands "
                             "for what it names")
    parser.add_argument("--all-series", action="store_true",
                        help="segment every CT series in DICOM folders (default: axial ones, no "
                             "projections or screenshots, nothing derived from what is there)")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR",
                        help="folder for the results; made if it is missing")
    parser.add_argument("--organs", action=Organs,
                        help="only these, such as: liver spleen kidneys")
    engine.add_options(parser)
    parser.add_argument("--format", nargs="+", choices=SUFFIXES, default=["seg.nrrd"],
                        help="of the labels (default: seg.nrrd); dicomseg and rtstruct are for "
                             "DICOM input; of several, each case gets the first that its input "
                             "allows, as with: dicomseg seg.nrrd")
    engine.add_seg_type(parser)
    parser.add_argument("--surfaces", choices=("stl", "obj"),
                        help="also a surface of each organ, in LPS mm as 3D Slicer writes them")
    parser.add_argument("--statistics", type=Path, metavar="FILE.csv",
                        help="volume, HU, confidence and flags, one line per case and organ")
    parser.add_argument("--resume", action="store_true",
                        help="do only what is missing, or was made from another input, model or "
                             "options (default: everything once more)")
    parser.add_argument("--identifiers", action="store_true",
                        help="name patients, examinations and complete paths in logs, tables, "
                             "records and page (default: paths below the common folder, and a "
                             "hash that tells the series)")
    machines = parser.add_mutually_exclusive_group()
    machines.add_argument("--dask", metavar="ADDRESS", default="",
                          help="let the workers of this Dask scheduler do the work, such as "
                               "tcp://host:8786; files and model lie where all see them")
    machines.add_argument("--dask-local", metavar="N", type=number(int, 1, 256), default=0,
                          help="let N processes of this machine do the work")
    parser.add_argument("-C", dest="folder", metavar="DIR", type=Path,
                        help="start in this folder: relative paths are meant from there")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    report = engine.reporter(args, _Terminal)
    if args.folder:
        _enter(args.folder)
    from metaunetr import batch

    suffixes = tuple(SUFFIXES[name] for name in args.format)
    engine.check_seg_type(args, ".dcm" if ".dcm" in suffixes else suffixes[0])
    options = batch.Options(
        output=args.output, suffixes=suffixes, seg_type=args.seg_type, organs=args.organs,
        model=args.model, device=args.device, overlap=args.overlap, precision=args.precision,
        surfaces=f".{args.surfaces}" if args.surfaces else "", table=args.statistics,
        resume=args.resume, all_series=args.all_series, identifiers=args.identifiers,
        scheduler=args.dask, workers=args.dask_local,
    )
    try:
        failed = batch.run(args.input, options, report)
    finally:
        report.close()
    return CASES_FAILED if failed else 0


def _enter(folder: Path) -> None:
    try:
        os.chdir(folder)
    except OSError as error:
        raise InputError(f"{folder}: cannot be entered: {error.strerror}") from None


class _Terminal(TerminalProgress):
    """The lines of a batch on standard output, and a bar for the case that is running.

    What is told of single windows and warnings stays in the records.
    """

    def __call__(self, event: dict[str, Any]) -> None:
        if event.get("line"):
            self.close()
            print(event["line"], flush=True)
        elif (event["event"] == "warning" and "case" in event) or event["event"] == "estimate":
            pass
        else:
            super().__call__(event)
