#!/usr/bin/env python3
"""Sets up a virtual environment of its own and runs MetaUNETR in it; needs only Python.

    python3 run.py demo                  segments a procedural abdominal CT, shows the result
    python3 run.py test -m "not slow"    runs the tests; options are passed on to pytest
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import venv
import webbrowser
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
TORCH = "torch==2.13.0"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CPU_SIZE = "200 MB to download, 0.7 GB on the disk"
CUDA_SIZE = "up to 4 GB to download, 5 GB on the disk"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False)
    parser.add_argument("what", choices=("demo", "test"))
    parser.add_argument("--torch", metavar="cpu|cuda|SPEC", default="",
                        help="PyTorch for a new environment: its CPU build, its CUDA build, or a "
                             "requirement for pip such as torch==2.9.1 (default: cuda on Linux if "
                             "nvidia-smi finds a GPU, else cpu)")
    parser.add_argument("--torch-index", metavar="URL", default=CPU_INDEX,
                        help="package index that has the CPU build (default: %(default)s)")
    args, arguments = parser.parse_known_args()
    if arguments and args.what == "demo":
        parser.error(f"unrecognized arguments: {shlex.join(arguments)}")
    if sys.version_info < (3, 10):  # noqa: UP036 (this file alone runs on older ones)
        sys.exit(f"Python 3.10 or newer is needed; this is {sys.version.split()[0]}.")
    os.chdir(ROOT)
    try:
        set_up(args.torch, args.torch_index, "." if args.what == "demo" else ".[test]")
        return demo() if args.what == "demo" else test(arguments)
    except subprocess.CalledProcessError as error:
        print(f"run.py: this step failed: {' '.join(map(str, error.cmd))}", file=sys.stderr)
        return error.returncode
    except KeyboardInterrupt:
        return 130


def demo() -> int:
    """Phantom in, segmentation, statistics and report out; then Dice against the exact labels."""
    out = Path("demo")
    out.mkdir(exist_ok=True)
    report = (ROOT / segment_phantom(out)).as_uri()
    metaunetr("evaluate", out / "organs.seg.nrrd", out / "truth.nii.gz")
    print(f"\nThe report: {report}")
    print("It shows a phantom, made of simple shapes. The model was trained on real CTs, so it\n"
          "segments phantoms worse than real CTs, and flags many organs.")
    print("To segment a CT of yours, call:\n  "
          f"{quoted(BIN / 'metaunetr')} segment ct.nii.gz -o organs.seg.nrrd --report report.html")
    if sys.stdout.isatty():
        webbrowser.open(report)
    return 0


def segment_phantom(folder: Path) -> Path:
    """Make a phantom in `folder` and segment it; return the report page."""
    metaunetr("phantom", "-o", folder / "phantom.nii.gz", "--labels", folder / "truth.nii.gz",
              "--spacing", 1.5, 1.5, 3)
    metaunetr("segment", folder / "phantom.nii.gz", "-o", folder / "organs.seg.nrrd",
              "--statistics", folder / "organs.csv", "--report", folder / "report.html")
    return folder / "report.html"


def test(arguments: list[str]) -> int:
    """The style check, then the tests: two processes, because many tests wait for others."""
    call(PYTHON, "-m", "ruff", "check", ".")
    return subprocess.run(
        [PYTHON, "-m", "pytest", "-n", "2", "--dist", "loadfile", *arguments]).returncode


def set_up(torch: str, index: str, package: str) -> None:
    """A virtual environment with PyTorch and the package in development mode."""
    if not (PYTHON.exists() and succeeds(PYTHON, "-m", "pip", "--version")):
        print(f"Setting up {VENV} …", flush=True)
        try:
            venv.create(VENV, with_pip=True, clear=True)
        except subprocess.CalledProcessError:
            sys.exit("Python's venv module cannot set up pip here; on Debian and Ubuntu, "
                     "install python3-venv first.")
    if not succeeds(PYTHON, "-c", "import torch"):
        install_torch(torch or default_build(), index)
    elif torch:
        print(f"PyTorch is already installed; remove {VENV} to install another build.")
    print("Installing MetaUNETR …", flush=True)
    call(*pip("-e", package))


def install_torch(build: str, index: str) -> None:
    """Install a build of PyTorch: "cpu", "cuda", or what a requirement for pip names."""
    if build == "cuda" and sys.platform == "win32":  # pip's own index has only the CPU build
        sys.exit("run.py: On Windows, a CUDA build comes from an index of its own, which "
                 "https://pytorch.org/get-started names for your GPU. Name it, such as: --torch "
                 '"torch --index-url https://download.pytorch.org/whl/cu128"')
    if build == "cpu" and sys.platform != "darwin":  # macOS has one build, in pip's own index
        print(f"Installing PyTorch's CPU build ({CPU_SIZE}) from {index} …", flush=True)
        # Its dependencies come with the package, from pip's own index.
        if succeeds(*pip("--no-deps", "--retries", "1", "--timeout", "15", "--index-url", index,
                         f"{TORCH}+cpu")):
            return
        print("This index cannot be reached or has no such build.", flush=True)
    size = CUDA_SIZE if sys.platform == "linux" else CPU_SIZE
    what = shlex.split(build, posix=os.name != "nt") if build not in ("cpu", "cuda") else [TORCH]
    print(f"Installing {what[0]} ({size}) …", flush=True)
    call(*pip(*what))


def default_build() -> str:
    gpu = sys.platform == "linux" and shutil.which("nvidia-smi") and succeeds("nvidia-smi", "-L")
    return "cuda" if gpu else "cpu"


def pip(*what: str) -> list:
    return [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *what]


def metaunetr(*arguments) -> None:
    print(f"\n$ metaunetr {quoted(*arguments)}", flush=True)
    call(PYTHON, "-m", "metaunetr", *map(str, arguments))


def quoted(*words) -> str:
    return (subprocess.list2cmdline if os.name == "nt" else shlex.join)(list(map(str, words)))


def succeeds(*command) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0


def call(*command) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    sys.exit(main())
