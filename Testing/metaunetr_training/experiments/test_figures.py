"""Tables and figures of `experiment mixers`, from CSV files alone."""

import numpy as np
import pytest
from SimpleITK import GetArrayFromImage, ReadImage

from metaunetr.errors import InputError
from metaunetr.organs import ORGANS
from metaunetr_training.experiments import figures, results

# kind, Dice, seconds of a step
NETWORKS = {
    "identity": ("floor", 0.50, 0.5), "tricruci_convolution": ("mixer", 0.60, 1.0),
    "tricruci_mlp": ("mixer", 0.61, 2.0), "published_mlp": ("published mixer", 0.58, 1.0),
    "four_stages_convolution": ("architecture", 0.59, 1.0),
    "U-Net_nearest": ("architecture", 0.30, 1.0), "U-Net_usual": ("usual size", 0.65, 4.0),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two seeds of each network, three test cases; Dice rises evenly over 120 steps."""
    folder = tmp_path_factory.mktemp("results")
    rng = np.random.default_rng(0)
    runs = [(name, seed, *values) for name, values in NETWORKS.items() for seed in (0, 1)]
    results.write(folder / "networks.csv", [
        {"network": name, "seed": seed, "kind": kind, "parameters": 1_500_000, "gflops": 2.5,
         "cpu_seconds": 0.1, "cpu_step_seconds": step, "iterations": 120, "device": "CPU",
         "precision": "float32", "threads": 2, "training_cases": 12}
        for name, seed, kind, _, step in runs])
    results.write(folder / "scores.csv", [
        {"network": name, "seed": seed, "dataset": "btcv", "case": f"btcv/{case}", "organ": organ,
         "dice": dice + rng.normal(0, 0.005), "nsd_2mm": dice}
        for name, seed, _, dice, _ in runs for case in range(3)
        for organ in ("liver", "aorta", "gallbladder") if (organ, case) != ("gallbladder", 0)])
    results.write(folder / "curves.csv", [
        {"network": name, "seed": seed, "iteration": iteration, "mean": dice * iteration / 120}
        for name, seed, _, dice, _ in runs for iteration in (30, 60, 90, 120)])
    results.write(folder / "cka.csv", [
        {"iteration": point, "network": "identity-0", "map": a, "other network": other,
         "other map": b, "cka": 1.0 if a == b else 0.5}
        for point in (30, 120) for other in ("identity-0", "tricruci_mlp-0")
        for a in ("in", "out") for b in ("in", "out")])
    return folder


def row(text: str, table: str, first: str) -> list[str]:
    """The cells after `first` in the table of this title."""
    lines = text.partition(f"**{table}**")[2].splitlines()
    found = next(line for line in lines if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in found.split("|")[2:-1]]


def test_tables_say_what_the_files_hold(folder, tmp_path):
    written = figures.make(folder, tmp_path)
    assert {path.name for path in written} == {
        "results.md", "dice.png", "differences.png", "cka_within.png", "cka_between.png"}
    assert not list(folder.glob("*.png"))
    for path in written[1:]:
        assert GetArrayFromImage(ReadImage(path)).std() > 10, f"{path.name} is empty"
    text = (tmp_path / "results.md").read_text()
    assert "12 cases (CPU, float32, threads: 2)" in text
    assert "liver 3, aorta 3, gallbladder 2" in text

    # identity ends first, after 60 s: 60 steps of 1 s, 30 of 2 s; 15 of 4 s, before any validation
    assert "Dice after 1.0 min" in text
    at_equal_time = {name: row(text, "Networks", name)[-1]
                     for name in ("identity", "tricruci convolution", "tricruci mlp",
                                  "U-Net usual")}
    assert at_equal_time == {"identity": "0.500", "tricruci convolution": "0.300",
                             "tricruci mlp": "0.152", "U-Net usual": "–"}
    assert row(text, "Networks", "identity")[:3] == ["2", "1.50", "2.5"]
    assert row(text, "NSD at 2 mm", "tricruci mlp")[0].startswith("0.610 (")

    between = row(text, "Between mixers and between seeds", "and no mixer")
    assert between[:2] == ["3", "6"] and between[-1] == "0.001", "identity is much worse"
    assert row(text, "Differences of Dice", "tricruci mlp")[0] == "identity"
    assert row(text, "Differences of Dice", "tricruci mlp")[1].startswith("+0.1")
    assert row(text, "Differences of Dice", "four stages convolution")[0] == "tricruci convolution"
    for verdict in ("Mixers differ no more than seeds: not refuted.",
                    "No mixer is better than identity by more than 0.02: refuted.",
                    "Architectures differ more than mixers: confirmed. The SD of mean Dice is 0.17",
                    "not better by more than 0.02: confirmed."):
        assert verdict in text
    assert "among 3 architectures and" in text and "among 2 TriCruci mixers" in text


def test_every_organ_is_in_one_group():
    grouped = [organ for group in figures.GROUPS.values() for organ in group]
    assert sorted(grouped) == sorted(organ.name for organ in ORGANS)


def test_a_part_of_the_networks_is_enough(folder, tmp_path):
    for name in ("networks", "scores", "curves"):
        rows = results.read(folder / f"{name}.csv")
        results.write(tmp_path / f"{name}.csv",
                      [row for row in rows if (row["network"], row["seed"]) == ("identity", "0")])
    assert [path.name for path in figures.make(tmp_path)] == ["results.md", "dice.png"]


def test_with_one_seed_no_statement_is_decided(folder, tmp_path):
    for name in ("networks", "scores", "curves"):
        rows = results.read(folder / f"{name}.csv")
        results.write(tmp_path / f"{name}.csv", [row for row in rows if row["seed"] == "0"])
    figures.make(tmp_path)
    text = (tmp_path / "results.md").read_text()
    assert "Undecided, all of them" in text and "refuted" not in text and "confirmed" not in text


def test_without_results_it_says_who_writes_them(tmp_path):
    with pytest.raises(InputError, match=r"networks\.csv: holds no network; `experiment mixers`"):
        figures.make(tmp_path)
