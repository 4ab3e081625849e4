"""`python -m metaunetr_training` and the script `metaunetr-training`."""

from metaunetr.__main__ import run as run_process


def run() -> None:
    """Runs the command line and ends the process with its exit code."""
    from metaunetr_training.cli import parser

    run_process(parser)


if __name__ == "__main__":
    run()
