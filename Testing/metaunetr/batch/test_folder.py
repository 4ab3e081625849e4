"""The run folder tells of every case: what was found, what failed and why, what is left out."""

from __future__ import annotations

import csv
import math
import sqlite3
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from metaunetr.batch.candidates import Found
from metaunetr.batch.case import Case, make_cases
from metaunetr.batch.discover import Discovery
from metaunetr.batch.finished import Finished
from metaunetr.batch.folder import RunFolder
from metaunetr.errors import OutputError
from metaunetr.organs import BY_NAME
from metaunetr.result import OrganResult

LIVER = OrganResult(BY_NAME["liver"], 70, 0.333, 61.2, 0.0, 0.875)
SPLEEN = OrganResult(BY_NAME["spleen"], 0, 0.0, math.nan, math.nan, math.nan, ("not found",))
FINISHED = Finished("", {"version": "1"}, {}, (SPLEEN, LIVER), {})
LEFT_OUT = Discovery(left_out=[(Path("/in/old.seg.nrrd"), "a segmentation, not a CT")])


@pytest.fixture
def cases(tmp_path) -> list[Case]:
    found = [Found(Path(f"/in/{name}.nii.gz"), (Path(f"/in/{name}.nii.gz"),),
                   PurePosixPath(f"{name}.nii.gz")) for name in ("a/one", "two", "three", "<four>")]
    return make_cases(found, tmp_path, ".seg.nrrd")


def lines(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text(encoding="utf-8").splitlines()))


def rows(folder: Path) -> dict[str, tuple]:
    with sqlite3.connect(folder / "run.sqlite") as connection:
        return {name: rest for name, *rest in connection.execute(
            "SELECT name, state, reason, seconds, attempts, made_from FROM cases")}


def test_a_run_from_begin_to_end(tmp_path, cases):
    folder = RunFolder(tmp_path, False)
    folder.begin(cases, LEFT_OUT)
    one, two, three, _ = cases
    for case in (one, two, three):
        folder.running(case)
    folder.done(one, FINISHED, 10.0)
    folder.failed(two, "two.nii.gz: the file is empty", 0.5)
    folder.close()
    assert rows(tmp_path) == {
        "a/one": ["done", "", 10.0, 1, '{"version": "1"}'],
        "two": ["failed", "two.nii.gz: the file is empty", 0.5, 1, ""],
        "three": ["waiting", "", None, 1, ""],  # cancelled
        "<four>": ["waiting", "", None, 0, ""],
    }
    header, *organs = lines(tmp_path / "organs.csv")
    assert [(row[0], row[1]) for row in organs] == [("a/one", "spleen"), ("a/one", "liver")]
    assert organs[1][header.index("volume_ml")] == "0.333"
    assert lines(tmp_path / "failures.csv")[1:] == [
        ["two", "failed", "two.nii.gz: the file is empty"], ["three", "waiting", ""],
        ["<four>", "waiting", ""], ["/in/old.seg.nrrd", "left out", "a segmentation, not a CT"],
    ]
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'href="a/one.seg.nrrd"' in page
    assert 'src="a/one.png"' in page
    assert "&lt;four&gt;" in page


@pytest.mark.parametrize("seconds", [10.0, None], ids=["done", "finished before"])
def test_a_case_whose_input_lacks_something_is_told(tmp_path, cases, seconds):
    folder = RunFolder(tmp_path, False)
    folder.begin(cases[:1], Discovery())
    folder.running(cases[0])
    folder.done(cases[0], replace(FINISHED, organs=(LIVER,), warnings=("Ends missing.",)), seconds)
    folder.close()
    assert lines(tmp_path / "failures.csv")[1:] == [["a/one", "done", "Ends missing."]]
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "To look at (1)" in page
    assert "Ends missing." in page


def test_a_killed_run_is_gone_on_with(tmp_path, cases):
    killed = RunFolder(tmp_path, False)
    killed.begin(cases, Discovery())
    for case in cases[:2]:
        killed.running(case)
    killed.done(cases[0], FINISHED, 10.0)
    killed.manifest._connection.close()  # as the system does
    assert [state for state, *_ in rows(tmp_path).values()] == ["done", "running", "waiting",
                                                                "waiting"]
    resumed = RunFolder(tmp_path, False)
    resumed.begin(cases, Discovery())
    resumed.done(cases[0], FINISHED, None)
    resumed.running(cases[1])
    resumed.done(cases[1], FINISHED, 3.0)
    resumed.close()
    assert [row[:4] for row in rows(tmp_path).values()] == [
        ["done", "", 10.0, 1], ["done", "", 3.0, 2], ["waiting", "", None, 0],
        ["waiting", "", None, 0]]


def test_cases_of_another_input_go(tmp_path, cases):
    for some in (cases[:2], cases[1:]):
        folder = RunFolder(tmp_path, False)
        folder.begin(some, Discovery())
        folder.close()
    assert list(rows(tmp_path)) == [case.name for case in cases[1:]]


def test_one_file_that_cannot_be_written_does_not_cost_the_others(tmp_path, cases):
    (tmp_path / "organs.csv").mkdir()
    folder = RunFolder(tmp_path, False)
    folder.begin(cases, Discovery())
    folder.done(cases[0], FINISHED, 1.0)
    with pytest.raises(OutputError, match=r"organs\.csv: cannot be written"):
        folder.close()
    assert (tmp_path / "index.html").exists()
    assert rows(tmp_path)["a/one"][0] == "done"


def test_no_name_is_a_formula_to_a_spreadsheet(tmp_path):
    path = Path("/in/=HYPERLINK(1).nii.gz")
    (case,) = make_cases([Found(path, (path,), PurePosixPath(path.name))], tmp_path, ".seg.nrrd")
    folder = RunFolder(tmp_path, False)
    folder.begin([case], Discovery(left_out=[(Path("@x"), "-reason")]))
    folder.done(case, FINISHED, 1.0)
    folder.close()
    organs = lines(tmp_path / "organs.csv")[1:]
    assert {organ[0] for organ in organs} == {"'=HYPERLINK(1)"}
    assert lines(tmp_path / "failures.csv")[1:] == [["'@x", "left out", "'-reason"]]
