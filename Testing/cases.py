#!/usr/bin/env python3
"""Runs situations from the field and checks what comes of each.

    python Testing/cases.py FOLDER_OF_CASES [NAME…]

A case is a folder with make.py, which makes its inputs in the folder that is named to it, and
expected.txt, which says in words what a user must get. The commands and checks of each are the
function of its name here. A line a case says ok, FAIL or skip; the exit code is 1 if any fails.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Training"))

from metaunetr.errors import InputError
from metaunetr.image import Image
from metaunetr.io import read_image, read_labels

TRAINING = str(Path(__file__).resolve().parents[1] / "Training")
TIMEOUT = 1200  # seconds for one command
SAME_MM = 1e-3
LABELS = "*.seg.nrrd"


class Failed(Exception):
    """What is not as expected.txt has it."""


def expect(condition: object, text: str) -> None:
    if not condition:
        raise Failed(text)


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        """The last line that was said."""
        return ((self.err + self.out).strip().splitlines() or ["nothing was said"])[-1][:300]


@dataclass(frozen=True)
class Place:
    """The folder of a case with its inputs, and an environment that has this MetaUNETR."""

    folder: Path
    environment: dict[str, str]

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    def start(self, command: str) -> subprocess.Popen:
        """A line for the shell, run in the folder."""
        return subprocess.Popen(["sh", "-c", command], cwd=self.folder, env=self.environment,
                                text=True, errors="replace", stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, command: str, *codes: int) -> Ran:
        """What a line for the shell has said.

        Raises:
            Failed: its exit code is none of `codes`, if there are any.
        """
        with self.start(command) as process:
            try:
                out, err = process.communicate(timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                raise Failed(f"{command}: not done after {TIMEOUT} s") from None
        ran = Ran(process.returncode, out, err)
        expect(not codes or ran.code in codes, f"{command}: exit code {ran.code}: {ran.last}")
        expect("Traceback" not in out + err, f"{command}: a traceback: {ran.last}")
        return ran

    def failures(self, name: str = "out") -> list[str]:
        """Cases without a result, with the reasons."""
        with open(self / name / "failures.csv", encoding="utf-8", newline="") as file:
            return [f"{row['case']}: {row['reason']}" for row in csv.DictReader(file)]


Check = Callable[[Place], None]
CASES: dict[str, tuple[tuple[str, ...], Check]] = {}


def case(*needs: str) -> Callable[[Check], Check]:
    """Registers the check of the case of its name; `needs` are keys of NEEDS."""
    def register(check: Check) -> Check:
        CASES[check.__name__] = needs, check
        return check
    return register


def lacks_root() -> str:
    try:
        subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=True,
                       capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return "needs to mount a small folder (root, Linux)"
    return ""


def lacks_preload() -> str:
    linux = sys.platform.startswith("linux")
    return "" if linux and shutil.which("gcc") else "needs gcc and LD_PRELOAD (Linux)"


def lacks_bfloat16() -> str:
    import torch

    tells = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    fast = any(getattr(torch.cpu, name, lambda: False)() for name in tells)
    return "" if fast else "needs a processor with avx512_bf16 or AMX"


NEEDS = {"root": lacks_root, "preload": lacks_preload, "bfloat16": lacks_bfloat16}


def labels(path: Path) -> np.ndarray:
    """The label map that was written.

    Raises:
        Failed: it is missing, or has no organ.
    """
    expect(path.is_file(), f"{path.name}: was not written")
    array = read_labels(path).array
    expect(array.any(), f"{path.name}: holds no organ")
    return array


def read(path: Path) -> Image | str:
    """The image, or why it is refused."""
    try:
        return read_image(path)
    except InputError as error:
        return str(error)


def expect_same(image: Image, right: Image) -> None:
    name = image.source.name
    expect(image.array.shape == right.array.shape,
           f"{name}: shape {image.array.shape}, not {right.array.shape}")
    wrong = np.count_nonzero(image.array != right.array)
    expect(wrong == 0, f"{name}: {wrong} voxels have wrong HU, {image.array.min()} to "
                       f"{image.array.max()}")
    expect(image.grid.same_as(right.grid, SAME_MM), f"{name}: lies elsewhere")


def warnings(record: Path) -> str:
    return "\n".join(json.loads(record.read_text(encoding="utf-8"))["warnings"])


def dice(one: np.ndarray, other: np.ndarray) -> float:
    """The least of all organs in `other`."""
    return min(2 * np.count_nonzero((one == n) & (other == n))
               / (np.count_nonzero(one == n) + np.count_nonzero(other == n))
               for n in np.unique(other) if n)


@case()
def batch_long_name(place: Place) -> None:
    ran = place.run("metaunetr batch --input in --output out", 0, 7)
    labels(place / "out" / "good.seg.nrrd")
    count = len(list((place / "out").glob(LABELS)))
    if ran.code == 0:
        expect(count == 2, f"exit code 0, but {count} label maps")
    else:
        expect(any("xxx" in line for line in place.failures()), "the failed case is not reported")


@case()
def closed_streams(place: Place) -> None:
    for number, closed in enumerate((">&-", "2>&-")):
        place.run(f"metaunetr segment phantom.nii.gz -o {number}.nii.gz {closed}", 0)
        labels(place / f"{number}.nii.gz")
        place.run(f"metaunetr batch --input in --output out{number} {closed}", 0)
        labels(place / f"out{number}" / "a.seg.nrrd")
    place.run("metaunetr info phantom.nii.gz >&-", 0)


@case()
def dicom_high_bit(place: Place) -> None:
    image = read(place / "high_bit_15")
    place.run("metaunetr info high_bit_15", 3 if isinstance(image, str) else 0)
    if isinstance(image, Image):
        expect_same(image, read_image(place / "true_hu.nii.gz"))


@case()
def dicom_slope_comma(place: Place) -> None:
    image = read(place / "slope_0,5")
    ran = place.run("metaunetr info slope_0,5", 3 if isinstance(image, str) else 0)
    if isinstance(image, Image):
        expect_same(image, read_image(place / "true_hu.nii.gz"))
    else:
        expect("0,5'" in ran.err, f"the value is not named: {ran.last}")


@case("preload")
def fsync_refused(place: Place) -> None:
    preload = f"LD_PRELOAD={shlex.quote(str(place / 'fsync.so'))} metaunetr"
    place.run(f"{preload} segment phantom.nii.gz -o o.nii.gz", 0)
    labels(place / "o.nii.gz")
    place.run(f"{preload} batch --input phantom.nii.gz --output out", 0)
    labels(place / "out" / "phantom.seg.nrrd")


@case()
def hu_inverted(place: Place) -> None:
    place.run("metaunetr segment true_hu.nii.gz -o o.nii.gz", 0)
    for name in ("inverted", "negated"):
        ran = place.run(f"metaunetr segment {name}.nii.gz -o o.nii.gz --record o.json", 0, 3)
        text = ran.err if ran.code else warnings(place / "o.json")
        expect(re.search("bright|invert|negat|upside", text),
               f"{name}: neither refused as inverted nor warned about: {text or 'no warning'}")


@case()
def keep_bits(place: Place) -> None:
    place.run("metaunetr info bits", 0)
    expect_same(read_image(place / "bits"), read_image(place / "true_hu.nii.gz"))


@case()
def keep_seg_names(place: Place) -> None:
    import pydicom

    folders = sorted(path for path in place.folder.iterdir() if path.is_dir())
    expect(len(folders) == 6, f"{len(folders)} series, not 6")
    for folder in folders:
        place.run(f"metaunetr segment {folder.name} -o {folder.name}.dcm", 0)
        right = pydicom.dcmread(next(folder.iterdir()), stop_before_pixels=True)
        found = pydicom.dcmread(place / f"{folder.name}.dcm", stop_before_pixels=True)
        expect(found.PatientName == right.PatientName,
               f"{folder.name}: {found.PatientName}, not {right.PatientName}")
        expect(found.SpecificCharacterSet == "ISO_IR 192",
               f"{folder.name}: {found.SpecificCharacterSet}")


@case()
def nrrd_units(place: Place) -> None:
    right = read_image(place / "mm.nrrd")
    for unit in ("cm", "m"):
        image = read(place / f"{unit}.nrrd")
        place.run(f"metaunetr info {unit}.nrrd", 3 if isinstance(image, str) else 0)
        if isinstance(image, Image):
            expect_same(image, right)
        else:
            expect("unit" in image, f"{unit}: refused, but not for its unit: {image}")


@case("bfloat16")
def precision_by_load(place: Place) -> None:
    """One run by itself, then three beside each other and beside busy programs."""
    command = "metaunetr segment phantom.nii.gz -o {0}.nii.gz --record {0}.json"
    place.run(command.format("r0"), 0)
    with ExitStack() as programs:
        for _ in range(os.cpu_count() or 1):
            program = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            programs.callback(program.wait)
            programs.callback(program.kill)
        for run in [place.start(command.format(f"r{n}")) for n in (1, 2, 3)]:
            _, said = run.communicate(timeout=TIMEOUT)
            expect(run.returncode == 0, f"exit code {run.returncode}: {said[-300:]}")
    records = [json.loads(path.read_text(encoding="utf-8"))
               for path in place.folder.glob("r?.json")]
    expect(len({record["precision"] for record in records}) == 1,
           f"precisions {sorted(record['precision'] for record in records)}")
    maps = {path.read_bytes() for path in place.folder.glob("r?.nii.gz")}
    expect(len(maps) == 1, f"{len(maps)} label maps of one scan differ")


@case()
def same_uids(place: Place) -> None:
    ran = place.run("metaunetr batch --input in --output out", 0, 7)
    count = len(list((place / "out").rglob(LABELS)))
    expect(count == 2 or (ran.code == 7 and "warning" in ran.err + ran.out),
           f"exit code {ran.code}, {count} of 2 patients segmented, and no warning")


@case()
def seg_tells_patient(place: Place) -> None:
    place.run("metaunetr batch --input in --output out --format dicomseg >log.txt 2>&1", 0, 7)
    expect(list((place / "out").rglob("*.dcm")), "no DICOM SEG was written")
    files = [path for path in (place / "out").rglob("*")
             if path.is_file() and path.suffix != ".dcm"]
    for path in (place / "log.txt", *files):
        content = path.read_bytes()
        for word in (b"Mustermann", b"1951-02-03"):
            expect(word not in content, f"{path.name}: tells {word.decode()}")


@case("root")
def tmp_full_enhanced(place: Place) -> None:
    expect_same(read_image(place / "enhanced.dcm"), read_image(place / "phantom.nii.gz"))
    full = "unshare -m sh -c 'mount -t tmpfs -o size=200k tmpfs /mnt && TMPDIR=/mnt metaunetr {}'"
    ran = place.run(full.format("batch --input enhanced.dcm --output out"), 0, 7)
    if ran.code:
        (text,) = place.failures()
        expect("/mnt" in text and "TMPDIR" in text and "\n" not in text,
               f"the temporary folder is not named: {text[:300]}")
    ran = place.run(full.format("segment enhanced.dcm -o o.nii.gz"))
    expect(ran.code == 0 or ("/mnt" in ran.err and "TMPDIR" in ran.err and "dcm" in ran.err),
           f"segment: the temporary folder or the file is not named: {ran.last}")


@case("root")
def train_small_shm(place: Place) -> None:
    ran = place.run(
        "unshare -m sh -c 'mount -t tmpfs -o size=1M tmpfs /dev/shm && metaunetr-training train "
        "run --recipe phantom --prepared prepared --set training.iterations=3'", 0, 6)
    if ran.code:
        (text,) = [line for line in ran.err.splitlines() if line.startswith("metaunetr:")]
        expect("/dev/shm" in text and "shm-size" in text and len(text) < 400, text[:400])


@case()
def zero_background(place: Place) -> None:
    place.run("metaunetr segment true_hu.nii.gz -o right.nii.gz", 0)
    right = labels(place / "right.nii.gz")
    for name in ("corners_0", "masked_0"):
        place.run(f"metaunetr segment {name}.nii.gz -o {name}.nii.gz.labels.nii.gz "
                  f"--record {name}.json", 0)
        text = warnings(place / f"{name}.json")
        least = dice(read_labels(place / f"{name}.nii.gz.labels.nii.gz").array, right)
        expect(re.search(r"\b0 HU|fill", text) or least > 0.95,
               f"{name}: no warning of the fill, and a Dice of {least:.2f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER_OF_CASES")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these cases")
    args = parser.parse_args()
    there = sorted(path.parent.name for path in args.folder.glob("*/make.py"))
    if not there or set(args.names) - set(there):
        parser.error(f"{args.folder}: has no case {' '.join(sorted(set(args.names) - set(there)))}")
    results = [run_case(args.folder / name) for name in args.names or there]
    print(f"{len(results)} cases: " + ", ".join(
        f"{results.count(state)} {state}" for state in ("ok", "FAIL", "skip")))
    return 1 if "FAIL" in results else 0


def run_case(folder: Path) -> str:
    """Prints a line about a case; returns ok, FAIL or skip."""
    started = time.monotonic()
    state, text = _outcome(folder)
    line = f"{state:4} {folder.name} ({time.monotonic() - started:.0f} s)"
    print(": ".join(filter(None, (line, text))), flush=True)
    return state


def _outcome(folder: Path) -> tuple[str, str]:
    if folder.name not in CASES:
        return "FAIL", f"Testing/cases.py has no check for it; see {folder / 'expected.txt'}"
    needs, check = CASES[folder.name]
    if lacking := next(filter(None, (NEEDS[need]() for need in needs)), ""):
        return "skip", lacking
    with tempfile.TemporaryDirectory(prefix="case-") as scratch:
        place = Place(Path(scratch) / "inputs", _environment(Path(scratch) / "bin"))
        place.folder.mkdir()
        try:
            make = shlex.join([sys.executable, str(folder.resolve() / "make.py"), "."])
            place.run(make, 0)
            check(place)
        except Failed as failed:
            return "FAIL", str(failed)
        except Exception as error:  # of reading what was written: a result that is not as expected
            return "FAIL", f"{type(error).__name__}: {error}"
    return "ok", ""


def _environment(folder: Path) -> dict[str, str]:
    """Ours, with commands in `folder` that run the packages of this source tree."""
    folder.mkdir()
    for package in ("metaunetr", "metaunetr_training"):
        path = folder / package.replace("_", "-")
        path.write_text(f"#!{sys.executable}\nfrom {package}.__main__ import run\n"
                        'if __name__ == "__main__":\n    run()\n', encoding="utf-8")
        path.chmod(0o755)
    paths = (str(folder), os.environ.get("PATH", ""))
    modules = (TRAINING, os.environ.get("PYTHONPATH", ""))
    return os.environ | {"PATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1",
                         "PYTHONPATH": os.pathsep.join(filter(None, modules))}


if __name__ == "__main__":
    sys.exit(main())
