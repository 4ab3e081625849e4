"""The command line: one file for each command; errors and exit codes are here.

Importing this package must stay fast: commands import PyTorch and the engine when they run.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import suppress

from metaunetr import __version__, library_messages
from metaunetr.cli import batch, estimate, evaluate, info, mixers, models, phantom, segment
from metaunetr.cli.arguments import HelpFormatter, Parser
from metaunetr.cli.ending import GRACE, SignalWatcher, discard_unfinished, ending
from metaunetr.cli.progress import JsonProgress
from metaunetr.errors import BUG, Cancelled, InputError, explain
from metaunetr.result import DISCLAIMER

EXIT_CODES = """\
exit codes:
  0    done
  1    an incomplete installation, or a bug (METAUNETR_DEBUG=1 or -v shows the traceback)
  2    the command line is wrong
  3    an input cannot be read, or is not a CT that can be segmented
  4    the model is missing, damaged, or from a newer version
  5    a result cannot be written
  6    the device cannot run the model, memory ran out, or a Python package is missing
  7    cases of a batch failed; the others are done
  130  interrupted (Ctrl-C, standard input closed); 143 terminated, 129 terminal closed
"""
EXAMPLES = """\
examples:
  metaunetr segment ct.nii.gz -o organs.seg.nrrd --report report.html
  metaunetr batch --input studies --output results --resume
  metaunetr segment --help

"""


def main(
    argv: list[str] | None = None,
    make_parser: Callable[[], argparse.ArgumentParser] | None = None,
) -> int:
    """Runs the command line and returns its exit code; errors are printed as one sentence.

    Args:
        make_parser: makes the parser of other commands than those of `metaunetr`.
    """
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):  # file names may have letters that a terminal lacks
        with suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")
    try:
        args = (make_parser or parser)().parse_args(argv)
    except SystemExit as stop:  # --help, --version, or a usage error that argparse has explained
        return int(stop.code or 0)
    signals = SignalWatcher(getattr(args, "json_progress", False), getattr(args, "grace", GRACE))
    with signals, library_messages.shown():
        try:
            _check_working_folder()
            code = args.run(args) or 0
            sys.stdout.flush()  # raises BrokenPipeError when the reader has gone
            return code
        except BaseException as error:
            discard_unfinished()
            text, code = _explain(error, signals.code)
            if code == BUG and (os.environ.get("METAUNETR_DEBUG")
                                or getattr(args, "verbose", False)):
                raise
            _fail(text, code, getattr(args, "json_progress", False))
            return code


def _open_closed_streams() -> None:
    """Open standard streams that were closed (by services, pythonw, `2>&-`) to the null device.

    Each gets the lowest free descriptor, which is its own. Otherwise the next file to be opened
    would get the descriptor of standard output, and libraries would print into it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115
            os.set_inheritable(stream.fileno(), True)
            setattr(sys, name, stream)


def _check_working_folder() -> None:
    """Check that the current folder exists; without it MKL does not load.

    Raises:
        InputError: it has been deleted.
    """
    try:
        os.getcwd()
    except OSError:
        raise InputError("The current folder has been deleted; change to another one (cd) and "
                         "start again.") from None


def parser() -> Parser:
    top = Parser(
        prog="metaunetr",
        description=f"Segments abdominal organs in CT. {DISCLAIMER}",
        epilog=EXAMPLES + EXIT_CODES,
        formatter_class=HelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"MetaUNETR {__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in (segment, batch, estimate, evaluate, info, models, mixers, phantom):
        command.add_to(commands)
    return top


def _explain(error: BaseException, signalled: int) -> tuple[str, int]:
    """A sentence for the user ("" where nobody reads it), and the exit code."""
    if signalled or isinstance(error, KeyboardInterrupt):
        code = signalled or Cancelled.exit_code
        return ending(code), code
    if isinstance(error, BrokenPipeError):  # as with `| head`
        return "", Cancelled.exit_code
    return explain(error)


def _fail(text: str, code: int, json_progress: bool) -> None:
    text = " ".join(text.split())
    with suppress(OSError):
        if text:
            print(f"metaunetr: {text}", file=sys.stderr, flush=True)
    try:
        if json_progress:
            JsonProgress()({"event": "error", "text": text, "exit_code": code})
        sys.stdout.flush()
    except BrokenPipeError:  # otherwise Python reports it again when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
