"""What is found in files and folders, the names of cases, and what is left out with its reason."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from metaunetr.batch.case import make_cases
from metaunetr.batch.discover import discover
from metaunetr.errors import InputError
from metaunetr.io import read_image


def names(*inputs: Path, output: Path = Path("/nowhere")) -> list[str]:
    return [case.name for case in make_cases(discover(inputs, output).found, output, ".seg.nrrd")]


def left_out(folder: Path, output: Path = Path("/nowhere")) -> dict[str, str]:
    return {str(path.relative_to(folder)): reason
            for path, reason in discover([folder], output, identifiers=True).left_out}


def test_images_and_series_are_found_to_the_bottom(tmp_path, image, series):
    for name in ("b.mha", "a.nii.gz", "a/deep/er/c.nrrd", "a/d.nii", "a/e.mhd"):
        image(name)
    series("study/thin")
    (tmp_path / "in" / "notes.txt").touch()
    assert names(tmp_path / "in") == ["a", "b", "a/d", "a/e", "a/deep/er/c", "study/thin"]
    assert discover([tmp_path / "in"], tmp_path).others == {".txt": 1, ".raw": 1}


@pytest.mark.parametrize(("files", "expected"), [
    (["a/ct.nii.gz", "b/ct.nii.gz"], ["a/ct", "b/ct"]),
    (["ct.nii.gz", "ct.nrrd", "other.mha"], ["ct.nii.gz", "ct.nrrd", "other"]),
    (["ct.nii", "ct.nii.gz"], ["ct.nii", "ct.nii.gz"]),
    (["CT.nii.gz", "ct.mha"], ["CT.nii.gz", "ct.mha"]),
    (["a.b.nii.gz", "größe 大.nrrd"], ["a.b", "größe 大"]),
])
def test_no_two_cases_have_one_name(tmp_path, image, files, expected):
    paths = [image(name) for name in files]
    assert names(tmp_path / "in") == expected
    assert names(*paths) == expected


@pytest.mark.parametrize(("inputs", "expected"), [
    (["in"], ["a/ct", "b/ct", "b/c/ct"]),
    (["in/a"], ["ct"]),
    (["in/a/ct.nii.gz"], ["ct"]),
    (["in/a", "in/b"], ["a/ct", "b/ct", "b/c/ct"]),
    (["in/b", "in/b/c", "in/b/ct.nii.gz"], ["ct", "c/ct"]),
    (["in/a/ct.nii.gz", "in/b/c"], ["a/ct", "b/c/ct"]),
    (["in/a/missing.nii.gz"], ["missing"]),
])
def test_names_begin_below_the_folder_that_all_inputs_share(tmp_path, image, inputs, expected):
    for name in ("a/ct.nii.gz", "b/ct.nii.gz", "b/c/ct.nii.gz"):
        image(name)
    assert names(*(tmp_path / path for path in inputs)) == expected


def test_what_is_no_ct_is_left_out_with_the_reason(tmp_path, image, series):
    image("ct.nii.gz")
    image("old.seg.nrrd", np.uint8)
    image("labels.nii.gz", np.uint8)
    image("results/ct.nii.gz")
    image(".cache/ct.nii.gz")
    image(".metaunetr-0123456789ab.nii.gz")
    series("study", "1.1", kind="ORIGINAL\\PRIMARY\\LOCALIZER", slices=2)
    series("study", "1.2", slices=3)
    series("study", "1.3", modality="MR")
    series("study", "1.4")
    (tmp_path / "in" / "reports").mkdir()
    (tmp_path / "in" / "reports" / "DICOMDIR").write_bytes(bytes(128) + b"DICM")
    folder, output = tmp_path / "in", tmp_path / "in" / "results"
    assert names(folder, output=output) == ["ct", "study"]
    assert left_out(folder, output) == {
        "old.seg.nrrd": "a segmentation, not a CT",
        "labels.nii.gz": "its voxels are bytes, which cannot hold HU: a label map",
        "results": "the folder of the results",
        "study/1.1-0.dcm": "a localizer",
        "study/1.2-0.dcm": "a series of 3 slices; a volume needs 5",
        "study/1.3-0.dcm": "a series of modality MR, not CT",
        "reports": "its DICOM files are no images",
    }


def test_several_series_in_one_folder_are_a_case_each(tmp_path, series):
    for uid, number in (("1.1", "2"), ("1.2", "7"), ("1.3", "7"), ("1.4", "../../x")):
        series("study", uid, number=number)
    output = tmp_path / "out"
    cases = make_cases(discover([tmp_path / "in"], output).found, output, ".dcm")
    first, second, third, fourth = (case.name for case in cases)
    assert (first, fourth) == ("study/series 2", "study/series unknown")
    assert second != third
    assert second.startswith("study/series 7 ")
    assert [len(case.files) for case in cases] == [5] * 4
    assert all(output / "study" == case.labels.parent for case in cases)


def test_a_series_is_read_from_the_files_that_were_found(tmp_path, series, monkeypatch):
    """Of a folder with three series and a damaged slice, only those of the series and the last."""
    for uid, kind in (("1.1", "ORIGINAL"), ("1.2", "ORIGINAL"), ("1.3", "DERIVED")):
        series("study", uid, kind=kind)
    (tmp_path / "in" / "study" / "9.dcm").write_bytes(b"\0" * 500)
    found = discover([tmp_path / "in"], tmp_path).found[1]
    scan, looked_at = sys.modules["metaunetr.io.dicom.folder_scan"], []
    look = scan._look
    monkeypatch.setattr(scan, "_look", lambda path: looked_at.append(path) or look(path))
    image = read_image(found.path, (*found.files, *found.beside))
    assert {path.name for path in looked_at} == {*(f"1.2-{k}.dcm" for k in range(5)), "9.dcm"}
    assert len(image.dicom_files) == 5
    assert "1 file beside the slices cannot be read and may be slices" in image.warnings[0]


def test_the_folder_of_a_series_and_all_its_slices_are_the_same_case(tmp_path, series):
    slices = series("study")
    assert names(tmp_path / "in" / "study") == ["study"]
    assert names(*slices) == ["study"]
    assert names(slices[3], tmp_path / "in" / "study") == ["study"]


def test_what_is_damaged_is_a_case_that_will_fail(tmp_path, series):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "bad.nrrd").write_text("no header")
    for path in series("study"):
        path.write_bytes(path.read_bytes()[:600])
    assert names(tmp_path / "in") == ["bad", "study"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_are_followed_and_loops_are_not(tmp_path, image):
    image("a/ct.nii.gz")
    (tmp_path / "in" / "a" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "z").symlink_to(image("../elsewhere/ct.nii.gz").parent)
    assert names(tmp_path / "in") == ["a/ct", "z/ct"]


def test_a_folder_that_cannot_be_read_is_left_out(tmp_path, image, monkeypatch):
    image("a/ct.nii.gz")
    scan = os.scandir

    def locked(folder):
        if str(folder).endswith("a"):
            raise PermissionError(13, "Permission denied", str(folder))
        return scan(folder)

    monkeypatch.setattr("os.scandir", locked)
    assert left_out(tmp_path / "in") == {"a": "cannot be read: Permission denied"}


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.mha", "a.mhd"])
def test_images_of_bytes_are_label_maps(tmp_path, image, name):
    image(name, np.uint8)
    assert list(left_out(tmp_path / "in")) == [name]


def test_a_header_that_crashes_simpleitk_is_left_to_reading(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mha").write_bytes(
        b"NDims = -2000000000\nDimSize = 4 4 4\nElementType = MET_SHORT\n"
        b"ElementDataFile = LOCAL\n" + bytes(128))
    assert names(tmp_path / "in") == ["a"]


def test_progress_of_a_search(tmp_path, image, series, monkeypatch):
    monkeypatch.setattr("metaunetr.batch.discover.PERIOD", 0.0)
    series("a/one")
    image("b/ct.nii")
    (tmp_path / "in" / "notes.txt").touch()
    reported = []
    discover([tmp_path / "in"], tmp_path, progress=lambda files, cts: reported.append((files, cts)))
    assert reported == sorted(reported)
    assert reported[-1] == (7, 2)


def test_files_that_cannot_be_read_are_left_out(tmp_path, series, monkeypatch):
    """The administrator, and so this test, may read all: `open` refuses."""
    series("whole")
    slices = [*series("some", uid="1.5", slices=6)[:1], *series("none", uid="1.6")]
    opened = open

    def refusing(path, *args, **kwargs):
        if Path(path) in slices:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *args, **kwargs)

    monkeypatch.setattr("builtins.open", refusing)
    assert names(tmp_path / "in") == ["some", "whole"]
    assert left_out(tmp_path / "in") == {"none": "5 of its files cannot be read"}


def test_no_dicom_file_of_a_folder_is_opened_by_the_main_thread(tmp_path, series, monkeypatch):
    """Several threads open them: network shares respond slowly."""
    series("study")
    opened, threads = open, set()

    def recording(path, *args, **kwargs):
        if str(path).endswith(".dcm"):
            threads.add(threading.current_thread())
        return opened(path, *args, **kwargs)

    monkeypatch.setattr("builtins.open", recording)
    assert names(tmp_path / "in") == ["study"]
    assert threads
    assert threading.main_thread() not in threads


def pack(path: Path, *files: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    with ZipFile(path, "w") as zip_file:
        for file in files:
            zip_file.write(file, f"{file.parent.name}/{file.name}")
    return path


def test_a_zip_file_is_searched_as_a_folder_is(tmp_path, series):
    one, two = series("../one", "1.1"), series("../two", "1.2", number="7")
    scout = series("../scout", "1.3", kind="ORIGINAL\\PRIMARY\\LOCALIZER")
    (tmp_path / "notes").touch()
    pack(tmp_path / "in" / "ct.zip", *one)
    pack(tmp_path / "in" / "study.zip", *two, *series("../three", "1.4", number="8"), *scout)
    pack(tmp_path / "in" / "other.zip", tmp_path / "notes")
    pack(tmp_path / "in" / "bad.zip", *one).write_bytes(b"PK")
    found = discover([tmp_path / "in"], tmp_path)
    assert names(tmp_path / "in") == ["bad", "ct", "study/series 7", "study/series 8"]
    assert names(tmp_path / "in" / "ct.zip") == ["ct"]
    assert [item.path.relative_to(tmp_path / "in").as_posix() for item in found.found] == [
        "bad.zip", "ct.zip", "study.zip/00000.dcm", "study.zip/00005.dcm"]
    assert [item.files for item in found.found] == [
        (tmp_path / "in" / name,) for name in ("bad.zip", "ct.zip", "study.zip", "study.zip")]
    assert left_out(tmp_path / "in") == {"study.zip/00010.dcm": "a localizer"}
    assert found.others == {".zip": 1}


@pytest.mark.parametrize("second", [
    {}, {"g0020_000e": "1.1", "g0020_0012": "2"},
], ids=["series with one number", "acquisitions of one series"])
def test_volumes_in_a_zip_file_have_different_names(tmp_path, image, series, second):
    path = pack(tmp_path / "in" / "ct.zip", *series("../1", "1.1", g0020_0012="1"),
                *series("../2", "1.2", **second))
    inputs = tmp_path / "list.csv"
    inputs.write_text("image,name\nin/ct.zip,case 7\n")
    for given, start in ((path, "ct/series 1 "), (inputs, "case 7 ")):
        first, other = names(given)
        assert first != other
        assert first.startswith(start)
        assert other.startswith(start)
    image("other.nii")
    inputs.write_text(f"image,name\nin/ct.zip,case 7\nin/other.nii,{first}\n")
    with pytest.raises(InputError, match=r"the same name as those of case 7, 'case 7 .*; rename"):
        names(inputs)


def test_a_zip_file_and_what_it_was_unpacked_to_are_copies(tmp_path, series):
    slices = series("ct")
    pack(tmp_path / "in" / "ct.zip", *slices)
    assert names(tmp_path / "in") == ["ct"]
    assert left_out(tmp_path / "in") == {"ct/1.2.3-0.dcm": "a copy of ct.zip"}


def test_the_name_of_a_damaged_dicom_file_is_hashed(tmp_path):
    path = tmp_path / "DOE^JANE.dcm"
    path.write_bytes(bytes(128) + b"DICM")
    (name,) = names(path)
    assert re.fullmatch("DICOM file [0-9a-f]{8}", name)


@pytest.mark.parametrize("most", [255, 143])
def test_names_leave_room_for_the_suffixes_of_results(image, series, tmp_path, monkeypatch, most):
    """255 bytes are those of a common file system, 143 those of an encrypted share."""
    monkeypatch.setattr(os, "pathconf", lambda path, name: most)
    series("s" * 250)
    series("d" * 250 + "/1", "1.2")
    image("i" * 240 + "1.nii.gz")
    image("i" * 240 + "2.nii.gz")
    (tmp_path / "l.json").write_text(json.dumps([{"image": "in/n.nii.gz", "name": "n" * 300},
                                                 {"image": "in/m.nii.gz", "name": "short"}]))
    found = names(tmp_path / "in", tmp_path / "l.json", output=tmp_path)
    assert len({name.casefold() for name in found}) == 6
    assert "short" in found
    assert [name.count("/") for name in found if name.startswith("d")] == [1]
    assert max(len(os.fsencode(part)) for name in found for part in name.split("/")) == most - 40
