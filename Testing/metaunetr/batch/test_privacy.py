"""Messages and paths without names of patients; for whole runs see cli/test_privacy."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pytest

from metaunetr.batch.privacy import IDENTIFIERS, identity, public_path, public_text, series_id


def test_the_id_of_a_series_is_a_hash_of_its_uid():
    assert series_id("1.2.3") == "c47f5b18b8a4"
    assert series_id("1.2.3") != series_id("1.2.4")
    assert series_id("") == ""


@pytest.mark.parametrize(("path", "expected"), [
    ("top/a/ct.nii.gz", "a/ct.nii.gz"),
    ("top/old.seg.nrrd", "old.seg.nrrd"),
    ("top/a", "a"),  # a folder
    ("elsewhere/of/Doe/ct.mha", "ct.mha"),
])
def test_places_below_the_common_folder(tmp_path, path, expected):
    (tmp_path / "top" / "a").mkdir(parents=True)
    assert public_path(tmp_path / path, tmp_path / "top") == Path(expected)


@pytest.mark.parametrize("name", ["DOE.dcm", "DOE", "DOE.CT.ABDOMEN.2.IMA"])
def test_names_of_dicom_files_are_hashed(tmp_path, name):
    shown = public_path(tmp_path / "a" / name, tmp_path)
    assert shown.parent == Path("a")
    assert shown.name.startswith("DICOM file ")
    assert shown == public_path(tmp_path / "a" / name, tmp_path)
    assert "DOE" not in str(shown)


@pytest.mark.parametrize(("text", "expected"), [
    ("{folder}: slices are missing: DOE-1.dcm and DOE-2.dcm are 9 mm apart",
     "study/series 2: slices are missing: DICOM file ? and DICOM file ? are 9 mm apart"),
    ("{folder}/DOE-2.dcm: cannot be read", "DICOM file ?: cannot be read"),
    ("Unexpected ValueError: 'Doe^Jane' is no number", "Unexpected ValueError: '…' is no number"),
    ("born 19470213, DOE, 2 slices", "born …, …, 2 slices"),
    ("a doe in a doeskin", "a doe in a doeskin"),
    ("it is '1.2.840.113619.2.55.77', not '1.2.840.99.4711.20240101.ABC'", "it is '…', not '…'"),
    ("1.2.840.10008.1.2.4.100 of 9.00 mm", "1.2.840.10008.1.2.4.100 of 9.00 mm"),
    ("{parent}/other.nii: no such file", "other.nii: no such file"),
])
def test_messages_about_a_series(tmp_path, series, text, expected):
    paths = series("study", g0010_0010="Doe^Jane", g0010_0030="19470213", g0008_0090="DOE^John",
                   g0020_000d="1.2.9")
    for number, path in enumerate(paths):
        path.rename(path.with_name(f"DOE-{number}.dcm"))
    folder = paths[0].parent
    shown = public_text(text.format(folder=folder, parent=folder.parent), folder,
                   sorted(folder.iterdir()), "study/series 2")
    for name in ("DOE-1.dcm", "DOE-2.dcm"):
        shown = shown.replace(public_path(folder / name, folder).name, "DICOM file ?")
    assert shown == expected


@pytest.mark.parametrize(("name", "hashed"), [
    ("4711123_19510203_003.dcm", True), ("IM-4711-3.dcm", True), ("1.2.840.99.7.dcm", True),
    ("510203.dcm", True), ("00012.dcm", False), ("12", False),
])
def test_names_of_files_in_messages_are_hashed_unless_they_only_count(
        tmp_path, series, name, hashed):
    paths = series("study", slices=1)
    path = paths[0].rename(paths[0].with_name(name))
    text = public_text(f"{path.parent}: {name} is odd", path.parent, [path], "study")
    assert text == f"study: {public_path(path, tmp_path).name if hashed else name} is odd"


@pytest.mark.parametrize(("name", "patient", "uid"), [
    ("", "Doe Jane", "1.9"), ("00001.dcm", "Doe Jane", "1.9"), ("00006.dcm", "Roe Richard", "1.8"),
])
def test_messages_about_a_zip_file(tmp_path, series, name, patient, uid):
    """Its first file is no image; then there are series of two patients."""
    file = tmp_path / "in" / "study.zip"
    path = file / name
    slices = [*series("1", g0010_0010="Doe^Jane", g0020_000d="1.9"),
              *series("2", g0010_0010="Roe^Richard", g0020_000d="1.8")]
    with ZipFile(file, "w") as zip_file:
        zip_file.writestr("DICOMDIR", bytes(128) + b"DICM")
        for number, one in enumerate(slices):
            zip_file.write(one, f"{number}.dcm")
    assert public_text(f"{path}: '{patient}' is wrong", path, [file], "study/series 2") == (
        "study/series 2: '… …' is wrong")
    assert public_text(f"{file}: is damaged", path, [file], "study/series 2") == (
        "study/series 2: is damaged")
    assert identity(path, [file])["study_uid"] == uid
    assert public_path(file, tmp_path) == Path("in/study.zip")
    file.write_bytes(b"PK")
    assert identity(path, [file]) == dict.fromkeys(IDENTIFIERS, "")


@pytest.mark.parametrize("damage", ["gone", "empty", "cut"])
def test_messages_about_a_series_whose_first_slice_is_damaged(tmp_path, series, damage):
    first, *others = series("study", g0010_0010="Doe^Jane")
    content = first.read_bytes()
    first.unlink()
    if damage != "gone":
        first.write_bytes(content[:200] if damage == "cut" else b"")
    shown = public_text("a slice of 'Doe^Jane'", first.parent, [first, *others], "study")
    assert shown == "a slice of '…'"


def test_messages_about_a_file_that_is_gone(tmp_path):
    path = tmp_path / "Doe" / "ct.nii.gz"
    assert public_text(f"{path}: there is no such file", path, [path], "case 1") == (
        "case 1: there is no such file")


@pytest.mark.parametrize("name", ["gone", "damaged.dcm"])
def test_messages_about_what_cannot_be_read(tmp_path, name):
    path = tmp_path / "Doe" / name
    path.parent.mkdir()
    if name != "gone":
        path.write_bytes(bytes(128) + b"DICM\x08\0\0")
    shown = public_text(f"{path}: cannot be read", path, [path], "case 1")
    assert shown == "case 1: cannot be read"
    assert identity(path, [path]) == dict.fromkeys(IDENTIFIERS, "")
