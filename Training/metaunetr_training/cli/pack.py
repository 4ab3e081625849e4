"""`metaunetr-training pack` and `unpack`: prepared cases as one small file, and back."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from metaunetr.cli.arguments import add_command, number


def add_to(commands) -> None:
    pack = add_command(
        commands, "pack", "write prepared cases into one small file, for another machine",
        "Writes prepared cases into one compressed file, those that annotate most organs first, "
        "with 64 grey levels over the HU window. Training from the unpacked folder needs PyTorch, "
        "NumPy, SciPy, PyYAML and safetensors.",
        "metaunetr-training pack prepared prepared.pack --max-mb 200",
    )
    pack.add_argument("prepared", metavar="DIR", type=Path, help="folder made by `prepare`")
    pack.add_argument("file", metavar="FILE", type=Path, help="the file to write")
    pack.add_argument("--max-mb", type=number(float, 0.001, 1e6), default=55, metavar="MB",
                      help="largest size of the file in MB; cases that do not fit are left out "
                           "(default: 55)")
    pack.set_defaults(run=run_pack)
    unpack = add_command(
        commands, "unpack", "restore prepared cases from a file written by `pack`",
        "Restores the prepared folder from a file written by `pack`.",
        "metaunetr-training unpack prepared.pack prepared",
    )
    unpack.add_argument("file", metavar="FILE", type=Path, help="file made by `pack`")
    unpack.add_argument("folder", metavar="DIR", type=Path, help="the prepared folder to make")
    unpack.set_defaults(run=run_unpack)


def run_pack(args: argparse.Namespace) -> None:
    from metaunetr_training.data.pack import pack
    from metaunetr_training.data.prepared import Prepared

    packed = pack(Prepared.read(args.prepared), args.file, 1e6 * args.max_mb,
                  lambda line: print(line, file=sys.stderr, flush=True))
    print(f"{args.file}: {len(packed.cases)} cases, {packed.size / 1e6:.1f} MB; "
          f"{len(packed.left_out)} left out")


def run_unpack(args: argparse.Namespace) -> None:
    from metaunetr_training.data.pack import unpack

    print(f"{args.folder}: {len(unpack(args.file, args.folder).cases)} cases")
