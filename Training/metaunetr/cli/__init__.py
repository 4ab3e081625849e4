"""The command line: one file a command, errors and exit codes here.

Importing this package must stay instant: commands import torch and the engine when they run.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from metaunetr import __version__, library_messages
from metaunetr.cli import batch, estimate, evaluate, info, mixers, models, phantom, segment
from metaunetr.cli.arguments import HelpFormatter
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
GRACE = 0.8  # seconds that a signalled process has to end by itself


def main(
    argv: list[str] | None = None,
    make_parser: Callable[[], argparse.ArgumentParser] | None = None,
) -> int:
    """Runs the command line and returns its exit code; never lets a traceback out.

    Args:
        make_parser: of other commands than `metaunetr`'s; what they return is the exit code.
    """
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):  # a name that the terminal cannot show is no error
        with suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")
    try:
        args = (make_parser or parser)().parse_args(argv)
    except SystemExit as stop:  # --help, --version, or a usage error that argparse has explained
        return int(stop.code or 0)
    signals = _Signals(getattr(args, "json_progress", False))
    with signals, library_messages.shown():
        try:
            _check_working_folder()
            code = args.run(args) or 0
            sys.stdout.flush()  # a reader that has gone is noticed here
            return code
        except BaseException as error:
            from metaunetr.io.atomic import discard_unfinished  # not before it is needed: slow

            discard_unfinished()
            text, code = _explain(error, signals.code)
            if code == BUG and (os.environ.get("METAUNETR_DEBUG")
                                or getattr(args, "verbose", False)):
                raise
            _fail(text, code, getattr(args, "json_progress", False))
            return code


def _open_closed_streams() -> None:
    """Standard streams that were closed (by services, pythonw, `2>&-`) lead to the null device.

    Each takes the lowest free number, which is its own: else the next file that is opened would
    have the number of standard output, and what libraries print would get into it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115
            os.set_inheritable(stream.fileno(), True)
            setattr(sys, name, stream)


def _check_working_folder() -> None:
    """Refuse to run in a folder that is gone: relative paths mean nothing, and MKL does not load.

    Raises:
        InputError: it is gone.
    """
    try:
        os.getcwd()
    except OSError:
        raise InputError("The current folder has been deleted; change to another one (cd) and "
                         "start again.") from None


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
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


class _Signals:
    """Within, signals that end a process raise KeyboardInterrupt, unless they are ignored.

    Python raises between two of its instructions, and one of them may be a convolution of
    seconds. So a thread ends the process when it has not ended by itself after GRACE.

    Attributes:
        code: the exit code that stands for the signal that came, 0 for none. It is kept here
            because libraries turn the exception into others, such as ImportError.
    """

    code = 0

    def __init__(self, json_progress: bool) -> None:
        self.json_progress = json_progress
        self.left = threading.Event()

    def __enter__(self) -> _Signals:
        self.previous, self.pipe = {}, None
        if threading.current_thread() is threading.main_thread():
            for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):  # each where it exists
                number = getattr(signal, name, None)
                if number and signal.getsignal(number) != signal.SIG_IGN:  # as nohup wants it
                    self.previous[number] = signal.signal(number, self._stop)
            reader, self.pipe = os.pipe()
            if os.name != "nt":
                os.set_blocking(self.pipe, False)
            signal.set_wakeup_fd(self.pipe, warn_on_full_buffer=False)
            threading.Thread(target=self._insist, args=(reader,), daemon=True).start()
        return self

    def __exit__(self, *error) -> None:
        self.left.set()
        if self.pipe is not None:
            signal.set_wakeup_fd(-1)
            os.close(self.pipe)
        for number, handler in self.previous.items():
            signal.signal(number, handler)

    def _stop(self, number: int, frame) -> None:
        self.code = 128 + number
        raise KeyboardInterrupt

    def _insist(self, pipe: int) -> None:
        with open(pipe, "rb", buffering=0) as signals:
            while number := signals.read(1):  # until the other end is closed
                if number[0] in self.previous and not self.left.wait(GRACE):
                    self._end(128 + number[0])

    def _end(self, code: int) -> None:
        if atomic := sys.modules.get("metaunetr.io.atomic"):
            atomic.discard_unfinished()
        text, _ = _explain(KeyboardInterrupt(), code)
        event = json.dumps({"event": "error", "text": text, "exit_code": code})
        with suppress(OSError):  # not through sys.stdout: the main thread may hold its lock
            os.write(2, f"metaunetr: {text}\n".encode())
            if self.json_progress:
                os.write(1, f"{event}\n".encode())
        os._exit(code)


def _explain(error: BaseException, signalled: int) -> tuple[str, int]:
    """A sentence for the user ("" where nobody reads it), and the exit code."""
    if signalled or isinstance(error, KeyboardInterrupt):
        how = "Interrupted" if signalled in (0, Cancelled.exit_code) else "Terminated"
        return f"{how}; unfinished files were removed.", signalled or Cancelled.exit_code
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
            from metaunetr.cli.progress import JsonProgress

            JsonProgress()({"event": "error", "text": text, "exit_code": code})
        sys.stdout.flush()
    except BrokenPipeError:  # else Python would complain of it once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
