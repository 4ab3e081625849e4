"""What the commands that run the engine share: its options, and a start that waits for nothing."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from metaunetr.cli.arguments import number
from metaunetr.cli.progress import JsonProgress, TerminalProgress, end_with_stdin
from metaunetr.errors import OutputError
from metaunetr.image import Image


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", help="name or folder of a model (see `metaunetr models`)")
    parser.add_argument("--device", default="auto", help="auto (default), cpu, cuda, cuda:1, mps")
    parser.add_argument("--overlap", type=number(float, 0, 0.9),
                        help="of neighbouring windows, 0 to 0.9 (default: the model's)")
    parser.add_argument("--precision", default="auto",
                        help="auto (default: float16 on a GPU, bfloat16 on a CPU that has "
                             "instructions for it, else float32), float32, bfloat16, or float16 "
                             "(GPU only)")
    parser.add_argument("--json-progress", action="store_true",
                        help="one JSON object a line on standard output; the run ends when a "
                             "pipe on standard input closes")


def add_seg_type(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seg-type", choices=("binary", "labelmap"), default="binary",
                        help="of DICOM SEG: binary (default), which all programs read, or "
                             "labelmap: far smaller, and in DICOM only since 2024")


def check_seg_type(args: argparse.Namespace, suffix: str) -> None:
    """Refuse --seg-type for labels that are no DICOM SEG."""
    if args.seg_type != "binary" and suffix != ".dcm":
        raise OutputError(f"{args.output}: --seg-type {args.seg_type} is of DICOM SEG, and the "
                          f"labels are {suffix}; leave it out or choose DICOM SEG")


def reporter(args: argparse.Namespace, terminal: type[TerminalProgress] = TerminalProgress):
    """Where events go: to a program, with whose pipe the run then ends, or to a terminal."""
    if not args.json_progress:
        return terminal()
    end_with_stdin()
    return JsonProgress()


def read_while_torch_loads(read: Callable[[], Image], report) -> Image:
    """What `read` returns; importing torch takes as long as reading, so both go on at once."""
    report({"event": "stage", "stage": "read"})
    pool = ThreadPoolExecutor(1)
    loading = pool.submit(importlib.import_module, "torch")
    pool.shutdown(wait=False)
    image = read()
    report({"event": "stage", "stage": "model"})
    loading.result()
    return image
