"""Hundreds of cases with all kinds of faults: none is lost or done twice, all are reported."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import metaunetr
from metaunetr import phantom
from metaunetr.image import Image
from metaunetr.io import read_labels, write_image
from metaunetr.io.atomic import PREFIX
from tiny_bundle import LABELS, small_ct, write_bundle

CASES = 500  # of the long form
SIZES = (64, 96, 128)
FAULTS = """
import errno, sys
from metaunetr import io
from metaunetr.batch import case_steps
from metaunetr.cli import main

segment, write_labels = case_steps.segment, io.write_labels

def out_of_memory(engine, loaded, *options):
    if "memory" in loaded.case.name:
        raise MemoryError
    return segment(engine, loaded, *options)

def full_disk(path, result, *options):
    write_labels(path, result, *options)
    if "full" in result.labels.source.name:
        with open(path, "r+b") as file:
            file.truncate(100)
        raise OSError(errno.ENOSPC, "No space left on device")

case_steps.segment = out_of_memory
if sys.argv[1] == "full":
    io.write_labels = full_disk
sys.exit(main(sys.argv[2:]))
"""


class Inputs:
    """A folder of cases, every other kind of which has a fault.

    Attributes:
        fails: a part of the reason for each file that fails to the last.
        full: files whose results meet a full disk until there is room.
        paths: all that are cases.
    """

    def __init__(self, folder: Path, images: list[Image], count: int) -> None:
        self.folder, self.images = folder, images
        self.noise = np.random.default_rng(0)
        self.fails: dict[Path, str] = {}
        self.full: list[Path] = []
        self.paths: list[Path] = []
        kinds = (self.good, self.cut_off, self.not_there, self.large, self.full_disk, self.twins,
                 self.good, self.unreadable, self.garbage, self.one_letter)
        n = 0
        while len(self.paths) < count:
            kinds[n % len(kinds)](n)
            n += 1

    def good(self, n: int, name: str = "good", suffix: str = "") -> Path:
        path = self.folder / f"{n // 50}" / f"{name} {n}{suffix or ('.nii.gz', '.nrrd')[n % 2]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = self.images[n % len(self.images)]
        noise = self.noise.integers(-9, 10, image.array.shape, np.int16)
        write_image(path, Image(image.array + noise, image.grid))
        self.paths.append(path)
        return path

    def cut_off(self, n: int) -> None:
        path = self.good(n, "cut off")
        os.truncate(path, path.stat().st_size * 2 // 3)
        self.fails[path] = path.name

    def garbage(self, n: int) -> None:
        path = self.good(n, "garbage")
        path.write_bytes(self.noise.bytes(5000))
        self.fails[path] = path.name

    def not_there(self, n: int) -> None:
        path = self.folder / f"link {n}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(self.folder / "gone.nii.gz")
        self.paths.append(path)
        self.fails[path] = "there is no such file"

    def unreadable(self, n: int) -> None:
        path = self.good(n, "unreadable")
        path.chmod(0)
        if not os.access(path, os.R_OK):  # the administrator may read all
            self.fails[path] = "cannot be read"

    def large(self, n: int) -> None:
        self.fails[self.good(n, "memory")] = "Not enough memory"

    def full_disk(self, n: int) -> None:
        self.full.append(self.good(n, "full"))

    def twins(self, n: int) -> None:
        for suffix in (".nii.gz", ".nrrd"):
            self.good(n, "twin", suffix)

    def one_letter(self, n: int) -> None:
        self.good(n, "Name")
        self.good(n, "name")


@pytest.fixture
def images(long) -> list[Image]:
    """The small CT, or phantoms of 64³ to 128³ voxels. Each case has noise of its own."""
    if not long:
        return [small_ct((16, 32, 40))]
    return [phantom.make(seed, (n, n, n), (380 / n, 300 / n, 360 / n)).image
            for seed, n in enumerate(SIZES)]


class Batch:
    """`metaunetr batch --resume` as a process with faults; killed after some cases."""

    def __init__(self, inputs: Path, output: Path, model: Path) -> None:
        self.arguments = ["batch", "--input", inputs, "--output", output, "--model", model,
                          "--resume", "--json-progress"]

    def __call__(self, disk: str, kill_after: int | None = None) -> list[dict]:
        """The events of cases that ended, and the summary."""
        process = subprocess.Popen(
            [sys.executable, "-c", FAULTS, disk, *self.arguments], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {
                "PYTHONPATH": str(Path(metaunetr.__file__).parents[1]), "OMP_NUM_THREADS": "1"})
        events = []
        for event in map(json.loads, process.stdout):
            if event["event"] == "cases":
                self.inputs = {case["name"]: Path(case["input"]) for case in event["cases"]}
            elif event["event"] == "summary" or event.get("state") not in (None, "running"):
                events.append(event)
            if kill_after is not None and len(events) >= kill_after:
                process.kill()
                break
        _, errors = process.communicate()
        assert process.returncode == (7 if kill_after is None else -9), errors
        return events


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_no_case_is_lost_or_done_twice_and_all_are_reported(tmp_path, images, long):
    inputs = Inputs(tmp_path / "in", images, CASES if long else 12)
    count, output = len(inputs.paths), tmp_path / "out"
    batch = Batch(inputs.folder, output, write_bundle(tmp_path / "tiny"))

    runs = [batch("full", kill_after=count // 4), batch("full", kill_after=count // 2),
            batch("full"), batch("room")]
    assert sorted(batch.inputs.values()) == sorted(inputs.paths)  # each found, once

    for events in runs[2:]:
        assert Counter(event["name"] for event in events[:-1]) == Counter(dict.fromkeys(
            batch.inputs, 1))
        assert sum(events[-1][state] for state in ("done", "skipped", "failed")) == count
    reasons = {batch.inputs[event["name"]]: event["text"] for event in runs[2][:-1]
               if event["state"] == "failed"}
    assert reasons.keys() == {*inputs.fails, *inputs.full}
    assert all("the disk is full" in reasons[path] for path in inputs.full)

    last = {batch.inputs[event["name"]]: event for event in runs[3][:-1]}
    failed = {path: event["text"] for path, event in last.items() if event["state"] == "failed"}
    assert failed.keys() == inputs.fails.keys()
    assert all(words in failed[path] for path, words in inputs.fails.items())
    assert {path for path, event in last.items() if event["state"] == "done"} == {*inputs.full}

    ended_well = Counter(event["name"] for events in runs for event in events
                         if event.get("state") == "done")
    assert set(ended_well.values()) == {1}  # what was finished was not done again

    names = {name for name, path in batch.inputs.items() if path not in inputs.fails}
    for name in names:
        shape = read_labels(output / f"{name}.seg.nrrd").array.shape
        assert shape in {image.array.shape for image in images}
    assert {str(path.relative_to(output))[:-5] for path in output.rglob("*.json")} == names
    assert len(list(output.rglob("*.seg.nrrd"))) == len(names)
    assert not list(output.rglob(f"{PREFIX}*"))

    with sqlite3.connect(output / "run.sqlite") as database:
        states = dict(database.execute("SELECT name, state FROM cases"))
    assert states == {name: "done" if name in names else "failed" for name in batch.inputs}
    assert Counter(row["case"] for row in table(output / "organs.csv")) == Counter(
        dict.fromkeys(names, len(LABELS) - 1))
    reported = {row["case"]: row["state"] for row in table(output / "failures.csv")}
    assert {name for name, state in reported.items() if state == "failed"} \
        == batch.inputs.keys() - names
    assert set(reported.values()) == {"failed", "done"}  # these with warnings about small CTs


def table(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
