"""The same input gives the same labels: bit for bit on one machine and device class.

Across numbers of threads sums are made in another order, so that single voxels at borders may
differ; Dice is then at least 0.999.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import metaunetr
from metaunetr.bundle import DEFAULT_MODEL
from metaunetr.io import read_labels, write_image
from metaunetr.metrics import dice
from tiny_bundle import small_ct, write_bundle

THREADS = (1, 2, 4)


def segment(ct: Path, output: Path, model: str | Path, threads: int) -> np.ndarray:
    """Organ numbers (D, H, W) by a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "metaunetr", "segment", ct, "-o", output, "--model", model,
         "--device", "cpu"], capture_output=True, text=True, stdin=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(Path(metaunetr.__file__).parents[1]),
                          "OMP_NUM_THREADS": str(threads)},
    )
    assert done.returncode == 0, done.stderr
    return read_labels(output).array


def check(folder: Path, ct: Path, model: str | Path) -> None:
    first = segment(ct, folder / "first.nii.gz", model, 1)
    assert len(np.unique(first)) > 2
    segment(ct, folder / "again.nii.gz", model, 1)
    assert (folder / "first.nii.gz").read_bytes() == (folder / "again.nii.gz").read_bytes()
    for threads in THREADS[1:]:
        other = segment(ct, folder / f"{threads}.nii.gz", model, threads)
        for organ in np.union1d(first, other):
            assert dice(first == organ, other == organ) >= 0.999, (threads, organ)
        differ = np.count_nonzero(first != other)
        print(f"{threads} threads: {differ} of {first.size} voxels differ")


def test_the_labels_of_a_tiny_model(tmp_path):
    write_image(tmp_path / "ct.nii.gz", small_ct())
    check(tmp_path, tmp_path / "ct.nii.gz", write_bundle(tmp_path / "tiny"))


@pytest.mark.slow
def test_the_labels_of_the_bundled_model(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "metaunetr", "phantom", "-o", tmp_path / "ct.nii.gz",
         "--spacing", "4", "4", "5", "--seed", "5"], check=True, stdin=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(Path(metaunetr.__file__).parents[1])},
    )
    check(tmp_path, tmp_path / "ct.nii.gz", DEFAULT_MODEL)
