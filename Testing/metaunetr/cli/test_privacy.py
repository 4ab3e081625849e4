"""Nothing that a batch writes or prints tells of a patient, unless it is asked for."""

from __future__ import annotations

import csv
import gzip
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pydicom")

from dicom_series import write_series
from metaunetr.batch.privacy import series_id
from metaunetr.engine import Segmenter
from metaunetr.io import write_image
from tiny_bundle import small_ct

UID = "1.2.826.0.1.3680043.8.498.771"
PATIENT = {
    "PatientName": "Quaxly^Zebulon", "PatientID": "ZQ-771-X", "PatientBirthDate": "19470213",
    "AccessionNumber": "ACC9917733", "InstitutionName": "Quimby Hospital",
    "StudyDate": "20231107", "SeriesDate": "20231108", "ReferringPhysicianName": "Vorpal^Anna",
    "StudyDescription": "Staging for Quaxly", "StudyID": "ST55102",
    "OtherPatientIDs": "OLD-4711-Q", "PatientAddress": "7 Bandersnatch Road",
    "OperatorsName": "Tove^Slithy", "StudyInstanceUID": f"{UID}.5", "SeriesDescription": "QZ thin",
}
WORDS = (
    "Quaxly", "Zebulon", "ZQ-771-X", "19470213", "ACC9917733", "Quimby", "20231107", "20231108",
    "Vorpal", "ST55102", "OLD-4711-Q", "Bandersnatch", "Slithy", UID, "QZ thin",
)


