"""The same input gives the same labels: bit for bit on one machine and device class.

With another number of threads, sums are made in another order, so single voxels at borders may
differ.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import metaunetr
from metaunetr import phantom
from metaunetr.bundle import DEFAULT_MODEL
from metaunetr.engine.precision import bfloat16_instructions
from metaunetr.io import read_labels, write_image
from metaunetr.metrics import dice
from tiny_bundle import small_ct, write_bundle

MOST = {"float32": 0.001, "bfloat16": 0.01}  # of the labelled voxels may differ


def segment(
    ct: Path, output: Path, model: str | Path, threads: int, precision: str
) -> np.ndarray:
    """Organ numbers (D, H, W) by a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "metaunetr", "segment", ct, "-o", output, "--model", model,
         "--device", "cpu", "--precision", precision],
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(Path(metaunetr.__file__).parents[1]),
                          "OMP_NUM_THREADS": str(threads)},
    )
    assert done.returncode == 0, done.stderr
    return read_labels(output).array


def check(
    folder: Path, ct: Path, model: str | Path, precision: str, again: bool, long: bool
) -> None:
    """One and more threads, and the first of them `again`."""
    first = segment(ct, folder / "first.nii.gz", model, 1, precision)
    assert len(np.unique(first)) > 2
    if again:
        segment(ct, folder / "again.nii.gz", model, 1, precision)
        assert (folder / "first.nii.gz").read_bytes() == (folder / "again.nii.gz").read_bytes()
    for threads in (2, 4) if long else (2,):
        other = segment(ct, folder / f"{threads}.nii.gz", model, threads, precision)
        differ = np.count_nonzero(first != other)
        print(f"{precision}, {threads} threads: {differ} of {first.size} voxels differ")
        assert differ <= MOST[precision] * np.count_nonzero(first)
        assert set(np.unique(first)) == set(np.unique(other))
        for organ in np.unique(first):  # the smallest has a few voxels
            assert dice(first == organ, other == organ) > 0.8, (threads, organ)


@pytest.mark.slow
@pytest.mark.parametrize("precision", MOST)
def test_the_labels_of_a_tiny_model(tmp_path, precision, long):
    write_image(tmp_path / "ct.nii.gz", small_ct())
    check(tmp_path, tmp_path / "ct.nii.gz", write_bundle(tmp_path / "tiny"), precision, True, long)


@pytest.mark.slow
@pytest.mark.parametrize("precision", [
    "float32",
    pytest.param("bfloat16", marks=pytest.mark.skipif(
        not bfloat16_instructions(), reason="takes minutes on this processor")),
])
def test_the_labels_of_the_bundled_model(tmp_path, precision, long):
    made = phantom.make(5, spacing=(4, 4, 5)) if long else phantom.make(5, (24, 32, 40), (6, 6, 8))
    write_image(tmp_path / "ct.nii.gz", made.image)
    check(tmp_path, tmp_path / "ct.nii.gz", DEFAULT_MODEL, precision, long, long)
