"""Time and memory are estimated before a run, also from a coarse copy of the image."""

import dataclasses
import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest

from analytic import HuBins, analytic_image, make_bundle, rotation
from metaunetr import bundle, phantom
from metaunetr.engine import Segmenter
from metaunetr.engine import estimate as module
from metaunetr.errors import InputError
from metaunetr.image import Grid, Image
from tiny_bundle import card, write_bundle


def every(steps, image):
    """Every n-th voxel along (D, H, W)."""
    array = image.array[tuple(slice(None, None, n) for n in steps)]
    spacing = tuple(s * n for s, n in zip(image.grid.spacing, steps[::-1], strict=True))
    grid = dataclasses.replace(image.grid, shape=array.shape, spacing=spacing)
    return Image(array, grid)


@pytest.fixture(scope="module")
def engine():
    """The windows of the bundled model at twice its spacing, with a network that takes no time."""
    real = bundle.find()
    patch, smallest, largest = (tuple(n // 2 for n in size)
                                for size in (real.patch, real.smallest, real.largest))
    stand_in = make_bundle(HuBins(), patch=patch, overlap=real.overlap)
    preprocessing = dataclasses.replace(real.preprocessing, spacing=(4.0, 4.0, 4.0))
    return Segmenter(dataclasses.replace(
        stand_in, preprocessing=preprocessing, smallest=smallest, largest=largest,
    ), device="cpu", precision="float32")


@pytest.mark.parametrize(
    ("shape", "steps"),
    [((150, 512, 512), (3, 8, 8)), ((64, 512, 333), (1, 8, 6)), ((1000, 65, 5), (16, 2, 1))],
)
def test_the_grid_of_the_whole_follows_from_a_coarse_copy(shape, steps):
    whole = Grid(shape, (0.7, 0.8, 2.5), (-1.0, 2.0, 3.0), rotation((1, 2, 3), 20))
    coarse = every(steps, Image(np.broadcast_to(np.int16(0), shape), whole))
    assert module.whole_grid(coarse.grid, shape).same_as(whole)


@pytest.mark.parametrize("shape", [(60, 120, 99), (49, 120, 120)])
def test_what_is_no_coarse_copy_is_refused_with_both_sizes(engine, shape):
    image = analytic_image((2.5, 2.5, 2.5), extent=(125, 150, 125))  # 50 × 60 × 50 voxels
    size = " × ".join(str(n) for n in shape[::-1])
    with pytest.raises(InputError, match=f"every n-th voxel.* {size} there are 50 × 60 × 50"):
        engine.estimate(image, shape)


TURNED = {
    "as scanned": np.eye(3),
    "flipped": np.diag([-1, -1, 1]),
    "far askew": rotation((1, 2, 3), 35),
}


@pytest.fixture(scope="module")
def made():
    return phantom.make(1, spacing=(6.4, 6.4, 6.0)).image


@pytest.mark.parametrize("direction", TURNED.values(), ids=TURNED)
def test_a_coarse_copy_gives_the_windows_of_the_run(engine, made, direction):
    image = Image(made.array, dataclasses.replace(made.grid, direction=direction))
    steps = [math.ceil(n / 50) for n in made.grid.shape]
    assert max(steps) > 1
    whole = engine.estimate(image)
    coarse = engine.estimate(every(steps, image), image.grid.shape)
    assert abs(coarse["windows"] - whole["windows"]) <= 1
    assert coarse["memory_mb"] == pytest.approx(whole["memory_mb"], rel=0.2)


def test_half_precision_takes_less_memory(made):
    single, half = (
        Segmenter(make_bundle(HuBins()), device="cpu", precision=precision).estimate(made)
        for precision in ("float32", "bfloat16"))
    assert half["memory_mb"] < single["memory_mb"]


def test_before_a_run_all_of_it_counts(monkeypatch):
    """During it, only what is left: not resampling, nor measuring the speed."""
    monkeypatch.setattr(module, "_seconds", lambda runner, window: 0.1)
    events = []
    engine = Segmenter(make_bundle(HuBins()), device="cpu")
    image = analytic_image((2.0, 2.0, 2.0))
    before = engine.estimate(image, report=events.append)
    assert not any(event["event"] == "estimate" for event in events)
    engine.segment(image, report=events.append)
    (during,) = (event for event in events if event["event"] == "estimate")
    assert before["device"] == "cpu"
    for key in ("windows", "memory_mb", "device"):
        assert before[key] == during[key]
    preparing = module.PREPROCESS * image.array.size / 1e6
    assert before["seconds"] == pytest.approx(during["seconds"] + preparing, abs=0.2)


def test_the_speed_is_not_measured_again_where_the_estimate_is_known(monkeypatch):
    monkeypatch.setattr(module, "_seconds", lambda *args: pytest.fail("measured"))
    events = []
    engine = Segmenter(make_bundle(HuBins()), device="cpu")
    engine.segment(analytic_image((4.0, 4.0, 4.0)), report=events.append, network_s=70)
    (during,) = (event for event in events if event["event"] == "estimate")
    assert during["network_s"] == 70
    assert 70 <= during["seconds"] < 75
    assert during["memory_mb"] > 0


PEAK = """
import json, sys
from pathlib import Path
import torch
from metaunetr import Segmenter
from tiny_bundle import small_ct

def peak():  # MB; unlike ru_maxrss, not that of the parent process
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6

image = small_ct((40, 100, 120))
engine = Segmenter(sys.argv[1], device="cpu", precision="float32")
with torch.no_grad():
    engine.network(torch.zeros(1, 1, 32, 48, 48))
before, events = peak(), []
engine.segment(image, report=events.append)
estimated = next(e["memory_mb"] for e in events if e["event"] == "estimate")
print(json.dumps([estimated, peak() - before]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux does")
def test_the_memory_is_that_of_a_process(tmp_path):
    """One window of 48 × 112 × 128 voxels."""
    folder = write_bundle(tmp_path / "tiny", largest_window=[48, 112, 128], preprocessing=card()[
        "preprocessing"] | {"spacing_mm": [3, 3, 3]})
    done = subprocess.run(
        [sys.executable, "-c", PEAK, folder], capture_output=True, text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)})
    assert done.returncode == 0, done.stderr
    estimated, measured = json.loads(done.stdout)
    assert measured / 2 < estimated < measured * 2