@pytest.fixture(scope="module")
def scans(tmp_path_factory) -> Path:
    """Series of one patient, below a folder and in files of his name: good, bad, and left out."""
    top = tmp_path_factory.mktemp("scans") / "Quaxly" / "in"
    ct = small_ct()
    number = 0

    def series(folder: str, slices=slice(None), **elements) -> list[Path]:
        nonlocal number
        number += 1
        uid = f"{UID}.{number}"
        paths = write_series(top / folder, ct, f"QUAXLY_ZEBULON-{number}-", SeriesInstanceUID=uid,
                             SeriesNumber=number, **PATIENT | elements)
        for path in set(paths) - set(paths[slices]):
            path.unlink()
        return paths

    series("good")
    series("two")
    series("two")
    series("localizer", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    series("few", slice(3))
    cut = series("cut")[4]
    os.truncate(cut, 900)
    series("mixed", PixelSpacing=lambda k: [7.5 + k, 7.5])
    series("strange", PixelSpacing=None)
    gone = series("gap")
    gone[9].unlink()
    gone[10].unlink()
    for folder, elements in (("packed, few", {"slices": slice(3)}),
                             ("packed, strange", {"PixelSpacing": None})):
        packed = series(folder, **elements)[0].parent
        shutil.make_archive(str(packed), "zip", packed.parent, packed.name)
        shutil.rmtree(packed)
    return top


def everything(folder: Path) -> dict[str, bytes]:
    """All files, unpacked where they are packed, and their paths."""
    return {str(path.relative_to(folder)): gzip.decompress(path.read_bytes())
            if path.suffix == ".gz" else path.read_bytes()
            for path in folder.rglob("*") if path.is_file()}


def found_words(words, content: dict[str, bytes]) -> dict[str, list[str]]:
    """The words that occur, in either case, by where."""
    found = {where: [word for word in words
                     if word.lower().encode() in (where.encode() + data).lower()]
             for where, data in content.items()}
    return {where: words for where, words in found.items() if words}


@pytest.mark.slow
@pytest.mark.parametrize("options", [
    ("--format", "seg.nrrd", "--surfaces", "stl", "--report"),
    ("--format", "nii.gz", "--all-series"),
])
def test_nobody_learns_whose_scans_they_are(scans, tiny, tmp_path, run, options):
    out = tmp_path / "out"
    for resume in ((), ("--resume",)):
        ran = run("batch", "--input", scans, "--output", out, "--model", tiny, *options, *resume,
                  "--statistics", tmp_path / "out" / "all.csv")
        assert ran.code == 7
        assert "3 done" in ran.out or "3 finished before" in ran.out
        assert found_words(WORDS, {"output": ran.out.encode(), "errors": ran.err.encode()}) == {}
    content = everything(out)
    assert found_words(WORDS, content) == {}
    assert {Path(name).suffix for name in content} >= {
        ".json", ".png", ".csv", ".html", ".sqlite"}
    (_, *rows) = csv.reader((out / "organs.csv").read_text().splitlines())
    assert {row[0]: row[-1] for row in rows} == {
        "good": series_id(f"{UID}.1"), "two/series 2": series_id(f"{UID}.2"),
        "two/series 3": series_id(f"{UID}.3")}


@pytest.mark.slow
def test_lines_for_programs_have_paths_and_nothing_of_the_headers(scans, tiny, tmp_path, run):
    ran = run("batch", "--input", scans, "--output", tmp_path / "out", "--model", tiny,
              "--json-progress")
    for line in ran.out.splitlines():
        event = json.loads(line)
        for case in event.get("cases", ()):
            case.pop("input")  # so that programs can open it
        assert found_words(WORDS, {"event": json.dumps(event).encode()}) == {}


def test_who_asks_for_identifiers_gets_them(scans, tiny, tmp_path, run):
    out = tmp_path / "out"
    ran = run("batch", "--input", scans, "--output", out, "--model", tiny, "--identifiers")
    assert f"{scans / 'gap'}: slices are missing: QUAXLY_ZEBULON" in ran.out
    header, *rows = csv.reader((out / "organs.csv").read_text().splitlines())
    assert dict(zip(header, rows[0], strict=True)) | {
        "patient_name": "Quaxly^Zebulon", "patient_id": "ZQ-771-X", "study_date": "20231107",
        "accession_number": "ACC9917733", "study_uid": f"{UID}.5", "series_uid": f"{UID}.1",
        "input": str(scans / "good"),
    } == dict(zip(header, rows[0], strict=True))
    assert "Quaxly^Zebulon, ZQ-771-X, 20231107, ACC9917733" in (out / "index.html").read_text()


def test_not_even_a_bug_tells(scans, tiny, tmp_path, run, monkeypatch):
    def fail(*_, **__):
        raise ValueError("PN 'Quaxly^Zebulon' of Quimby Hospital, born 19470213, ZQ-771-X")

    monkeypatch.setattr(Segmenter, "segment", fail)
    ran = run("batch", "--input", scans / "good", "--output", tmp_path / "out", "--model", tiny)
    assert "FAILED: Unexpected ValueError: " in ran.out
    assert found_words(WORDS, {"output": ran.out.encode(), **everything(tmp_path / "out")}) == {}


def test_a_file_is_told_by_its_place_alone(tiny, tmp_path, run):
    path = tmp_path / "Quaxly" / "in" / "ct.nii.gz"
    path.parent.mkdir(parents=True)
    write_image(path, small_ct())
    (path.parent / "empty.nrrd").touch()
    named = tmp_path / "Quaxly" / "list.csv"
    named.write_text(f"image,name\n{path},case 1\nin/gone.nii,case 2\nin/empty.nrrd,case 3\n")
    out = tmp_path / "out"
    for inputs in ((path.parent,), (named,)):
        ran = run("batch", "--input", *inputs, "--output", out, "--model", tiny)
        assert ran.code == 7
        assert found_words(WORDS, {"output": ran.out.encode(), **everything(out)}) == {}
    assert "case 2: FAILED: case 2: there is no such file" in ran.out
    with sqlite3.connect(out / "run.sqlite") as connection:
        assert dict(connection.execute("SELECT name, state FROM cases")) == {
            "case 1": "done", "case 2": "failed", "case 3": "failed"}


@pytest.mark.parametrize(("kind", "suffix"), [("dicomseg", ".dcm"), ("rtstruct", ".rtstruct.dcm")])
@pytest.mark.parametrize("name", ["Quaxly^Zebulon", "Quaxly"])
def test_dicom_objects_carry_the_patient_and_nothing_else_does(
        tiny, tmp_path, run, kind, suffix, name):
    """Also where a library has something to say of the name, or a date is none."""
    pydicom = pytest.importorskip("pydicom")
    pytest.importorskip("highdicom")
    write_series(tmp_path / "in" / "good", small_ct(), **PATIENT | {"PatientName": name})
    for path in (tmp_path / "in" / "good").iterdir():  # as long as the date that it replaces
        path.write_bytes(path.read_bytes().replace(b"19470213", b"47-02-13"))
    out = tmp_path / "out"
    ran = run("batch", "--input", tmp_path / "in", "--output", out, "--model", tiny,
              "--format", kind)
    assert ran.code == 0
    written = pydicom.dcmread(out / f"good{suffix}")
    assert (written.PatientName, written.PatientBirthDate) == (name, "")
    words = (*WORDS, "47-02-13")
    assert found_words(words, {"output": ran.out.encode(), "errors": ran.err.encode()}) == {}
    assert set(found_words(words, everything(out))) == {f"good{suffix}"}
    record = json.loads((out / "good.json").read_text())["record"]
    assert any("is without Patient's Birth Date" in text for text in record["warnings"])


@pytest.mark.parametrize("command", [
    "segment", pytest.param("batch", marks=pytest.mark.slow)])
def test_what_libraries_say_is_told_without_the_patient(tiny, tmp_path, command):
    """In a process of its own: pytest takes warnings and log lines for itself."""
    write_series(tmp_path / "in" / "good", small_ct(), **PATIENT)
    program = """
import logging, sys, warnings
from metaunetr import io
from metaunetr.cli import main
write = io.write_labels
def complain(*args):
    for name in ("Quaxly^Zebulon", "Quaxly"):
        warnings.warn(f'The string "{name}" is unlikely to be a name')
    logging.getLogger("library").warning("no date: %r, %s", "19470213", "of\\nnobody")
    write(*args)
io.write_labels = complain
sys.exit(main(sys.argv[1:]))
"""
    given = {"segment": ("segment", tmp_path / "in" / "good", "-o", tmp_path / "out.nii.gz"),
             "batch": ("batch", "--input", tmp_path / "in", "--output", tmp_path / "out")}[command]
    ran = subprocess.run([sys.executable, "-c", program, *map(str, given), "--model", tiny],
                         capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    lines = [line for line in ran.stderr.splitlines() if "…" in line]
    assert lines == ["warning: The string … is unlikely to be a name",
                     "warning: no date: …, of nobody"]
    assert found_words(WORDS, {"errors": ran.stderr.encode()}) == {}
