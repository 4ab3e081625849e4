"""`experiment cka` on networks of a few steps."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from SimpleITK import GetArrayFromImage, ReadImage

from metaunetr.errors import InputError
from metaunetr_training.experiments.similarity import BATCH, compare
from metaunetr_training.training.loop import train
from metaunetr_training.training.run import Run
from tiny_prepared import tiny_recipe, write_prepared


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return write_prepared(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def runs(prepared, tmp_path_factory) -> list[Run]:
    folder = tmp_path_factory.mktemp("runs")
    return [
        train(tiny_recipe(f"network.mixer={mixer}", f"training.iterations={n}"), prepared, 0,
              folder / mixer, device="cpu")
        for n, mixer in enumerate(("pooling", "tricruci_convolution"), 1)
    ]


def ignore(event):
    pass


def test_it_writes_maps_and_every_pair(runs, prepared, tmp_path):
    events = []
    compare(runs, prepared, BATCH + 1, tmp_path / "cka", "cpu", events.append)
    assert sorted(path.name for path in (tmp_path / "cka").iterdir()) == [
        "README.md", "between.png", "cka.csv", "layers_between.png", "layers_within.png",
        "within.png"]
    assert events[-1] == {"event": "cka", "done": 2, "all": 2}
    with open(tmp_path / "cka" / "cka.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    pairs = {(r["network"], r["map"], r["other network"], r["other map"]): float(r["cka"])
             for r in rows}
    assert len(rows) == len(pairs) == 3 * (9 * 9 + 15 * 15)
    same = [value for (a, i, b, j), value in pairs.items() if (a, i) == (b, j)]
    assert len(same) == 2 * (9 + 15) and np.allclose(same, 1)
    assert all(np.isclose(value, pairs[a, j, b, i]) for (a, i, b, j), value in pairs.items()
               if a == b), "symmetric within a network"
    assert 0.2 < pairs["pooling", "up3", "tricruci_convolution", "up3"] < 0.9999
    picture = GetArrayFromImage(ReadImage(tmp_path / "cka" / "between.png"))
    assert picture.std() > 20
    note = (tmp_path / "cka" / "README.md").read_text()
    assert "9 patches of 2 held-out cases (tiny)" in note and "1, 2 iterations" in note


def test_one_run_is_compared_with_itself_only(runs, prepared, tmp_path):
    compare(runs[:1], prepared, 4, tmp_path, "cpu", ignore)
    assert not (tmp_path / "between.png").exists()
    assert (tmp_path / "within.png").exists()


def test_what_cannot_be_compared_is_said(runs, prepared, tmp_path):
    with pytest.raises(InputError, match="at least 4 patches: 3"):
        compare(runs, prepared, 3, tmp_path, "cpu", ignore)
    with pytest.raises(InputError, match="same fold"):
        compare([runs[0], replace(runs[1], fold=1)], prepared, 8, tmp_path, "cpu", ignore)
