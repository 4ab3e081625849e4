"""`python -m metaunetr` and the script `metaunetr`: the command line as a process."""

import gc
import os
import sys
from contextlib import suppress


def run(make_parser=None) -> None:
    """Runs the command line (or that of a parser) and ends the process with its exit code."""
    # Waiting OpenMP threads that spin take the processor from those that they wait for as soon as
    # anything else runs on the machine: measured, the network was four times as slow.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        from metaunetr.cli import main
        from metaunetr.cli.ending import SCRATCH, end_with_stdin

        if os.environ.get(SCRATCH):
            end_with_stdin()
        code = main(make_parser=make_parser)
    except KeyboardInterrupt:  # before `main` handles signals
        code = 130
    gc.collect()  # removes the temporary files of objects in reference cycles
    with suppress(OSError, AttributeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)  # at once, without waiting for a thread that still imports PyTorch


if __name__ == "__main__":
    run()
