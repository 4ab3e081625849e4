"""`experiment adapt`: which cases are corrected and tested; interrupted and continued."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ending_clock import Ending
from metaunetr.errors import Cancelled, InputError
from metaunetr.organs import BY_NUMBER
from metaunetr_training.adapt import settings
from metaunetr_training.data.case import Case
from metaunetr_training.data.datasets import dataset_cases
from metaunetr_training.evaluation.scores import Score
from metaunetr_training.experiments import adaptation, results
from metaunetr_training.experiments.adaptation import Setting, choose, plan, run_all, tables
from metaunetr_training.experiments.unattended import Clock
from tiny_corrections import tiny_model
from tiny_dataset import write_dataset

FOUR = {number: (number,) for number in (1, 3, 6, 8)}  # spleen, left kidney, liver, aorta


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A model of liver, spleen and left kidney."""
    return tiny_model(tmp_path_factory.mktemp("start") / "tiny")


def cases_of(dataset: str, count: int, mapping=FOUR) -> list[Case]:
    return [Case(dataset, str(n), Path(f"{n}.nii"), Path(f"{n}.nrrd"), mapping)
            for n in range(count)]


def ignore(event) -> None:
    pass


def test_sets_of_a_seed_contain_each_other_and_have_the_same_test_cases(start):
    planned = plan(Setting(start, tuple(cases_of("new", 8)), (), (3, 5), 20), 2, [])
    assert [each.name for each in planned] == ["all-3-0", "all-5-0", "all-3-1", "all-5-1"]
    for few, many in (planned[:2], planned[2:]):
        assert many.corrected[:3] == few.corrected and few.tested == many.tested
        images = [case.image for case in (*many.corrected, *many.tested)]
        assert len(set(images)) == len(images) == 8
    assert planned[0].tested != planned[2].tested
    assert planned[0].organs == {1, 3, 6}, "the model knows no aorta"


def test_the_worst_organs_are_those_of_the_start_model_in_the_case(start, monkeypatch):
    monkeypatch.setattr(adaptation, "WORST_ORGANS", 2)
    cases = cases_of("new", 4)
    cases[3] = replace(cases[3], mapping={6: (6,)})
    dice = {1: (0.5, 0.9, float("nan")), 3: (0.6, 0.1, 0.4), 6: (0.7, 0.2, 0.5)}
    before = [Score(case.id, BY_NUMBER[number].name, values[int(case.id)], dataset="new")
              for case in cases[:3] for number, values in dice.items()]
    planned = plan(Setting(start, tuple(cases), (), (3,), 20), 4, before)
    worst = {case.image.stem: case.organs for each in planned if each.corrections == "worst"
             for case in each.corrected}
    assert worst == {"0": {1, 3}, "1": {3, 6}, "2": {3, 6}, "3": {6}}


@pytest.mark.parametrize(("source", "known", "counts", "message"), [
    ("new", ("old/9",), (3,), "old/9: there is no such case; the first of the 7 cases is new/0"),
    ("new", ("new/1",), (3,), "new/1: is a case of the source new"),
    ("news", (), (3,), "news: no data set of this name .* there are new, old"),
    ("new", (), (3, 5), "new: has 5 cases .* after 5 to adapt to, none is left to test"),
    ("new", (), (2,), "adapted to 3 cases at least, not to 2"),
])
def test_what_cannot_be_chosen(start, source, known, counts, message):
    cases = [*cases_of("new", 5), *cases_of("old", 2)]
    with pytest.raises(InputError, match=message):
        choose(start, cases, source, known, counts, 20)


def row(run: tuple, dataset: str, case: str, organ: str, corrected: str, *values) -> dict:
    columns = ("dice_before", "dice_after", "nsd_2mm_before", "nsd_2mm_after")
    return {**dict(zip(("corrections", "adapted_to", "seed"), run, strict=True)),
            "dataset": dataset, "case": case, "organ": organ, "corrected": corrected,
            **dict(zip(columns, values, strict=True))}


