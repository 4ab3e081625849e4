"""`metaunetr`, run in forks of a process that has loaded it already: 200 runs in minutes.

Lines of JSON on standard input: {"arguments": [...], "fault": null or {...}, "errors": path for
standard error}; the number of the new process on standard output, and when it has ended, its
exit status.
"""

from __future__ import annotations

import builtins
import io
import json
import os
import signal
import sys


def main() -> None:
    import torch

    import metaunetr.engine
    import metaunetr.report  # noqa: F401
    from metaunetr import cli

    torch.set_num_threads(1)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            run(asked, cli.main)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def run(asked: dict, command) -> None:
    code = 99
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(os.open(asked["errors"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        if asked["fault"]:
            inject(**asked["fault"])
        code = command(asked["arguments"])
    finally:
        os._exit(code)


def inject(where: str, at: int, number: int, folder: str) -> None:
    """Make a call fail, as it does on a full disk, a locked one or one that breaks.

    Args:
        where: "open", "fsync" or "replace"; "size" limits the size of files, for libraries as well.
        at: which call of those fails, from 0; of "size" the bytes.
        number: the errno.
        folder: other files are opened as ever.
    """
    if where == "size":
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (at, at))
        return
    calls = iter(range(1 << 30))

    def failing(function):
        def call(*arguments, **options):
            ours = where != "open" or str(arguments[0]).startswith(folder)
            if ours and next(calls) == at:
                raise OSError(number, os.strerror(number), str(arguments[0]))
            return function(*arguments, **options)
        return call

    if where == "open":
        builtins.open = io.open = failing(open)
    else:
        setattr(os, where, failing(getattr(os, where)))


if __name__ == "__main__":
    main()
