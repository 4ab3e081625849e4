"""`metaunetr-training experiment`: the paper's experiments."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from metaunetr.cli.arguments import add_command, number
from metaunetr.cli.batch import CASES_FAILED
from metaunetr_training.cli.arguments import DEVICE, add_changes


def add_to(commands) -> None:
    parser = add_command(
        commands, "experiment", "repeat the paper's experiments: token mixers, stages, CKA",
        "Repeats the paper's experiments. The same command again continues an interrupted one.",
        "metaunetr-training experiment mixers --recipe fast --prepared prepared --output mixers",
        "metaunetr-training experiment mixers --help",
    )
    kinds = parser.add_subparsers(title="experiments", required=True, metavar="EXPERIMENT")
    mixers = add_command(
        kinds, "mixers", "train every token mixer with one recipe; table and curves",
        "Trains a network with every token mixer, all with one recipe, and writes a table of "
        "accuracy and cost and the learning curves.",
        "metaunetr-training experiment mixers --recipe fast --prepared prepared --output mixers",
        "metaunetr-training experiment mixers --recipe fast --prepared prepared --output mixers "
        "--mixers pooling tricruci_convolution --minutes 30",
    )
    _add_training(mixers)
    mixers.add_argument("--mixers", nargs="+", default=[], metavar="NAME",
                        help="train only these, see `metaunetr mixers` (default: all)")
    mixers.set_defaults(run=run_mixers)
    stages = add_command(
        kinds, "stages", "train four stages with a bottleneck and three without; table and curves",
        "Trains a network of four stages with a bottleneck and one of three stages without, both "
        "with one recipe, and writes a table of accuracy and cost and the learning curves.",
        "metaunetr-training experiment stages --recipe fast --prepared prepared --output stages",
    )
    _add_training(stages)
    stages.set_defaults(run=run_stages)
    _add_cka(kinds)


def _add_training(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", required=True, metavar="RECIPE",
                        help="name in Training/configs, or a YAML file (required)")
    parser.add_argument("--prepared", type=Path, required=True, metavar="DIR",
                        help="folder made by `prepare` (required)")
    parser.add_argument("--fold", type=number(int, 0, 1000), default=0, metavar="N",
                        help="fold to hold out (default: 0)")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR",
                        help="folder for the tables, the plot and a run of each network (required)")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--minutes", type=number(float, 0.01, 1e6), metavar="M",
                        help="minutes of training for each network (default: the recipe's budget)")
    budget.add_argument("--iterations", type=number(int, 1, 10**9), metavar="N",
                        help="iterations of training for each network (default: the recipe's "
                             "budget)")
    parser.add_argument("--baselines", action="store_true",
                        help="train SwinUNETR and nnU-Net's plain U-Net as well")
    _add_common(parser)
    add_changes(parser)


def _add_cka(kinds) -> None:
    parser = add_command(
        kinds, "cka", "compare the features of trained networks, level by level",
        "Computes minibatch CKA within each network, and of the first with each of the others. As "
        "in the paper: first the run with self-attention, then the other mixers.",
        "metaunetr-training experiment cka runs/self_attention runs/convolution --output cka",
    )
    parser.add_argument("runs", metavar="RUN", type=Path, nargs="+", help="folders of `train`")
    parser.add_argument("--prepared", type=Path, metavar="DIR",
                        help="folder made by `prepare` (default: that of the first run)")
    parser.add_argument("--patches", type=number(int, 4, 10**6), default=64, metavar="N",
                        help="number of patches of held-out cases (default: 64)")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR",
                        help="folder for the heat maps and the CSV file (required)")
    _add_common(parser)
    parser.set_defaults(run=run_cka)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", metavar="DEVICE", help=DEVICE)


def run_mixers(args: argparse.Namespace) -> int:
    from metaunetr_training.experiments.mixers import compare_mixers

    return _train(args, compare_mixers, names=args.mixers)


def run_stages(args: argparse.Namespace) -> int:
    from metaunetr_training.experiments.stages import compare_stages

    return _train(args, compare_stages)


def _train(args: argparse.Namespace, compare, **more) -> int:
    from metaunetr import extras

    extras.require("matplotlib", *["monai", "einops"] * args.baselines)
    from metaunetr_training import recipe as recipes
    from metaunetr_training.data.prepared import Prepared
    from metaunetr_training.experiments.variants import with_budget

    recipe = with_budget(recipes.load(args.recipe, args.changes), args.minutes, args.iterations)
    prepared = Prepared.read(args.prepared.resolve())
    progress = _Progress()
    rows = compare(recipe, prepared, args.fold, args.output, baselines=args.baselines,
                   device=args.device, report=progress, **more)
    progress.end()
    for row in rows:
        print(f"{row.name}: Dice {row.dice:.3f}, {row.costs.parameters / 1e6:.2f} M parameters")
    if rows:
        print(f"{args.output / 'table.md'}, table.csv, dice.png")
    return CASES_FAILED if progress.failed else 0  # here networks: the others were trained


def run_cka(args: argparse.Namespace) -> None:
    from metaunetr import extras

    extras.require("matplotlib")
    from metaunetr_training.data.prepared import Prepared
    from metaunetr_training.experiments.similarity import compare
    from metaunetr_training.training.run import Run

    runs = [Run.open(folder) for folder in args.runs]
    prepared = Prepared.read((args.prepared or runs[0].prepared).resolve())
    progress = _Progress()
    compare(runs, prepared, args.patches, args.output, args.device, progress)
    progress.end()
    print(f"{args.output}: heat maps and cka.csv")


class _Progress:
    """Prints the progress of training, a line per variant, and one per minibatch of CKA."""

    def __init__(self) -> None:
        from metaunetr_training.cli.train import Progress

        self.make = Progress
        self.training = Progress()
        self.failed = False

    def __call__(self, event: dict[str, Any]) -> None:
        if event["event"] == "variant":
            self.training.end()
            self._say(f"{event['number']} of {event['all']}: {event['name']}")
            self.training = self.make()
        elif event["event"] == "cka":
            self._say(f"minibatch {event['done']} of {event['all']}")
        else:
            self.failed = self.failed or event["event"] == "failed"
            self.training(event)

    def end(self) -> None:
        self.training.end()

    @staticmethod
    def _say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)
