"""`metaunetr models`: the bundles that can be used, and what each token mixer costs."""

from __future__ import annotations

import argparse

from metaunetr.errors import BundleError
from metaunetr.result import DISCLAIMER


def add_to(commands) -> None:
    parser = commands.add_parser(
        "models", help="list the models, and the token mixers with parameters, GFLOPs and latency"
    )
    parser.add_argument("--size", choices=("efficient", "light", "published"), default="efficient",
                        help="of the network for the table of mixers (default efficient)")
    parser.add_argument("--feature-size", type=int, default=24, metavar="F",
                        help="channels at half resolution (default 24)")
    parser.add_argument("--quick", action="store_true", help="leave out measuring latency")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    list_bundles()
    list_mixers(args)


def list_bundles() -> None:
    from metaunetr import bundle

    for name, folder in bundle.available().items():
        try:
            model = bundle.load(folder)
        except BundleError as error:
            print(f"{name}: cannot be used: {error}\n")
            continue
        spacing = " × ".join(f"{s:g}" for s in model.preprocessing.spacing)
        print(f"{name}: {model.card.get('title', model.card.get('task', ''))}\n"
              f"  organs   {', '.join(organ.name for organ in model.classes)}\n"
              f"  spacing  {spacing} mm\n"
              f"  use      {model.card.get('intended_use', DISCLAIMER)}\n"
              f"  data     {model.card.get('data_licence', 'not stated')}\n"
              f"  folder   {folder}\n")


def list_mixers(args: argparse.Namespace) -> None:
    from metaunetr.network.catalogue import catalogue
    from metaunetr.network.registry import mixers

    print(f"Token mixers, {args.size} size, f = {args.feature_size}, 96³ voxels, fp32 on this CPU:")
    print(f"{'mixer':<30}{'parameters':>12}{'GFLOPs':>9}{'seconds':>9}  what it is")
    for mixer in mixers():
        (row,) = catalogue(args.size, args.feature_size, names=[mixer.name],
                           latency=not args.quick)
        seconds = "–" if row.latency is None else f"{row.latency:.2f}"
        print(f"{row.mixer:<30}{row.parameters / 1e6:>10.2f} M{row.gflops:>9.1f}{seconds:>9}  "
              f"{row.summary}", flush=True)
