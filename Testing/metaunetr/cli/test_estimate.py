"""`metaunetr estimate`: time and memory of a run, for people and for programs."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from metaunetr.image import Grid, Image
from metaunetr.io import write_image
from tiny_bundle import small_ct

from .conftest import contents


@pytest.fixture
def coarse(tmp_path):
    """Every second voxel of the small CT along each axis."""
    image = small_ct()
    array = np.ascontiguousarray(image.array[::2, ::2, ::2])
    spacing = tuple(2 * s for s in image.grid.spacing)
    path = tmp_path / "coarse.nrrd"
    write_image(path, Image(array, Grid(array.shape, spacing, image.grid.origin)))
    return path


def events(ran, kind):
    return [event for event in map(json.loads, ran.out.splitlines()) if event["event"] == kind]


def test_people_get_a_sentence(ct, tiny, run):
    ran = run("estimate", ct, "--model", tiny, "--device", "cpu")
    assert (ran.code, ran.err) == (0, "")
    assert re.fullmatch(r"About \d+ s and \d+ MB, for 2 windows on CPU\.\n", ran.out)


def test_programs_get_the_devices_and_then_the_estimate(ct, tiny, run):
    before = contents(ct.parent)
    ran = run("estimate", ct, "--model", tiny, "--device", "cpu", "--json-progress")
    assert (ran.code, ran.err) == (0, "")
    ((devices,), (estimate,)) = (events(ran, kind) for kind in ("devices", "estimate"))
    assert devices["devices"][0] == {"name": "cpu", "label": "CPU"}
    assert json.loads(ran.out.splitlines()[-1]) == estimate
    assert estimate["seconds"] > 0 and estimate["memory_mb"] > 0
    assert (estimate["windows"], estimate["device"]) == (2, "cpu")
    assert contents(ct.parent) == before


def test_a_coarse_copy_gives_the_estimate_of_the_whole(ct, coarse, tiny, run):
    size = [str(n) for n in small_ct().array.shape[::-1]]
    whole, copy = (
        events(run("estimate", *arguments, "--model", tiny, "--json-progress"), "estimate")[0]
        for arguments in ([ct], [coarse, "--size", *size])
    )
    for key in ("windows", "memory_mb", "device"):
        assert copy[key] == whole[key]


def test_a_size_that_does_not_suit_the_copy(coarse, tiny, run):
    ran = run("estimate", coarse, "--size", "47", "41", "20", "--model", tiny)
    assert ran.code == 3
    assert ran.err.startswith("metaunetr: A coarse copy must hold every n-th voxel")


def test_the_devices_are_listed_even_when_the_requested_one_is_unknown(ct, tiny, run):
    ran = run("estimate", ct, "--model", tiny, "--device", "cuda:99", "--json-progress")
    assert ran.code == 6
    assert events(ran, "devices") and events(ran, "error")
