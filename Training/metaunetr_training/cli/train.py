"""`metaunetr-training train`: trains a network, or continues a run."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from metaunetr.cli.arguments import add_command, number
from metaunetr_training.cli.arguments import DEVICE, add_changes, fold

INTERVAL = 30.0  # seconds between lines without a terminal


def add_to(commands) -> None:
    parser = add_command(
        commands, "train", "train a network, or continue an interrupted run",
        "Trains a network; checkpoints and record go into the folder of the run. The same command, "
        "or only the folder, continues an interrupted run.",
        "metaunetr-training train runs/group --recipe fast --prepared prepared",
        "metaunetr-training train runs/group",
        "torchrun --nproc-per-node 4 -m metaunetr_training train runs/group --recipe fast "
        "--prepared prepared",
    )
    parser.add_argument("folder", metavar="RUN", type=Path, help="folder of the run")
    parser.add_argument("--recipe", metavar="RECIPE",
                        help="name in Training/configs, or a YAML file (default: that of the run "
                             "to continue)")
    parser.add_argument("--prepared", type=Path, metavar="DIR",
                        help="folder made by `prepare` (default: that of the run to continue)")
    parser.add_argument("--fold", type=fold, metavar="N",
                        help="fold to hold out, or none to train on all cases (default: 0)")
    parser.add_argument("--from", dest="start", metavar="MODEL",
                        help="fine-tune this model: its network, preprocessing and organs, and the "
                             "organs that the recipe adds (default: random weights)")
    parser.add_argument("--max-minutes", type=number(float, 0.01, 1e6), metavar="M",
                        help="end training and its learning-rate schedule after this many minutes "
                             "(default: the recipe's)")
    add_changes(parser)
    parser.add_argument("--device", default="auto", metavar="DEVICE", help=DEVICE)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    from metaunetr.bundle import find
    from metaunetr.errors import InputError
    from metaunetr_training import recipe as recipes
    from metaunetr_training.data.prepared import Prepared
    from metaunetr_training.training.distributed import process_group
    from metaunetr_training.training.finetune import fine_tuning_recipe
    from metaunetr_training.training.loop import train
    from metaunetr_training.training.run import Run

    start = find(args.start) if args.start else None
    if args.recipe is None and args.prepared is None:
        if args.changes or args.max_minutes is not None or args.fold is not None:
            raise InputError("--set, --max-minutes and --fold need --recipe and --prepared: with "
                             "nothing but its folder, a run goes on as it was begun")
        old = Run.open(args.folder)
        recipe, prepared, fold = old.recipe, old.prepared, old.fold
    elif args.recipe and args.prepared:
        changes = list(args.changes)
        if args.max_minutes is not None:
            changes.append(f"training.max_minutes={args.max_minutes}")
        recipe, prepared = recipes.load(args.recipe, changes), args.prepared
        fold = 0 if args.fold is None else args.fold
        if start is not None:
            recipe = recipes.changed(fine_tuning_recipe(recipe, start), changes)
    else:
        raise InputError("a new run needs both --recipe and --prepared; neither goes on with "
                         "the run in the folder")
    cases = Prepared.read(prepared.resolve())
    with process_group(args.device) as group:
        progress = Progress()
        record = train(recipe, cases, fold, args.folder, start, args.device, progress).record
        progress.end()
    if group.is_main:
        held_out = record.get("validation")
        dice = (f"Dice {held_out['mean_dice']} on {len(held_out['cases'])} held-out cases at the "
                "model spacing" if held_out else "no case held out")
        print(f"{args.folder}: {record['iterations']} iterations in {record['minutes']:.0f} "
              f"minutes, {dice}")


class Progress:
    """A progress bar with loss and remaining time on a terminal, else a line every INTERVAL."""

    def __init__(self) -> None:
        self.terminal = sys.stderr.isatty()
        if self.terminal:
            from tqdm import tqdm

            self.bar = tqdm(total=100, unit="%", dynamic_ncols=True,
                            bar_format="{desc} {percentage:3.0f}%|{bar}| {postfix}")
        self.printed = -INTERVAL
        self.loss = float("nan")
        self.waited = self.seconds = 0.0
        self.steps = 0

    def __call__(self, event: dict[str, Any]) -> None:
        if event["event"] == "train":
            self._step(event)
        elif event["event"] == "validation":
            self._say(f"iteration {event['iteration']}: Dice {event['mean']:.3f} on "
                      f"{event['cases']} held-out cases at the model spacing")
        else:
            self._say(event["text"])

    def end(self) -> None:
        if self.terminal:
            self.bar.close()

    def _step(self, event: dict[str, Any]) -> None:
        self.loss = event["total"] if self.loss != self.loss \
            else 0.95 * self.loss + 0.05 * event["total"]
        self.waited += event["waited"]
        self.seconds += event["seconds"]
        self.steps += 1
        text = (f"loss {self.loss:.3f}, {self.seconds / self.steps:.2f} s a step, "
                f"{100 * self.waited / self.seconds:.0f}% waiting for data, "
                f"{_remaining(event['remaining_s'])} left")
        if self.terminal:
            self.bar.set_description(f"iteration {event['iteration']}")
            self.bar.set_postfix_str(text, refresh=False)
            self.bar.n = round(100 * event["progress"])
            self.bar.refresh()
        elif time.monotonic() - self.printed > INTERVAL:
            self.printed = time.monotonic()
            self._say(f"iteration {event['iteration']}: {text}")

    def _say(self, text: str) -> None:
        if self.terminal:
            self.bar.write(text, file=sys.stderr)
        else:
            print(text, file=sys.stderr, flush=True)


def _remaining(seconds: float) -> str:
    from metaunetr.text import duration

    return "unknown time" if seconds == float("inf") else duration(seconds)
