"""A case is finished when its record says so, its files are there, and nothing has changed."""

from __future__ import annotations

import hashlib
import json
import math
import os
from dataclasses import replace
from pathlib import Path

import pytest

from metaunetr.batch.case import Case
from metaunetr.batch.case_record import CaseRecord, input_state, keep_foreign_files, own_outputs
from metaunetr.errors import InputError
from metaunetr.organs import BY_NAME
from metaunetr.result import OrganResult

MADE_FROM = {"version": "1", "input": "abc", "organs": ["liver"], "overlap": None}
ORGANS = (
    OrganResult(BY_NAME["spleen"], 0, 0.0, math.nan, math.nan, math.nan, ("not found",)),
    OrganResult(BY_NAME["liver"], 70, 0.333, 61.2, 0.0, 0.875, ("one; flag", "größer")),
)


@pytest.fixture
def case(tmp_path) -> Case:
    """A case whose results have been written, without their record."""
    (tmp_path / "ct surfaces").mkdir()
    (tmp_path / "ct.seg.nrrd").write_bytes(bytes(100))
    (tmp_path / "ct surfaces" / "liver.stl").write_bytes(bytes(50))
    (tmp_path / "ct.nii.gz").write_bytes(bytes(10))
    return Case("ct", tmp_path / "ct.nii.gz", (tmp_path / "ct.nii.gz",), tmp_path / "ct.seg.nrrd",
                tmp_path / "ct.json", tmp_path / "ct surfaces", tmp_path / "ct.png",
                public_input="ct.nii.gz")


@pytest.fixture
def record() -> CaseRecord:
    outputs = {"ct.seg.nrrd": 100, "ct surfaces/liver.stl": 50}
    return CaseRecord("ct.nii.gz", MADE_FROM, outputs, ORGANS, {"model": "tiny"})


def test_a_record_is_read_as_it_was_written(case, record):
    case.record.write_text(record.text())
    found = CaseRecord.read(case)
    assert found.text() == record.text()
    assert found.organs[1] == ORGANS[1]
    assert math.isnan(found.organs[0].confidence)
    assert found.flags == ["spleen: not found", "liver: one; flag", "liver: größer"]
    assert found.is_current(case, MADE_FROM)


@pytest.mark.parametrize("changes", [
    {"version": "2"}, {"input": "def"}, {"organs": None}, {"overlap": 0.5}, {"new option": 1},
])
def test_made_from_something_else(case, record, changes):
    assert not record.is_current(case, MADE_FROM | changes)


@pytest.mark.parametrize(("name", "size"), [
    ("ct.seg.nrrd", 99), ("ct.seg.nrrd", None), ("ct surfaces/liver.stl", 0),
    ("ct surfaces/liver.stl", None),
])
def test_a_file_that_is_missing_or_shorter(case, record, name, size):
    path = case.record.parent / name
    path.unlink() if size is None else os.truncate(path, size)
    assert not record.is_current(case, MADE_FROM)


@pytest.mark.parametrize("text", [
    "", "{", "[]", "null", '{"format": 1}', '{"format": 2}', "[" * 100_000, "\0" * 500,
    '{"format": 1, "outputs": [], "organs": [{}]}',
])
def test_what_is_no_valid_record(case, text):
    case.record.write_text(text)
    assert CaseRecord.read(case) is None


@pytest.mark.parametrize("key", ["input", "made_from", "outputs", "organs", "record"])
def test_a_record_without_one_of_its_parts(case, record, key):
    values = json.loads(record.text())
    del values[key]
    case.record.write_text(json.dumps(values))
    assert CaseRecord.read(case) is None


@pytest.mark.parametrize(("key", "number"), [("voxels", "1e400"), ("volume_ml", "9" * 400)])
def test_numbers_that_no_organ_has(case, record, key, number):
    values = json.loads(record.text())
    values["organs"][0][key] = "absurd"
    case.record.write_text(json.dumps(values).replace('"absurd"', number))
    assert CaseRecord.read(case) is None


def test_a_record_names_no_file_outside_its_folder(case, record):
    strange = dict.fromkeys(("../a", "b/../../c", "/etc/passwd", "ct.seg.nrrd"), 1)
    assert list(replace(record, outputs=strange).sizes(case)) == [case.labels]


def test_the_state_of_the_input(case):
    """Another size, time or name; the data file beside a header."""
    states = [input_state(case)]
    path = case.files[0]
    os.utime(path, ns=(0, 10))
    states.append(input_state(case))
    path.write_bytes(bytes(11))
    os.utime(path, ns=(0, 10))
    states.append(input_state(case))
    assert len(set(states)) == 3
    assert input_state(case) == states[-1]


@pytest.mark.parametrize(("name", "header"), [
    ("ct.mhd", "NDims = 3\nElementDataFile = {}\n"),
    ("ct.nhdr", "NRRD0005\ntype: short\ndata file: {}\n\n"),
])
@pytest.mark.parametrize("voxels", ["ct.raw", "voxels/other.raw"])
def test_the_state_of_a_header_has_that_of_its_voxels_and_of_nothing_else(
    case, tmp_path, name, header, voxels
):
    path = tmp_path / name
    path.write_text(header.format(voxels))
    detached = replace(case, files=(path,))
    (tmp_path / voxels).parent.mkdir(exist_ok=True)
    (tmp_path / voxels).write_bytes(b"1")
    before = input_state(detached)
    (tmp_path / "ct.json").write_bytes(b"our record")
    assert input_state(detached) == before
    (tmp_path / voxels).write_bytes(b"12")
    assert input_state(detached) != before


def test_an_input_that_has_gone(case):
    with pytest.raises(InputError, match="no such file"):
        input_state(replace(case, files=(Path("gone.nii.gz"),)))


def test_outputs_of_killed_runs_are_not_taken_for_files_of_others(case, record):
    """Neither those of the first run nor those of later ones, which were killed."""
    def digest(path):
        return hashlib.sha256(path.read_bytes()).hexdigest()

    surface = case.surfaces / "liver.stl"
    case.record.write_text(replace(record, sha256={
        "ct.seg.nrrd": digest(case.labels), "ct surfaces/liver.stl": digest(surface)}).text())
    for content in (b"second", b"third", b"fourth"):
        new = {"ct.seg.nrrd": hashlib.sha256(content).hexdigest()}
        assert keep_foreign_files(case, replace(record, sha256=new)) == ()
        assert CaseRecord.read(case) is None
    case.labels.write_bytes(content)  # the last was killed after this
    assert keep_foreign_files(case, replace(record, sha256=new)) == ()
    case.labels.write_bytes(b"somebody")
    assert keep_foreign_files(case, replace(record, sha256=new)) == ("ct (before).seg.nrrd",)
    assert own_outputs(case) == {case.labels: {new["ct.seg.nrrd"]}, surface: {digest(surface)}}
