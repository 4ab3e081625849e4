"""A tiny model, a small CT, and two ways to run the command line: in this process and as one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

import metaunetr
from metaunetr.cli import main
from metaunetr.io import write_image
from tiny_bundle import small_ct, write_bundle


@pytest.fixture(autouse=True)
def signals_as_in_a_terminal():
    """A test run under nohup or in the background inherits signals that are ignored."""
    wanted = {"SIGINT": signal.default_int_handler, "SIGHUP": signal.SIG_DFL}
    numbers = {getattr(signal, name): handler for name, handler in wanted.items()
               if hasattr(signal, name)}
    previous = {number: signal.signal(number, handler) for number, handler in numbers.items()}
    yield
    for number, handler in previous.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Path:
    """The folder of a bundle with random weights."""
    return write_bundle(tmp_path_factory.mktemp("bundle") / "tiny")


@pytest.fixture
def ct(tmp_path) -> Path:
    path = tmp_path / "ct.nii.gz"
    write_image(path, small_ct())
    return path


@pytest.fixture(autouse=True)
def quiet_machine(tmp_path, monkeypatch):
    """One thread, so that threads do not wait for each other on a busy machine; no user models."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("METAUNETR_MODELS", str(tmp_path / "models"))
    monkeypatch.delenv("METAUNETR_DEBUG", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(Path(metaunetr.__file__).parents[1]))
    yield
    torch.set_num_threads(threads)


@dataclass
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture
def run(capfd) -> Callable[..., Ran]:
    """Runs the command line in this process."""
    def run(*arguments) -> Ran:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        return Ran(code, *capfd.readouterr())
    return run


@pytest.fixture
def segment(run, tiny, tmp_path) -> Callable[..., Ran]:
    """`metaunetr segment` with the tiny model, to out.nii.gz unless told otherwise."""
    def segment(path, *options) -> Ran:
        if "-o" not in options:
            options = ("-o", tmp_path / "out.nii.gz", *options)
        if "--model" not in options:
            options = ("--model", tiny, *options)
        return run("segment", path, *options)
    return segment


def start(*arguments, **options) -> subprocess.Popen:
    """`metaunetr` as a process of its own, with pipes."""
    return subprocess.Popen(
        [sys.executable, "-m", "metaunetr", *map(str, arguments)], text=True, encoding="utf-8",
        **dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE) | options,
    )


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every path below `folder`, and what the files hold."""
    return {
        os.path.relpath(path, folder): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }
