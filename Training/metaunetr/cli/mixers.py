"""`metaunetr mixers`: the token mixers of the network, and their cost."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from metaunetr.cli.arguments import add_command, number

if TYPE_CHECKING:
    from metaunetr.network.registry import Mixer

SIZES = ("efficient", "light", "published")  # of metaunetr.network.sizes, which imports torch


def add_to(commands) -> None:
    parser = add_command(
        commands, "mixers", "list the token mixers of the network, and measure their cost",
        "Lists the token mixers that a network can be built and trained with. With --measure, "
        "also measures each one in a network with random weights: parameters, billions of "
        "floating-point operations (GFLOPs), and seconds for one window of 96 × 96 × 96 voxels "
        "on this computer's CPU in float32. Measuring all of them takes minutes.",
        "metaunetr mixers",
        "metaunetr mixers tricruci_convolution tricruci_self_attention --measure",
        "metaunetr mixers --measure --size published --feature-size 48 --json",
    )
    parser.add_argument("names", metavar="MIXER", nargs="*", help="list only these (default: all)")
    parser.add_argument("--measure", action="store_true",
                        help="measure parameters, GFLOPs and seconds")
    parser.add_argument("--size", choices=SIZES, default="efficient",
                        help="size of the measured network (default: efficient)")
    parser.add_argument("--feature-size", type=number(int, 1, 1024), default=24, metavar="F",
                        help="channels of the measured network at half resolution (default: 24)")
    parser.add_argument("--json", action="store_true",
                        help="print a list of JSON objects instead of a table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    from metaunetr.network import mixer, mixers

    chosen = [mixer(name) for name in dict.fromkeys(args.names)] or mixers()
    if args.json:
        print(json.dumps([describe(each, args) for each in chosen], indent=1, ensure_ascii=False))
        return
    columns = ""
    if args.measure:
        print(f"{args.size} size, {args.feature_size} channels at half resolution, 96 × 96 × 96 "
              "voxels, float32 on this CPU")
        columns = f"{'parameters':>12}{'GFLOPs':>9}{'seconds':>9}  "
    print(f"{'mixer':<30}{columns}what it is")
    for each in chosen:
        row = describe(each, args)
        if args.measure:
            columns = (f"{row['parameters'] / 1e6:>10.2f} M{row['gflops']:>9.1f}"
                       f"{row['seconds']:>9.2f}  ")
        print(f"{row['name']:<30}{columns}{row['summary']}", flush=True)


def describe(mixer: Mixer, args: argparse.Namespace) -> dict[str, Any]:
    """Name and summary, and with --measure the cost."""
    facts = {"name": mixer.name, "summary": mixer.summary}
    if args.measure:
        from metaunetr.network import catalogue

        (row,) = catalogue(args.size, args.feature_size, names=[mixer.name], latency=True)
        facts |= {"parameters": row.parameters, "gflops": round(row.gflops, 3),
                  "seconds": round(row.latency, 3)}
    return facts
