"""`metaunetr phantom`: a procedural abdominal CT with exact labels."""

from __future__ import annotations

import argparse
from pathlib import Path

from metaunetr.cli.arguments import add_command, number
from metaunetr.outputs import check_distinct, together


def add_to(commands) -> None:
    parser = add_command(
        commands, "phantom", "make a synthetic abdominal CT with exact labels",
        "Makes a synthetic abdominal CT from geometric shapes, with the exact labels of its "
        "organs, so that MetaUNETR can be tried without data of patients.",
        "metaunetr phantom -o ct.nii.gz",
        "metaunetr phantom -o ct.nii.gz --labels labels.nii.gz --seed 7 --spacing 1.5 1.5 3",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE",
                        help="the CT (required): .nii.gz, .nii, .nrrd or .mha")
    parser.add_argument("--labels", type=Path, metavar="FILE",
                        help="also write its labels, with the same organ numbers as all label "
                             "maps of MetaUNETR (default: not written)")
    parser.add_argument("--seed", type=number(int, 0, 2**32 - 1), default=0, metavar="N",
                        help="each number makes a different patient (default: 0)")
    parser.add_argument("--size", type=number(int, 8, 1024), nargs=3, metavar=("X", "Y", "Z"),
                        help="voxels along left, posterior, superior (default: by seed)")
    parser.add_argument("--spacing", type=number(float, 0.5, 20), nargs=3, metavar=("X", "Y", "Z"),
                        help="mm between voxels along the same axes (default: by seed)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    from metaunetr import io, phantom
    from metaunetr.io.formats import WRITABLE_IMAGES

    outputs = [path for path in (args.output, args.labels) if path is not None]
    check_distinct(outputs, [])
    for path in outputs:
        io.prepare_file(path, WRITABLE_IMAGES)
    made = phantom.make(
        args.seed,
        shape=tuple(args.size[::-1]) if args.size else None,
        spacing=tuple(args.spacing) if args.spacing else None,
    )
    with together() as place:
        for path, image in zip(outputs, (made.image, made.labels), strict=False):
            io.write_image(place(path), image)
    x, y, z = made.image.grid.shape[::-1]
    spacing = " × ".join(f"{s:g}" for s in made.image.grid.spacing)
    print(f"{args.output}: phantom {args.seed}, {x} × {y} × {z} voxels of {spacing} mm")
