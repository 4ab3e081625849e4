"""The commands of training, one per file."""

from __future__ import annotations

from metaunetr import __version__
from metaunetr.cli.arguments import HelpFormatter, Parser
from metaunetr.result import DISCLAIMER
from metaunetr_training.cli import (
    adapt,
    compare,
    evaluate,
    experiment,
    export,
    pack,
    phantoms,
    prepare,
    pseudo_label,
    remember,
    train,
)

EXAMPLES = """\
examples:
  metaunetr-training prepare prepared --data btcv:/data/BTCV
  metaunetr-training train runs/mine --recipe fast --prepared prepared
  metaunetr-training export runs/mine -o models/mine
  metaunetr-training adapt corrected -o mine

"""
EXIT_CODES = """\
exit codes: those of `metaunetr` (0 done, 2 command line, 3 input, 4 model, 5 output, 6 device,
memory or a missing Python package, 7 some cases failed, 130 interrupted), 8: a loss or gradient
was not finite, and 9: the adapted model is not better, so it was not written
"""


def parser() -> Parser:
    """The parser of `metaunetr-training`."""
    top = Parser(
        prog="metaunetr-training",
        description="Trains and evaluates models from raw data sets, and repeats the paper's "
                    f"experiments. {DISCLAIMER}",
        epilog=EXAMPLES + EXIT_CODES,
        formatter_class=HelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"MetaUNETR {__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in (adapt, remember, phantoms, prepare, pseudo_label, pack, train, evaluate,
                    compare, export, experiment):
        command.add_to(commands)
    return top
