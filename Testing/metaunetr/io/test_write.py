"""Results are written whole or not at all, and impossible outputs are refused beforehand."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from metaunetr.errors import OutputError
from metaunetr.image import Grid, Image
from metaunetr.io import (
    prepare_output,
    read_image,
    read_labels,
    write,
    write_image,
    write_labels,
)
from metaunetr.result import Result

SUFFIXES = [".seg.nrrd", ".nii.gz", ".nii", ".nrrd", ".mha"]


@pytest.fixture
def small_disk(tmp_path):
    """A file system with room for 1 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True
    ).returncode == 0
    if not mounted:
        pytest.skip("a small file system cannot be mounted here")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("suffix", [".seg.nrrd", ".nii.gz", ".nii", ".mha"])
def test_a_full_disk_leaves_the_old_file_and_no_rest(small_disk, result, suffix):
    noise = np.random.default_rng(0).integers(0, 255, (40, 256, 256)).astype(np.uint8)
    large = Result(Image(noise, Grid(noise.shape, (1, 1, 1), (0, 0, 0))), result.organs, {})
    path = small_disk / f"out{suffix}"
    path.write_text("the result of yesterday")
    with pytest.raises(OutputError, match=f"out{suffix}: cannot be written: the disk is full"):
        write_labels(path, large)
    assert [p.name for p in small_disk.iterdir()] == [path.name]
    assert path.read_text() == "the result of yesterday"


@pytest.mark.parametrize(("raised", "expected", "words"), [
    (OSError(errno.ENOSPC, "No space left on device"), OutputError, "the disk is full"),
    (OSError(errno.EIO, "Input/output error"), OutputError, "Input/output error"),
    (KeyboardInterrupt(), KeyboardInterrupt, None),
    (MemoryError(), MemoryError, None),
])
@pytest.mark.parametrize("suffix", [".seg.nrrd", ".nii.gz"])
def test_a_failure_leaves_the_old_file_and_no_rest(
    tmp_path, result, monkeypatch, suffix, raised, expected, words
):
    def fail(descriptor):
        assert [p.name[:11] for p in tmp_path.iterdir() if p != path] == [".metaunetr-"]
        raise raised

    monkeypatch.setattr(os, "fsync", fail)
    path = tmp_path / f"out{suffix}"
    path.write_text("the result of yesterday")
    with pytest.raises(expected, match=words):
        write_labels(path, result)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "the result of yesterday"


@pytest.mark.parametrize(("name", "words"), [
    ("out.txt", "must end in one of .seg.nrrd"),
    ("out", "must end in one of"),
    ("missing/out.nii.gz", "folder .*missing does not exist"),
    ("folder.nii.gz", "is a folder"),
    ("ü" * 126 + ".nii.gz", "255 bytes, this one has 259"),
])
def test_what_cannot_be_written_is_refused_before_the_run(tmp_path, name, words):
    (tmp_path / "folder.nii.gz").mkdir()
    with pytest.raises(OutputError, match=words) as refused:
        prepare_output(tmp_path / name)
    assert str(refused.value).startswith(str(tmp_path / name))


def test_a_read_only_folder_is_refused_before_the_run(tmp_path, result, monkeypatch):
    def denied(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("pathlib.Path.touch", denied)  # root may write everywhere
    with pytest.raises(OutputError, match=r"nothing can be written in .*: Permission denied"):
        prepare_output(tmp_path / "out.nii.gz")


def test_a_possible_output_leaves_no_trace(tmp_path):
    for suffix in SUFFIXES:
        assert prepare_output(str(tmp_path / f"Größe{suffix}")) == tmp_path / f"Größe{suffix}"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [*write.formats.WRITABLE_IMAGES, ".seg.nrrd"])
def test_every_kind_of_voxel_is_written(tmp_path, suffix):
    for dtype, read in {bool: np.int16, np.uint8: np.int16, np.int16: np.int16,
                        np.float32: np.float32, np.float64: np.float32,
                        np.float16: np.float32}.items():
        array = np.random.default_rng(0).integers(0, 2, (4, 5, 6)).astype(dtype)
        write_image(tmp_path / f"x{suffix}", Image(array, Grid((4, 5, 6), (1, 1, 2), (0, 0, 0))))
        back = read_image(tmp_path / f"x{suffix}").array
        assert back.dtype == read
        assert_array_equal(back, array)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_folders_may_have_any_letters(tmp_path, result, suffix):
    """On Windows, functions of the C library open no such file."""
    folder = tmp_path / "Müller 李"
    folder.mkdir()
    write_labels(folder / f"organs{suffix}", result)
    assert_array_equal(read_labels(folder / f"organs{suffix}").array, result.labels.array)


@pytest.mark.parametrize("suffix", write.formats.WRITABLE_IMAGES)
def test_views_are_written_as_they_look(tmp_path, ct, suffix):
    array = ct.array.transpose(2, 0, 1)[::-1, :, ::2]
    write_image(tmp_path / f"x{suffix}", Image(array, Grid(array.shape, (1, 1, 2), (0, 0, 0))))
    assert_array_equal(read_image(tmp_path / f"x{suffix}").array, array)
