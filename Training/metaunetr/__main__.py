"""`python -m metaunetr` and the script `metaunetr`: the command line as a process."""

import gc
import os
import sys
from contextlib import suppress


def run(make_parser=None) -> None:
    """Runs the command line (or that of a parser) and ends the process with its exit code."""
    # Threads of the network that wait by spinning take the processor from those that they wait
    # for, once anything else runs on the machine: measured, four times as slow.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        from metaunetr.cli import main
        from metaunetr.cli.progress import SCRATCH, end_with_stdin

        if os.environ.get(SCRATCH):
            end_with_stdin()
        code = main(make_parser=make_parser)
    except KeyboardInterrupt:  # before `main` could take care of it
        code = 130
    gc.collect()  # temporary files go with the objects that hold them, also those in cycles
    with suppress(OSError, AttributeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)  # at once: a thread that still imports torch is not waited for


if __name__ == "__main__":
    run()
