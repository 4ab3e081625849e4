"""All files of an evaluation, and what the summary promises to those who read it."""

import csv
import json
from dataclasses import replace
from shutil import copytree

import pytest

from metaunetr.errors import InputError, OutputError
from metaunetr.organs import find
from metaunetr_training.evaluation.output import evaluate

FILES = {"results.csv", "summary.json", "table.md", "table.tex", "boxplot.png",
         "reliability.png", "worst", "cases", "labels"}


def quiet(line):
    pass


@pytest.fixture(scope="module")
def evaluated(build, selection, tmp_path_factory):
    """An evaluation of three cases, one of them off by two voxels, and of one that fails."""
    broken = build.case("d")
    broken.labels.write_bytes(b"no image")
    chosen = selection(build.case("a"), build.case("b", shift=2), build.case("c"), broken)
    output = tmp_path_factory.mktemp("evaluation") / "out"
    values, text = evaluate(chosen, output, "cpu", report=quiet)
    return chosen, output, values, text


def test_the_files_and_what_they_say(evaluated):
    _, output, values, text = evaluated
    assert {path.name for path in output.iterdir()} == FILES
    assert json.loads((output / "summary.json").read_text()) == values
    assert (output / "table.md").read_text() == text
    with open(output / "results.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * 3 + 1
    assert {"dataset", "case", "organ", "dice", "nsd_2mm", "hd95_mm", "confidence"} <= set(rows[0])
    assert rows[-1]["case"] == "d" and rows[-1]["note"].startswith("failed: ")
    assert "1 case failed and counted nowhere: balls/d" in text
    pictures = {path.name for path in (output / "worst").iterdir()}
    assert pictures == {"liver.png", "spleen.png", "case_1.png", "case_2.png", "case_3.png"}


def test_the_summary_is_what_export_and_people_need(evaluated):
    chosen, _, values, _ = evaluated
    assert values["model"] == "stand-in" and values["model_sha256"] == chosen.bundle.sha256
    assert (values["cases"], values["failed"], values["split"]) == (3, 1, "all cases")
    assert values["datasets"] == {"balls": 3}
    assert list(values["organs"]) == ["spleen", "liver"]  # the kidney is nowhere
    liver = values["organs"]["liver"]
    assert liver["n"] == 3 and liver["missed"] == 0
    assert liver["dice_ci95"][0] < liver["dice"] < liver["dice_ci95"][1]
    means = [organ["dice"] for organ in values["organs"].values()]
    assert values["mean_dice"] == values["mean"]["dice"] == pytest.approx(sum(means) / 2, abs=1e-4)
    assert values["calibration"] is None and "at least 30" in values["calibration_note"]
    assert str(chosen.cases[0].image.parent) not in json.dumps(values)


@pytest.fixture
def again(evaluated, tmp_path):
    """Evaluates the same once more, with changes of the selection and for some organs."""
    chosen, first, _, _ = evaluated
    copytree(first, tmp_path / "out")

    def again(organs=None, report=quiet, **changes):
        selection = replace(chosen, **changes)
        return evaluate(selection, tmp_path / "out", "cpu", organs, report=report)[0]

    return again


def test_organs_are_chosen_for_the_tables_and_the_calibration_is_of_all(
    evaluated, again, tmp_path
):
    lines = []
    values = again([find("spleen")], lines.append)
    output = tmp_path / "out"
    assert list(values["organs"]) == ["spleen"]
    assert sum("as measured before" in line for line in lines) == 3
    assert not (output / "worst" / "liver.png").exists()
    assert (output / "worst" / "spleen.png").exists()
    assert "(6 organs of 3 cases)" in values["calibration_note"]
    assert values["calibration_note"] == evaluated[2]["calibration_note"]


@pytest.mark.parametrize(("changes", "note"), [
    ({"trained_on": frozenset({"balls/a"})}, "some of the cases were trained on"),
    ({"start": "base"}, "base, which training began with, may have been trained on"),
])
def test_what_was_or_may_have_been_trained_on_calibrates_nothing(again, changes, note):
    values = again(**changes)
    assert values["calibration"] is None and note in values["calibration_note"]


def test_nothing_to_score_is_an_error(build, selection, tmp_path):
    broken = build.case("a")
    broken.image.unlink()
    with pytest.raises(InputError, match="no case could be scored: balls/a: "):
        evaluate(selection(broken), tmp_path / "out", "cpu", report=quiet)
    with pytest.raises(InputError, match="stand-in does not know stomach; it knows liver"):
        evaluate(selection(build.case("b")), tmp_path / "out", "cpu", [find("stomach")],
                 report=quiet)


def test_an_output_that_cannot_be_made(build, selection, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="cannot be made"):
        evaluate(selection(build.case("a")), tmp_path / "out", "cpu", report=quiet)
