"""`metaunetr-training phantoms`: a data set of procedural CTs with exact labels."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from metaunetr.cli.arguments import add_command, number

SPACING = (1.5, 1.5, 3.0)


def add_to(commands) -> None:
    parser = add_command(
        commands, "phantoms", "make a data set of synthetic CTs",
        "Makes a data set of synthetic abdominal CTs with exact labels, to try the pipeline "
        "without data of patients. The same command again makes only what is missing.",
        "metaunetr-training phantoms data/phantoms --count 12",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder of the data set")
    parser.add_argument("--count", type=number(int, 1, 100_000), default=30,
                        metavar="N", help="number of CTs (default: 30)")
    parser.add_argument("--first-seed", type=number(int, 0, 2**31), default=100, metavar="N",
                        help="seeds are N, N + 1, …; each is another patient (default: 100)")
    parser.add_argument("--spacing", type=number(float, 0.5, 20), nargs=3, default=SPACING,
                        metavar=("X", "Y", "Z"), help="mm between voxels along left, posterior, "
                        "superior (default: 1.5 1.5 3)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    images, labels = args.folder / "imagesTr", args.folder / "labelsTr"
    _begin(args.folder, tuple(args.spacing))
    wanted = {seed: (images / f"phantom_{seed}_0000.nii.gz", labels / f"phantom_{seed}.nii.gz")
              for seed in range(args.first_seed, args.first_seed + args.count)}
    missing = {seed: files for seed, files in wanted.items()
               if not all(file.is_file() for file in files)}
    started = time.perf_counter()
    for done, (seed, files) in enumerate(missing.items(), start=1):
        _make(seed, tuple(args.spacing), *files)
        left = (time.perf_counter() - started) / done * (len(missing) - done)
        print(f"[{done}/{len(missing)}] phantom {seed}; {left:.0f} s left", file=sys.stderr)
    print(f"{args.folder}: {len(missing)} phantoms made, {len(wanted) - len(missing)} were there")


def _begin(folder: Path, spacing: tuple[float, float, float]) -> None:
    """Makes the folders and dataset.json.

    Raises:
        OutputError: they cannot be made, or the folder holds something else.
    """
    from metaunetr import io
    from metaunetr.errors import OutputError
    from metaunetr.io.atomic import discard_abandoned
    from metaunetr.organs import ORGANS

    file = folder / "dataset.json"
    description = {
        "name": "phantoms",
        "description": "Procedural abdominal CTs of MetaUNETR: a test of pipelines, no patients.",
        "channel_names": {"0": "CT"},
        "labels": {"background": 0, **{o.name: o.number for o in ORGANS if o.number <= 13}},
        "file_ending": ".nii.gz",
        "spacing": list(spacing),
    }
    try:
        for part in (folder / "imagesTr", folder / "labelsTr"):
            part.mkdir(parents=True, exist_ok=True)
            discard_abandoned(part, now=0)
        before = json.loads(file.read_text(encoding="utf-8")) if file.exists() else description
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}") from None
    except ValueError:
        before = None
    if before != description:
        raise OutputError(f"{file}: describes another data set than phantoms of "
                          f"{' × '.join(f'{s:g}' for s in spacing)} mm; choose another folder")
    io.write_text(file, json.dumps(description, indent=1))


def _make(seed: int, spacing: tuple[float, float, float], image: Path, labels: Path) -> None:
    from metaunetr import io, phantom
    from metaunetr.outputs import together

    made = phantom.make(seed, spacing=spacing)
    with together() as place:
        for path, volume in ((image, made.image), (labels, made.labels)):
            io.write_image(place(path), volume)
