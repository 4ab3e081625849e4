#!/usr/bin/env python3
"""Passes a selection of the tests at an end of the ranges of versions in pyproject.toml.

    python Testing/dependencies.py oldest    the lowest version that each range allows
    python Testing/dependencies.py newest    the newest that are to be had, pre-releases left out

For a schedule: makes a virtual environment of its own, removes it afterwards, prints a table of
the versions, and ends with the exit code of the tests. Needs Python 3.11 for which there are
wheels of all of them, and about 8 GB of disk where PyTorch comes with CUDA.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import tomllib

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("dicom", "training")
TOOLS = ("pytest", "pytest-timeout", "hypothesis", "hatchling")
SELECTION = (
    "Testing/metaunetr/io", "Testing/metaunetr/network/test_model.py",
    "Testing/metaunetr/engine/test_segmenter.py", "Testing/metaunetr/engine/test_geometry.py",
    "Testing/metaunetr/test_bundle.py", "Testing/metaunetr/test_guard.py",
    "Testing/metaunetr/network/test_parity.py", "Testing/metaunetr/cli/test_segment.py",
    "Testing/metaunetr/survival/test_untrusted_models.py",
    "Testing/metaunetr_training/data/test_resample.py",
    "Testing/metaunetr_training/training/test_losses.py",
    "Testing/metaunetr_training/experiments/test_baselines.py",
    "Testing/metaunetr_training/export",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("end", choices=("oldest", "newest"))
    parser.add_argument("--folder", type=Path, help="for the environment, which is then kept")
    parser.add_argument("--tests", nargs="+", default=SELECTION, help="instead of the selection")
    args = parser.parse_args()
    folder = args.folder or Path(tempfile.mkdtemp(prefix="metaunetr-dependencies-"))
    try:
        return check(args.end, folder, args.tests)
    except subprocess.CalledProcessError as error:
        print(f"This step failed: {' '.join(map(str, error.cmd))}", file=sys.stderr)
        return error.returncode
    finally:
        if not args.folder:
            shutil.rmtree(folder, ignore_errors=True)


def check(end: str, folder: Path, tests: list[str]) -> int:
    """Install one end of the ranges in `folder`, run the tests there, print the table."""
    ranges = read_ranges(ROOT / "pyproject.toml")
    python = environment(folder)
    call(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade",
         *TOOLS, *(pinned(ranges) if end == "oldest" else ranges.values()))
    begun = time.monotonic()
    environ = os.environ | {"PYTHONPATH": str(ROOT / "Training"), "PYTHONNOUSERSITE": "1"}
    tested = subprocess.run([python, "-m", "pytest", "-m", "not slow", *tests], cwd=ROOT,
                            env=environ)
    print(f"\n{'package':<16}{'range':<28}{end}")
    for name, version in versions(python, ranges).items():
        print(f"{name:<16}{ranges[name].removeprefix(name):<28}{version}")
    outcome = "passed" if tested.returncode == 0 else "FAILED"
    print(f"Python {sys.version.split()[0]}: the tests {outcome} in "
          f"{time.monotonic() - begun:.0f} s")
    return tested.returncode


def read_ranges(path: Path) -> dict[str, str]:
    """The requirements of the package and its EXTRAS in a pyproject.toml, by name."""
    project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    required = project["dependencies"] + [line for name in EXTRAS for line in extras[name]]
    return {re.match(r"[\w.-]+", line)[0]: line for line in required}


def pinned(ranges: dict[str, str]) -> list[str]:
    """Every range as its lower bound."""
    return [f"{name}=={re.search('>=([0-9.]+)', line)[1]}" for name, line in ranges.items()]


def environment(folder: Path) -> Path:
    """The Python of a virtual environment in `folder`, new unless it is there."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        call(sys.executable, "-m", "venv", folder)
    return python


def versions(python: Path, names) -> dict[str, str]:
    code = ("import json, sys; from importlib.metadata import version; "
            "print(json.dumps({name: version(name) for name in sys.argv[1:]}))")
    return json.loads(subprocess.check_output([python, "-c", code, *names]))


def call(*command) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    sys.exit(main())
