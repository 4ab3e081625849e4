"""`metaunetr info`: what a file holds, before anything is done with it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def add_to(commands) -> None:
    parser = commands.add_parser("info", help="tell what an image or a segmentation holds")
    parser.add_argument("file", type=Path, metavar="FILE", help="image, label map or DICOM folder")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    from metaunetr.io.describe import describe

    print(json.dumps(describe(args.file), indent=1, ensure_ascii=False, default=str))
