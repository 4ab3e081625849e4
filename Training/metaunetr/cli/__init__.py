"""The command line: one file a command, errors and exit codes here.

Importing this package must stay instant: commands import torch and the engine when they run.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from contextlib import suppress

from metaunetr import __version__
from metaunetr.cli import evaluate, info, models, phantom, segment
from metaunetr.errors import Cancelled, MetaUNETRError
from metaunetr.result import DISCLAIMER

EXIT_CODES = """\
exit codes:
  0    done
  1    a bug in MetaUNETR (set METAUNETR_DEBUG=1 for the traceback)
  2    the command line is wrong
  3    an input cannot be read, or is not a CT that can be segmented
  4    the model is missing, damaged, or from a newer version
  5    a result cannot be written
  6    the device cannot run the model, or memory ran out
  130  interrupted (Ctrl-C, standard input closed); 143 terminated
"""


def main(argv: list[str] | None = None) -> int:
    """Runs the command line and returns its exit code; never lets a traceback out."""
    try:
        args = parser().parse_args(argv)
    except SystemExit as stop:  # --help, --version, or a usage error that argparse has explained
        return int(stop.code or 0)
    previous = signal.signal(signal.SIGTERM, _terminate)
    try:
        return args.run(args) or 0
    except MetaUNETRError as error:
        return _fail(args, str(error), error.exit_code)
    except KeyboardInterrupt:
        return _fail(args, "Interrupted; nothing was written.", Cancelled.exit_code)
    except MemoryError:
        return _fail(args, "Not enough memory; close other programs or use a smaller image.", 6)
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Cancelled.exit_code
    except Exception as error:
        if os.environ.get("METAUNETR_DEBUG"):
            raise
        return _fail(args, f"Unexpected {type(error).__name__}: {error}. This is a bug; please "
                           "report it with the output under METAUNETR_DEBUG=1.", 1)
    finally:
        signal.signal(signal.SIGTERM, previous)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="metaunetr",
        description=f"Abdominal organs in CT. {DISCLAIMER}",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"MetaUNETR {__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in (segment, evaluate, info, models, phantom):
        command.add_to(commands)
    return top


def _fail(args: argparse.Namespace, text: str, code: int) -> int:
    text = " ".join(text.split())
    print(f"metaunetr: {text}", file=sys.stderr)
    if getattr(args, "json_progress", False):
        from metaunetr.cli.progress import JsonProgress

        with suppress(OSError):
            JsonProgress()({"event": "error", "text": text, "exit_code": code})
    return code


class _Terminated(Cancelled):
    exit_code = 143


def _terminate(signum, frame) -> None:
    raise _Terminated("Terminated; nothing was written.")
