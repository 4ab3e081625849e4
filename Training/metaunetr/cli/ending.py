"""Ends the process when a signal comes, or when the calling program has gone.

Python handles signals between two of its instructions, and one of these may be a convolution or an
import of seconds. So threads watch the signals and standard input, and end the process themselves
if need be. However a process ends, its unfinished files are removed, and the cases of a batch that
it worked on wait again.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import sys
import threading
from contextlib import suppress

from metaunetr.errors import Cancelled

SCRATCH = "METAUNETR_SCRATCH"  # folder of the calling program, removed when that program has gone
GRACE = 0.8  # seconds that a signalled process has to end by itself
GRACE_OF_BATCH = 5.0  # it finishes reading and writing, and writes the tables and the page
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # each where it exists


class SignalWatcher:
    """Within, signals that end a process raise KeyboardInterrupt, unless they are ignored.

    When the process has not ended by itself after `grace` seconds, a thread ends it.

    Args:
        json_progress: report the end as a JSON event as well.

    Attributes:
        code: the exit code that stands for the signal that came, 0 for none. It is kept because
            libraries turn KeyboardInterrupt into other exceptions, such as ImportError.
    """

    code = 0

    def __init__(self, json_progress: bool, grace: float = GRACE) -> None:
        self.json_progress, self.grace = json_progress, grace
        self.left = threading.Event()

    def __enter__(self) -> SignalWatcher:
        self.previous, self.pipe = {}, None
        if threading.current_thread() is threading.main_thread():
            for name in SIGNALS:
                number = getattr(signal, name, None)
                if number and signal.getsignal(number) != signal.SIG_IGN:  # as nohup sets it
                    self.previous[number] = signal.signal(number, self._interrupt)
            reader, self.pipe = os.pipe()
            if os.name != "nt":
                os.set_blocking(self.pipe, False)
            signal.set_wakeup_fd(self.pipe, warn_on_full_buffer=False)
            threading.Thread(target=self._watch, args=(reader,), daemon=True).start()
        return self

    def __exit__(self, *error) -> None:
        self.left.set()
        if self.pipe is not None:
            signal.set_wakeup_fd(-1)
            os.close(self.pipe)
        for number, handler in self.previous.items():
            signal.signal(number, handler)

    def _interrupt(self, number: int, frame) -> None:
        self.code = 128 + number
        raise KeyboardInterrupt

    def _watch(self, pipe: int) -> None:
        with open(pipe, "rb", buffering=0) as signals:
            while number := signals.read(1):  # until the other end is closed
                if number[0] in self.previous and not self.left.wait(self.grace):
                    self._end(128 + number[0])

    def _end(self, code: int) -> None:
        _clean_up()
        text = ending(code)
        event = json.dumps({"event": "error", "text": text, "exit_code": code})
        with suppress(OSError):  # not through sys.stdout: the main thread may hold its lock
            os.write(2, f"metaunetr: {text}\n".encode())
            if self.json_progress:
                os.write(1, f"{event}\n".encode())
        os._exit(code)


def end_with_stdin() -> None:
    """End the process at once when the pipe on standard input closes: its parent has gone.

    A launcher that is killed leaves its child alive, but the pipe between them closes. Where
    standard input is no pipe (a terminal, /dev/null, none), nobody holds its other end.
    """
    with suppress(AttributeError, OSError, ValueError):
        descriptor = sys.stdin.fileno()
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            threading.Thread(target=_watch_stdin, args=(descriptor,), daemon=True).start()


def _watch_stdin(descriptor: int) -> None:
    with suppress(OSError):
        while os.read(descriptor, 4096):  # not sys.stdin, whose lock Python needs when it ends
            pass
    _clean_up()
    if folder := os.environ.get(SCRATCH):
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(Cancelled.exit_code)


def discard_unfinished() -> None:
    """Remove the temporary files of this process."""
    _call("metaunetr.io.atomic", "discard_unfinished")


def _clean_up() -> None:
    """Do before `os._exit` what the main thread does not do any more."""
    discard_unfinished()
    _call("metaunetr.batch.run_database", "cancel_running")


def _call(module: str, name: str) -> None:
    """Call a function of a module, unless the module has not been imported.

    There is nothing to clean up then, and a thread must not wait for an import of the main thread.
    """
    if function := getattr(sys.modules.get(module), name, None):
        function()


def ending(code: int) -> str:
    """A sentence for the user about a run that ended with a signal's exit code."""
    how = "Interrupted" if code == Cancelled.exit_code else "Terminated"
    return f"{how}; unfinished files were removed."
