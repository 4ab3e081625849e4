"""`metaunetr estimate`: how long `segment` will take, and how much memory it will need."""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

from metaunetr import bundle
from metaunetr.cli import engine
from metaunetr.cli.arguments import add_command, number

READ = 0.003  # seconds to read a million uncompressed voxels, measured


def add_to(commands) -> None:
    parser = add_command(
        commands, "estimate", "estimate the time and memory that `segment` will take",
        "Estimates how many seconds `metaunetr segment` will take, from start to written files, "
        "and how many MB of memory it needs. Measures the speed of this computer first, which "
        "takes a few seconds.",
        "metaunetr estimate ct.nii.gz",
        "metaunetr estimate ct.nii.gz --device cpu --threads 4 --json",
        "metaunetr estimate every_fourth_voxel.nrrd --size 512 512 150",
    )
    parser.add_argument("input", metavar="INPUT", type=Path,
                        help="the CT as for `segment`, or a coarse copy of it")
    parser.add_argument("--size", type=number(int, 1, 100_000), nargs=3, metavar=("I", "J", "K"),
                        help="size of the CT in voxels, if INPUT is a coarse copy with every n-th "
                             "voxel along each axis (default: the size of INPUT)")
    printed = engine.add_options(parser)
    printed.add_argument("--json", action="store_true",
                         help="print one JSON object: seconds, network_s, memory_mb, "
                              "windows, device")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    started = _Clock()
    engine.use_threads(args.threads)
    report = engine.reporter(args)
    try:
        labels, needs = _estimate(args, report, started)
    finally:
        report.close()
    if args.json_progress:
        report({"event": "estimate", **needs})
    elif args.json:
        print(json.dumps(needs, indent=1))
    else:
        print(f"About {needs['seconds']:.0f} s and {needs['memory_mb']} MB, for "
              f"{needs['windows']} windows on {labels[needs['device']]}.")


def _estimate(args: argparse.Namespace, report, started: _Clock) -> tuple[dict[str, str], dict]:
    """The names of the devices, and the time and memory of a run."""
    model = bundle.find(args.model)
    image = engine.read_while_torch_loads(lambda: _read(args), report)
    from metaunetr.engine import Segmenter
    from metaunetr.engine.backends import device_labels

    devices = device_labels()
    if args.json_progress:
        report({"event": "devices", "devices": [{"name": name, "label": label}
                                                for name, label in devices.items()]})
    segmenter = Segmenter(model, args.device, args.overlap, args.precision)
    seconds = started.seconds()  # a run starts in the same way
    if args.size:
        seconds += READ * math.prod(args.size) / 1e6
    needs = segmenter.estimate(image, tuple(args.size[::-1]) if args.size else None, report)
    return devices, needs | {"seconds": round(seconds + needs["seconds"], 1)}


def _read(args: argparse.Namespace):
    from metaunetr import io

    return io.read_image(args.input)


class _Clock:
    """Measures the seconds since the start of Python, as they will be in the next run.

    A first start waits for the disk; the next one finds the files in memory. So processor time
    counts where it is less.
    """

    def __init__(self) -> None:
        self.wall, self.processor = time.perf_counter(), time.process_time()

    def seconds(self) -> float:
        wall, processor = time.perf_counter() - self.wall, time.process_time() - self.processor
        return self.processor + min(wall, processor)
