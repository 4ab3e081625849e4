"""A .zip file is read as a folder is, within limits, and leaves nothing behind."""

from __future__ import annotations

import gc
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from numpy.testing import assert_array_equal

import mutation
from metaunetr.errors import InputError, MetaUNETRError, OutputError
from metaunetr.image import Image
from metaunetr.io import read_image
from metaunetr.io.atomic import temporary_beside
from metaunetr.io.dicom import zip_archive

dicom_series = pytest.importorskip("dicom_series", reason="series are written with pydicom")
write_series = dicom_series.write_series


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch) -> Path:
    """The temporary folder, which is empty in the end."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    gc.collect()
    assert list(folder.iterdir()) == []


def packed(path: Path, *files: Path, names=lambda number, file: file.name) -> Path:
    with ZipFile(path, "w", ZIP_DEFLATED) as zip_file:
        for number, file in enumerate(files):
            zip_file.write(file, names(number, file))
    return path


@pytest.fixture
def slices(tmp_path, ct) -> list[Path]:
    return write_series(tmp_path / "slices", ct)


NAMES = {
    "in a folder": lambda number, file: f"study 1/series ä/{file.name}",
    "in a folder of Windows": lambda number, file: f"study\\series\\{file.name}",
    "without suffix": lambda number, file: f"DICOM/IM{number}",
    "equal in folders": lambda number, file: f"{number}/IM.dcm",
    "outside": lambda number, file: f"../../{file.name}",
    "of devices": lambda number, file: f"/{number}/NUL",
    "long": lambda number, file: f"{number}" + "x" * 300,
}


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_it_is_read_as_a_folder(tmp_path, ct, slices, scratch, names):
    path = packed(tmp_path / "ct.ZIP", *slices, names=names)
    before = sorted(tmp_path.rglob("*"))
    image = read_image(path)
    assert_array_equal(image.array, ct.array)
    assert (image.source, image.warnings) == (path, ())
    assert [Path(file).read_bytes() for file in image.dicom_files] == [
        file.read_bytes() for file in slices]
    assert all(scratch in Path(file).parents for file in image.dicom_files)
    del image
    assert sorted(tmp_path.rglob("*")) == before


def test_hidden_files_and_folders_do_not_matter(tmp_path, ct, slices):
    path = packed(tmp_path / "ct.zip", *slices)
    with ZipFile(path, "a") as zip_file:
        zip_file.writestr("folder.dcm/", b"")
        zip_file.writestr("__MACOSX/._slice000.dcm", b"\0\5\x16\7")
        zip_file.writestr("viewer/readme.txt", "Double-click.")
    assert_array_equal(read_image(path).array, ct.array)
    assert read_image(path).warnings == ()


def test_what_may_be_a_slice_is_reported(tmp_path, slices):
    path = packed(tmp_path / "ct.zip", *slices)
    with ZipFile(path, "a") as zip_file:
        zip_file.writestr("series/IM13", b"")
    (warning,) = read_image(path).warnings
    assert warning.startswith("1 file beside the slices cannot be read")


def test_one_of_several_series_is_named_in_it(tmp_path, ct, slices):
    other = write_series(tmp_path / "other", Image(ct.array + 7, ct.grid), "other")
    path = packed(tmp_path / "study.zip", *slices, *other)
    with pytest.raises(InputError, match=r"study\.zip: .* 2 CT series; name a file .*00012\.dcm"):
        read_image(path)
    assert_array_equal(read_image(path / "00012.dcm").array, ct.array + 7)
    assert_array_equal(read_image(path / "00003.dcm").array, ct.array)
    for name in ("x.dcm", ".."):
        with pytest.raises(InputError, match=rf"zip/{re.escape(name)}: there is no such file"):
            read_image(path / name)


def test_messages_name_the_file_in_it(tmp_path, slices):
    dicom_series.edit(slices[3], HighBit=15)
    with pytest.raises(InputError, match=r"ct\.zip/00003\.dcm: High Bit must be"):
        read_image(packed(tmp_path / "ct.zip", *slices))


def test_one_without_dicom_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(InputError, match=r"ct\.zip: the folder has no DICOM images"):
        read_image(packed(tmp_path / "ct.zip", tmp_path / "notes.txt"))


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)


def encrypt(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)


BAD = {
    "no zip": (lambda path: path.write_bytes(b"PK" * 99), "is no .zip file, or damaged"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-90]), "is no .zip file, or damaged"),
    "damaged": (damage, "is no .zip file, or damaged"),
    "empty": (lambda path: path.write_bytes(b""), r"the file is empty \(0 bytes\)"),
    "encrypted": (encrypt, "is encrypted; unpack it first"),
}


@pytest.mark.parametrize(("spoil", "message"), BAD.values(), ids=BAD)
def test_it_is_refused_in_one_sentence(tmp_path, slices, spoil, message):
    path = packed(tmp_path / "ct.zip", *slices)
    spoil(path)
    with pytest.raises(InputError, match=rf"ct\.zip: {message}"):
        read_image(path)


LIMITS = {
    "files": ("MAX_FILES", 11, "may hold 11 files, this one holds 12; unpack it first"),
    "bytes": ("MAX_BYTES", 50_000, "may hold 0 MB, this one holds 0 MB; unpack it first"),
}


@pytest.mark.parametrize(("name", "limit", "message"), LIMITS.values(), ids=LIMITS)
def test_more_than_the_limit_is_not_unpacked(tmp_path, slices, monkeypatch, name, limit, message):
    path = packed(tmp_path / "ct.zip", *slices)
    monkeypatch.setattr(zip_archive, name, limit)
    monkeypatch.setattr(zip_archive.shutil, "copyfileobj", None)
    with pytest.raises(InputError, match=message):
        read_image(path)


def test_a_size_that_is_not_true_is_no_way_round_the_limit(tmp_path):
    path = tmp_path / "bomb.zip"
    with ZipFile(path, "w", ZIP_DEFLATED) as zip_file:
        zip_file.writestr("a.dcm", bytes(50_000_000))
    data = path.read_bytes().replace((50_000_000).to_bytes(4, "little"), (9).to_bytes(4, "little"))
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"is no \.zip file, or damaged"):
        read_image(path)


def test_where_there_is_no_room_the_folder_is_named(tmp_path, slices, scratch, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(zip_archive.shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(OutputError, match=rf"unpacked .* {scratch} \(No space left.*TMPDIR"):
        read_image(packed(tmp_path / "ct.zip", *slices))


@pytest.mark.skipif(sys.platform == "win32", reason="whether a process lives is not asked there")
def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path, slices, scratch, monkeypatch):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    living = temporary_beside(scratch / "series")
    living.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: gone.pid)
        left = temporary_beside(scratch / "series")
    left.mkdir()
    (left / "00000.dcm").touch()
    read_image(packed(tmp_path / "ct.zip", *slices))
    assert living.exists()
    assert not left.exists()
    living.rmdir()


def test_what_is_damaged_is_read_or_refused(tmp_path, ct, slices, long):
    path = packed(tmp_path / "ct.zip", *slices[:3])
    whole = path.read_bytes()
    for number in range(1000 if long else 60):
        path.write_bytes(mutation.damaged(whole, random.Random(f"zip {number}")))
        try:
            image = read_image(path)
        except MetaUNETRError:
            continue
        assert image.warnings or len(image.array) == 3, number
