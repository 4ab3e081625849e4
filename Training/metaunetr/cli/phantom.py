"""`metaunetr phantom`: a procedural abdominal CT with exact labels."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_to(commands) -> None:
    parser = commands.add_parser("phantom", help="make a procedural abdominal CT with exact labels")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the CT: .nii.gz, .nrrd …")
    parser.add_argument("--labels", type=Path, help="also write its labels (organ numbers)")
    parser.add_argument("--seed", type=int, default=0, help="each is another patient (default 0)")
    parser.add_argument("--size", type=int, nargs=3, metavar=("X", "Y", "Z"),
                        help="voxels along left, posterior, superior (default: as the seed has it)")
    parser.add_argument("--spacing", type=float, nargs=3, metavar=("X", "Y", "Z"),
                        help="mm along the same axes")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    from metaunetr import io, phantom

    for path in filter(None, (args.output, args.labels)):
        io.prepare_file(path)
    made = phantom.make(
        args.seed,
        shape=tuple(args.size[::-1]) if args.size else None,
        spacing=tuple(args.spacing) if args.spacing else None,
    )
    io.write_image(args.output, made.image)
    if args.labels:
        io.write_image(args.labels, made.labels)
    x, y, z = made.image.grid.shape[::-1]
    spacing = " × ".join(f"{s:g}" for s in made.image.grid.spacing)
    print(f"{args.output}: phantom {args.seed}, {x} × {y} × {z} voxels of {spacing} mm")
