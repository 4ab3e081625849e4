#!/usr/bin/env python3
"""Sets up a virtual environment of its own and runs MetaUNETR in it; needs only Python.

    python run.py demo    segments a procedural abdominal CT and shows the result
    python run.py test    passes the tests
"""

import argparse
import os
import subprocess
import sys
import venv
import webbrowser
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
TORCH = "2.13.0"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("demo", "test"))
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="test: passed on to pytest")
    args = parser.parse_args()
    if sys.version_info < (3, 10):  # noqa: UP036 (this file alone runs on older ones)
        sys.exit(f"Python 3.10 or newer is needed; this is {sys.version.split()[0]}.")
    os.chdir(ROOT)
    try:
        return demo() if args.what == "demo" else test(args.arguments)
    except subprocess.CalledProcessError as error:
        print(f"run.py: this step failed: {' '.join(map(str, error.cmd))}", file=sys.stderr)
        return error.returncode
    except KeyboardInterrupt:
        return 130


def demo() -> int:
    """Phantom in, segmentation, statistics and report out; then Dice against the exact labels."""
    set_up("-e", ".")
    out = Path("demo")
    out.mkdir(exist_ok=True)
    metaunetr("phantom", "-o", out / "ct.nii.gz", "--labels", out / "truth.nii.gz",
              "--spacing", 1.5, 1.5, 3)
    metaunetr("segment", out / "ct.nii.gz", "-o", out / "organs.seg.nrrd",
              "--statistics", out / "organs.csv", "--report", out / "report.html")
    metaunetr("evaluate", out / "organs.seg.nrrd", out / "truth.nii.gz",
              "--organs", "spleen,kidneys,gallbladder,liver,stomach,aorta,pancreas")
    report = (ROOT / out / "report.html").as_uri()
    print(f"\nThe pictures: {report}")
    if sys.stdout.isatty():
        webbrowser.open(report)
    return 0


def test(arguments: list[str]) -> int:
    """The style check, then the tests: two processes, because many tests wait for others."""
    set_up("-e", ".[test]")
    call(PYTHON, "-m", "ruff", "check", ".")
    return subprocess.run(
        [PYTHON, "-m", "pytest", "-n", "2", "--dist", "loadfile", *arguments]).returncode


def set_up(*package: str) -> None:
    """A virtual environment with the package; torch as its CPU build where one is to be had."""
    if not (PYTHON.exists() and succeeds(PYTHON, "-m", "pip", "--version")):
        print(f"Setting up {VENV} …", flush=True)
        try:
            venv.create(VENV, with_pip=True, clear=True)
        except subprocess.CalledProcessError:
            sys.exit("Python's venv module cannot set up pip here; on Debian and Ubuntu, "
                     "install python3-venv first.")
    if not succeeds(PYTHON, "-c", "import torch"):
        print("Installing PyTorch; this takes minutes …", flush=True)
        if not succeeds(*pip(f"torch=={TORCH}+cpu")):
            call(*pip(f"torch=={TORCH}"))
    print("Installing MetaUNETR …", flush=True)
    call(*pip(*package))


def pip(*what: str) -> list:
    return [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *what]


def metaunetr(*arguments) -> None:
    print(f"\n$ metaunetr {' '.join(map(str, arguments))}", flush=True)
    call(PYTHON, "-m", "metaunetr", *map(str, arguments))


def succeeds(*command) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0


def call(*command) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    sys.exit(main())
