"""Shared by the commands that run the engine: options, reporter, and loading PyTorch early."""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from metaunetr.cli.arguments import add_json_progress, number
from metaunetr.cli.ending import end_with_stdin
from metaunetr.cli.progress import JsonProgress, TerminalProgress
from metaunetr.errors import OutputError
from metaunetr.image import Image

THREADS = ("OMP_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")


def add_options(parser: argparse.ArgumentParser):
    """Add the options of the engine; returns the group of options that choose the printed form."""
    parser.add_argument("--model", metavar="MODEL",
                        help="name or folder of a model, see `metaunetr models` "
                             "(default: abdomen13-2mm)")
    parser.add_argument("--device", default="auto", metavar="DEVICE",
                        help="cpu, cuda, cuda:1 (the second GPU), mps (a Mac's GPU), or auto: "
                             "the first GPU that works, else the CPU (default: auto)")
    parser.add_argument("--threads", type=number(int, 1, 1024), metavar="N",
                        help="CPU threads of each process (default: one per core, or "
                             "OMP_NUM_THREADS)")
    parser.add_argument("--overlap", type=number(float, 0, 0.9), metavar="SHARE",
                        help="overlap of neighbouring windows as a share of their size, 0 to 0.9 "
                             "(default: the model's)")
    parser.add_argument("--precision", default="auto", metavar="TYPE",
                        help="float32, bfloat16, float16 (GPU only), or auto: float16 on a GPU, "
                             "bfloat16 on a CPU that has instructions for it, else float32 "
                             "(default: auto)")
    parser.add_argument("-v", "--verbose", action="store_true",
                        help="print each stage with the seconds since the start, and the "
                             "traceback of a bug")
    printed = parser.add_mutually_exclusive_group()
    add_json_progress(printed)
    return printed


def add_seg_type(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seg-type", choices=("binary", "labelmap"), default="binary",
                        help="kind of DICOM SEG: binary, which all programs read, or labelmap, "
                             "which is far smaller and in DICOM since 2024 (default: binary)")


def check_seg_type(args: argparse.Namespace, suffix: str) -> None:
    """Check that --seg-type is given for DICOM SEG only.

    Raises:
        OutputError: the labels have another format.
    """
    if args.seg_type != "binary" and suffix != ".dcm":
        raise OutputError(f"{args.output}: --seg-type {args.seg_type} is of DICOM SEG, and the "
                          f"labels are {suffix}; leave it out or choose DICOM SEG")


def use_threads(count: int | None) -> None:
    """Set the CPU threads of this process and its children; None keeps the default."""
    if count is None:
        return
    os.environ.update(dict.fromkeys(THREADS, str(count)))  # read when libraries are loaded
    import torch

    torch.set_num_threads(count)  # the variable alone gives at most one per core


def reporter(args: argparse.Namespace, terminal: type[TerminalProgress] = TerminalProgress):
    """A reporter for a terminal or, with --json-progress, a program: then the run ends with it."""
    if not args.json_progress:
        return terminal(args.verbose)
    end_with_stdin()
    return JsonProgress()


def read_while_torch_loads(read: Callable[[], Image], report) -> Image:
    """The result of `read`, while PyTorch is imported, which takes as long."""
    report({"event": "stage", "stage": "read"})
    pool = ThreadPoolExecutor(1)
    loading = pool.submit(importlib.import_module, "torch")
    pool.shutdown(wait=False)
    image = read()
    report({"event": "stage", "stage": "model"})
    loading.result()
    return image
