"""`metaunetr-training adapt`: a model learns from corrected segmentations."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from metaunetr.cli.arguments import add_command, add_json_progress, number
from metaunetr.cli.ending import end_with_stdin
from metaunetr.cli.progress import JsonProgress
from metaunetr.errors import OutputError
from metaunetr_training.cli.arguments import DEVICE

NOT_BETTER = 9  # exit code
INTERVAL = 30.0  # seconds between lines of progress without a terminal


def add_to(commands) -> None:
    parser = add_command(
        commands, "adapt", "let a model learn from the segmentations that you have corrected",
        "Trains a model on CTs in which you have corrected organs, at least three. Organs that you "
        "have not corrected stay as the model knows them. Every case is held out in turn to "
        "measure Dice and NSD before and after; the model is written only if mean Dice rises and "
        "no organ loses more than 0.02. The same command continues an interrupted run.",
        "metaunetr-training adapt corrected -o mine",
        "metaunetr-training adapt results --images studies -o mine --max-minutes 60",
    )
    parser.add_argument("cases", nargs="+", type=Path, metavar="CASES",
                        help="folders of CTs with corrected segmentations of the same names "
                             "(ct.nii.gz and ct.seg.nrrd, or DICOM in the folder ct), output "
                             "folders of `metaunetr batch`, single .seg.nrrd files of either, "
                             "or a dataset.json, which names the organs of label maps. In a "
                             ".seg.nrrd, the segments that you have drawn or changed count")
    parser.add_argument("--images", nargs="+", type=Path, default=[], metavar="PATH",
                        help="for results of `metaunetr batch`: what was its --input (default: "
                             "none)")
    parser.add_argument("-o", "--output", required=True, metavar="MODEL",
                        help="name of the new model, for your folder of models, or path of its "
                             "folder (required)")
    parser.add_argument("--from", dest="start", metavar="MODEL",
                        help="name or folder of the model to adapt (default: abdomen13-2mm)")
    parser.add_argument("--max-minutes", type=number(float, 0.01, 1e6), default=30, metavar="M",
                        help="time for everything (default: 30)")
    parser.add_argument("--keep-anyway", action="store_true",
                        help="write the model even if it is not better; its card says so")
    parser.add_argument("--device", default="auto", metavar="DEVICE", help=DEVICE)
    parser.add_argument("--dry-run", action="store_true",
                        help="only show the corrected cases, and the time and space it takes")
    add_json_progress(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.json_progress:
        end_with_stdin()
    report = JsonProgress() if args.json_progress else _Terminal()
    from metaunetr.bundle import find
    from metaunetr_training.adapt import cases
    from metaunetr_training.adapt.run import Request, adapt

    start = find(args.start)
    found = cases.find(args.cases, args.images, [organ.number for organ in start.classes],
                       lambda text: report({"event": "warning", "text": text}))
    request = Request(found, start, _folder(args.output), args.max_minutes, args.device,
                      args.keep_anyway)
    try:
        written = adapt(request, report, args.dry_run)
    finally:
        report.close()
    return 0 if written or args.dry_run else NOT_BETTER


def _folder(output: str) -> Path:
    """The folder of a model: a name without a path is one in the user's folder of models.

    Raises:
        OutputError: another model has the name, and would be hidden.
    """
    from metaunetr.bundle import available, user_folder

    path = Path(output)
    if path.name != output:
        return path.absolute()
    folder = user_folder() / path
    if available().get(output, folder) != folder:
        raise OutputError(f"{output}: is the name of the model in {available()[output]}; choose "
                          "another name")
    return folder


class _Terminal:
    """Prints lines to standard error, the result to standard output, and now and then progress."""

    def __init__(self) -> None:
        self.printed = time.monotonic()
        self.terminal = sys.stderr.isatty()

    def __call__(self, event: dict[str, Any]) -> None:
        if event["event"] == "progress":
            self._progress(event)
            return
        self.close()
        result = event["event"] == "result"
        text = event["line"] if "line" in event else f"warning: {event['text']}"
        print(text, file=sys.stdout if result else sys.stderr, flush=True)

    def close(self) -> None:
        """Clears the line of progress."""
        if self.terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def _progress(self, event: dict[str, Any]) -> None:
        from metaunetr.text import duration

        interval = 1.0 if self.terminal else INTERVAL
        if time.monotonic() - self.printed < interval:
            return
        self.printed = time.monotonic()
        text = f"{event['progress']:.0%}, {duration(event['remaining_s'])} left at most"
        print(f"\r\033[K{text}" if self.terminal else text, end="" if self.terminal else "\n",
              file=sys.stderr, flush=True)
