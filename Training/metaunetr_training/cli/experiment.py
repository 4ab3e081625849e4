"""`metaunetr-training experiment`: the paper's experiments, and what `adapt` brings."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from metaunetr.cli.arguments import add_command, number
from metaunetr.cli.batch import CASES_FAILED
from metaunetr_training.cli.arguments import DEVICE, add_changes, dataset


def add_to(commands) -> None:
    parser = add_command(
        commands, "experiment", "repeat the paper's experiments: token mixers, architectures, CKA",
        "Repeats the paper's experiments, and measures what `adapt` brings. The same command again "
        "continues an interrupted one.",
        "metaunetr-training experiment mixers --prepared prepared --output mixers",
        "metaunetr-training experiment mixers --help",
    )
    kinds = parser.add_subparsers(title="experiments", required=True, metavar="EXPERIMENT")
    _add_mixers(kinds)
    _add_figures(kinds)
    _add_cka(kinds)
    _add_adapt(kinds)


def _add_mixers(kinds) -> None:
    parser = add_command(
        kinds, "mixers", "train token mixers and architectures with one recipe",
        "Trains MetaUNETR with every token mixer and without, with four stages, and SwinUNETR and "
        "a U-Net, all with one recipe; measures costs, Dice and NSD; compares features (CKA). "
        "Writes CSV files, tables and figures.",
        "metaunetr-training experiment mixers --prepared prepared --output mixers "
        "--max-minutes 60",
        "metaunetr-training experiment mixers --recipe paper_amos --data amos:/data/AMOS22 "
        "--output amos",
    )
    parser.add_argument("--recipe", default="experiment", metavar="RECIPE",
                        help="name in Training/configs, or a YAML file (default: experiment)")
    parser.add_argument("--prepared", type=Path, metavar="DIR",
                        help="folder made by `prepare` (default: the folder `prepared` in that of "
                             "--output)")
    parser.add_argument("--data", type=dataset, action="append", default=[], metavar="KIND:DIR",
                        help="prepare this data set first: btcv, amos, abdomenct1k or general, and "
                             "its folder; can be given several times (default: none)")
    parser.add_argument("--fold", type=number(int, 0, 1000), default=0, metavar="N",
                        help="fold to hold out; its cases are the test cases unless the data have "
                             "a test set (default: 0)")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR",
                        help="folder for results and runs (required)")
    parser.add_argument("--networks", nargs="+", default=[], metavar="NAME",
                        help="train only these (default: all)")
    parser.add_argument("--seeds", type=number(int, 1, 100), default=2, metavar="N",
                        help="runs of each TriCruci mixer, of those without weights and of each "
                             "architecture; published mixers and usual sizes run once (default: 2)")
    _add_max_minutes(parser)
    _add_common(parser)
    add_changes(parser)
    parser.set_defaults(run=run_mixers)


def _add_figures(kinds) -> None:
    parser = add_command(
        kinds, "figures", "make the tables and figures again, from the CSV files",
        "Makes all tables and figures of `experiment mixers` from its CSV files alone.",
        "metaunetr-training experiment figures mixers",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder with the CSV files")
    parser.add_argument("--output", type=Path, metavar="OUT",
                        help="folder for tables and figures (default: DIR)")
    parser.set_defaults(run=run_figures)


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


def _add_adapt(kinds) -> None:
    parser = add_command(
        kinds, "adapt", "measure what `adapt` brings with a few CTs of a new source",
        "Adapts a model, as `metaunetr-training adapt` does, to a few cases of a data set that it "
        "has not seen, and measures Dice and NSD before and after: on other cases of the data set, "
        "and on cases that show what is forgotten. Once with all organs corrected, once with the "
        "three worst of each case. Writes CSV files and tables.",
        "metaunetr-training experiment adapt --from abdomen8-3mm --data general:segthor "
        "--source segthor --data general:btcv --known btcv/btcv_0023 btcv/btcv_0031 "
        "--output adapted --max-minutes 60",
    )
    parser.add_argument("--from", dest="start", required=True, metavar="MODEL",
                        help="name or folder of the model to adapt (required)")
    parser.add_argument("--data", type=dataset, action="append", required=True, metavar="KIND:DIR",
                        help="data set of the cases: btcv, amos, abdomenct1k or general, and its "
                             "folder; can be given several times (required)")
    parser.add_argument("--source", required=True, metavar="NAME",
                        help="name of the data set to adapt to, which the model must not have "
                             "seen (required)")
    parser.add_argument("--known", nargs="+", default=[], metavar="CASE",
                        help="cases of other data sets, such as btcv/btcv_0023, on which "
                             "forgetting is measured (default: none)")
    parser.add_argument("--cases", nargs="+", type=number(int, 3, 1000), default=[3, 6, 10],
                        metavar="N", help="numbers of cases to adapt to (default: 3 6 10)")
    parser.add_argument("--seeds", type=number(int, 1, 100), default=2, metavar="N",
                        help="adaptations to each number of cases; a seed draws the cases and "
                             "seeds the training (default: 2)")
    parser.add_argument("--minutes", type=number(float, 0.01, 1e6), default=20, metavar="M",
                        help="time of each adaptation (default: 20)")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR",
                        help="folder for results and models (required)")
    _add_max_minutes(parser)
    _add_common(parser)
    parser.set_defaults(run=run_adapt)


def _add_max_minutes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--max-minutes", type=number(float, 0.001, 1e6), metavar="M",
                        help="end after this many minutes, with exit code 130; the same command "
                             "goes on (default: no limit)")


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", metavar="DEVICE", help=DEVICE)


def run_mixers(args: argparse.Namespace) -> int:
    from metaunetr import extras

    extras.require("matplotlib", "scipy")
    if not args.networks or any(name.startswith(("SwinUNETR", "U-Net")) for name in args.networks):
        extras.require("monai", "einops")
    from metaunetr_training import recipe as recipes
    from metaunetr_training.experiments import figures
    from metaunetr_training.experiments.plan import plan
    from metaunetr_training.experiments.runner import run_all, setting
    from metaunetr_training.experiments.unattended import Clock, begin

    clock = Clock(args.max_minutes)
    recipe = recipes.load(args.recipe, args.changes)
    planned = plan(recipe, args.seeds, args.networks)
    prepared = _prepared(args, recipe)
    begin(args.output, setting(recipe, prepared, args.fold))
    progress = _Progress()
    try:
        failed = run_all(planned, prepared, args.fold, args.output, args.device, clock, progress)
    finally:
        progress.end()
    for path in figures.make(args.output):
        print(path)
    return CASES_FAILED if failed else 0  # here networks: the others were trained


def _prepared(args: argparse.Namespace, recipe):
    from metaunetr_training.data import prepare
    from metaunetr_training.data.datasets import dataset_cases
    from metaunetr_training.data.prepared import Prepared

    folder = (args.prepared or args.output / "prepared").resolve()
    if args.data:
        cases = [case for kind, place in args.data for case in dataset_cases(kind, place)]
        plan = prepare.plan(folder, recipe.preprocessing, cases)
        prepare.prepare(plan, _Progress.say)
    return Prepared.read(folder)


def run_figures(args: argparse.Namespace) -> None:
    from metaunetr import extras

    extras.require("matplotlib", "scipy")
    from metaunetr.outputs import make_folder
    from metaunetr_training.experiments import figures

    if args.output:
        make_folder(args.output)
    for path in figures.make(args.folder, args.output):
        print(path)


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


def run_adapt(args: argparse.Namespace) -> None:
    from metaunetr.bundle import find
    from metaunetr_training.data.datasets import dataset_cases
    from metaunetr_training.experiments import adaptation
    from metaunetr_training.experiments.unattended import Clock

    clock = Clock(args.max_minutes)
    cases = [case for kind, place in args.data for case in dataset_cases(kind, place)]
    setting = adaptation.choose(find(args.start), cases, args.source, args.known, args.cases,
                                args.minutes)
    path = adaptation.run_all(setting, args.seeds, args.output.absolute(), args.device, clock,
                              _Progress())
    print(path.read_text(encoding="utf-8"))
    print(path)


class _Progress:
    """Prints the progress of training, a line per network, and one per minibatch of CKA."""

    def __init__(self) -> None:
        from metaunetr_training.cli.train import Progress

        self.make = Progress
        self.training = Progress()

    def __call__(self, event: dict[str, Any]) -> None:
        if event["event"] == "network":
            self.training.end()
            self.say(f"{event['number']} of {event['all']}: {event['name']}")
            self.training = self.make()
        elif event["event"] == "cka":
            self.say(f"CKA: minibatch {event['done']} of {event['all']}")
        elif event["event"] == "line":
            self.say(event["text"])
        else:
            self.training(event)

    def end(self) -> None:
        self.training.end()

    @staticmethod
    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)
