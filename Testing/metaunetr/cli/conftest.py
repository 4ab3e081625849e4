"""A tiny model, small CTs, and two ways to run the command line: in this process and as one."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch

import metaunetr
from metaunetr.cli import main
from metaunetr.image import Image
from metaunetr.io import write_image
from tiny_bundle import card, small_ct, write_bundle


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Path:
    """The folder of a bundle with random weights."""
    return write_bundle(tmp_path_factory.mktemp("bundle") / "tiny")


@pytest.fixture(scope="session")
def slow(tmp_path_factory) -> Path:
    """The tiny model with hundreds of windows."""
    preprocessing = card()["preprocessing"] | {"spacing_mm": [3, 3, 3]}
    return write_bundle(tmp_path_factory.mktemp("bundle") / "slow",
                        preprocessing=preprocessing, overlap=0.9)


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
    """`metaunetr segment` with the tiny model, to out.nii.gz by default."""
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


def scan(path: Path, seed: int = 0) -> Path:
    """The small CT, with noise of its own."""
    ct = small_ct()
    noise = np.random.default_rng(seed).integers(-5, 6, ct.array.shape, np.int16)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, Image(ct.array + noise, ct.grid))
    return path


def series(folder: Path, name: str = "series") -> Path:
    """A DICOM series of the small CT's first 8 slices, without a frame of reference."""
    image = sitk.GetImageFromArray(small_ct().array)
    image.SetSpacing((7.5, 7.5, 5.0))
    (folder / name).mkdir(exist_ok=True)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for k in range(8):
        flat = image[:, :, k]
        tags = {"0008|0060": "CT", "0020|0032": f"0\\0\\{5 * k}", "0018|0050": "5",
                "0020|0037": "1\\0\\0\\0\\1\\0", "0020|000e": f"1.2.3.{len(name)}",
                "0020|000d": "1.2.3", "0008|0018": f"1.2.3.{len(name)}.{k + 1}"}
        for key, value in tags.items():
            flat.SetMetaData(key, value)
        writer.SetFileName(str(folder / name / f"{name}{k}.dcm"))
        writer.Execute(flat)
    return folder / name


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two CTs of one name in two folders."""
    scan(tmp_path / "in" / "a" / "ct.nii.gz", 1)
    scan(tmp_path / "in" / "b" / "ct.nrrd", 2)
    return tmp_path / "in"


@pytest.fixture(scope="module")
def once(tiny, tmp_path_factory) -> Path:
    """`folder` and its results, made once."""
    place = tmp_path_factory.mktemp("once")
    scan(place / "in" / "a" / "ct.nii.gz", 1)
    scan(place / "in" / "b" / "ct.nrrd", 2)
    assert main(["batch", "--input", str(place / "in"), "--output", str(place / "out"), "--model",
                 str(tiny), "--surfaces", "stl"]) == 0
    return place


@pytest.fixture
def finished(once, tmp_path) -> Path:
    """A copy of a finished batch, times included."""
    for name in ("in", "out"):
        shutil.copytree(once / name, tmp_path / name)
    return tmp_path / "in"


@pytest.fixture
def batch(run, tiny, tmp_path) -> Callable[..., Ran]:
    """`metaunetr batch` of the folder "in" to "out" with the tiny model."""
    def batch(*options) -> Ran:
        defaults = {"--input": tmp_path / "in", "--output": tmp_path / "out", "--model": tiny}
        given = [word for name, value in defaults.items() if name not in options
                 for word in (name, value)]
        return run("batch", *given, *options)
    return batch


OF_THE_RUN = {"run.sqlite", "run.sqlite-journal", "organs.csv", "failures.csv", "index.html"}


def made(output: Path) -> dict[str, int]:
    """Every file of the cases below the output folder with the time when it was written."""
    return {path.relative_to(output).as_posix(): path.stat().st_mtime_ns
            for path in output.rglob("*") if path.is_file() and path.name not in OF_THE_RUN}


def in_database(output: Path) -> dict[str, str]:
    """The state of each case, as run.sqlite tells it."""
    with closing(sqlite3.connect(output / "run.sqlite")) as connection:
        return dict(connection.execute("SELECT name, state FROM cases"))


def states(ran: Ran) -> dict[str, str]:
    """The last state of each case, from the lines of --json-progress."""
    events = map(json.loads, ran.out.splitlines())
    return {event["name"]: event["state"] for event in events if event["event"] == "case"}