def test_tables_from_the_csv_files_alone(tmp_path):
    runs = [("all", 3, 0), ("all", 3, 1)]
    results.write(tmp_path / "runs.csv", [
        {**dict(zip(("corrections", "adapted_to", "seed"), run, strict=True)), "source": "new",
         "organs": "liver; spleen", "minutes": 20.0, "steps": 80, "precision": "bfloat16",
         "threads": 2, "held_out_dice_before": 0.5, "held_out_dice_after": 0.6, "better": better}
        for run, better in zip(runs, ("yes", "no"), strict=True)])
    results.write(tmp_path / "scores.csv", [
        row(runs[0], "new", "a", "liver", "yes", 0.7, 0.8, 0.5, 0.7),
        row(runs[0], "new", "b", "liver", "yes", 0.8, 0.9, 0.6, 0.8),
        row(runs[0], "new", "a", "spleen", "yes", 0.5, 0.5, 0.4, 0.4),
        row(runs[0], "new", "b", "spleen", "yes", "", "", "", ""),
        row(runs[0], "new", "a", "aorta", "no", 0.9, 0.1, 0.9, 0.1),
        row(runs[0], "old", "c", "liver", "no", 0.95, 0.94, 0.9, 0.9),
        row(runs[1], "new", "a", "liver", "yes", 0.7, 0.9, 0.5, 0.7),
        row(runs[1], "old", "c", "liver", "no", 0.95, 0.95, 0.9, 0.9)])
    text = tables(tmp_path)
    assert ("| all | 3 | 0 | 80 | 2 | 0.625 → 0.675 (+0.050) | 0.475 → 0.575 (+0.100) | "
            "0.500 → 0.600 (+0.100) | 0.950 → 0.940 (-0.010) |") in text
    assert "| 0.500 → 0.600 (+0.100) * | 0.950 → 0.950 (+0.000) |" in text
    assert "| new | liver | 0.733 → 0.867 (+0.133), n = 3 |" in text
    assert "| new | spleen | 0.500 → 0.500 (+0.000), n = 1 |" in text
    assert "Test cases: new 2, old 1." in text


def test_it_goes_on_where_the_clock_ended_it(start, tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "TRAINING", replace(settings.TRAINING, iterations=1))
    monkeypatch.setattr("metaunetr_training.export.bundle.verify", lambda folder, ct: None)
    cases = [case for folder in (write_dataset(tmp_path / "new", "abcd"),
                                 write_dataset(tmp_path / "old", "x", first_seed=4))
             for case in dataset_cases("general", folder)]
    setting = choose(start, cases, "new", ["old/x"], [3], 5000)
    out, ended = tmp_path / "out", 0
    for looks in (3, 15, 40, 400):
        try:
            path = run_all(setting, 1, out, "cpu", Ending(looks), ignore)
            break
        except Cancelled:
            ended += 1
    assert ended == 3, "while the start model was measured, and twice while it was adapted"
    run, = results.read(out / "runs.csv")
    assert (run["corrections"], run["adapted_to"], run["seed"], run["steps"]) == (
        "all", "3", "0", "1")
    assert run["organs"] == "spleen; left kidney; liver"
    scores = results.read(out / "scores.csv")
    assert sorted(row["corrected"] for row in scores) == ["no"] * 3 + ["yes"] * 3
    assert len({row["case"] for row in scores}) == 2, "one of the source, one known"
    assert "all-3-0: 1 steps; corrected organs on 1 other cases: Dice" in (
        out / "log.txt").read_text()

    seen, files = [], {file: file.read_bytes() for file in out.glob("*.*")}
    assert run_all(setting, 1, out, "cpu", Clock(None), seen.append) == path
    assert not [event for event in seen if "all-3-0" in event["text"]]
    assert files == {file: file.read_bytes() for file in out.glob("*.*")}
    with pytest.raises(InputError, match="holds an experiment with other values of minutes"):
        run_all(replace(setting, minutes=7), 1, out, "cpu", Clock(None), ignore)
