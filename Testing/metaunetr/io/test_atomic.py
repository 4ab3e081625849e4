"""Temporary files are renamed together, or removed when the process ends."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from contextlib import ExitStack

import pytest

from metaunetr.errors import OutputError
from metaunetr.io import prepare_file, write_text
from metaunetr.io.atomic import PREFIX, atomic, discard_unfinished, temporary_beside, write_csv


def test_what_is_unfinished_is_discarded(tmp_path):
    with pytest.raises(OutputError), atomic(tmp_path / "a.csv") as file:  # gone at the end
        file.write_text("half")
        discard_unfinished()
        assert list(tmp_path.iterdir()) == []


def test_files_of_an_exit_stack_take_their_places_together(tmp_path):
    with ExitStack() as files:
        for name in ("a.txt", "b.txt"):
            write_text(files.enter_context(atomic(tmp_path / name)), name)
        assert {path.name[:len(PREFIX)] for path in tmp_path.iterdir()} == {PREFIX}
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "a.txt": "a.txt", "b.txt": "b.txt"}


def test_an_error_in_an_inner_block_names_the_file_of_the_outer_one(tmp_path):
    with (
        pytest.raises(OutputError, match=r"/a\.txt: cannot be written: No such file"),
        atomic(tmp_path / "a.txt") as outer, atomic(outer) as inner,
    ):
        inner.touch()
        inner.unlink()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("number", "written"), [
    (errno.EINVAL, True), (errno.ENOTSUP, True), (errno.ENOSYS, True), (errno.EIO, False),
    (errno.ENOSPC, False),
])
def test_a_share_that_cannot_flush_keeps_the_file_and_a_failing_disk_does_not(
        tmp_path, monkeypatch, number, written):
    def fsync(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    if written:
        write_text(tmp_path / "a.txt", "all")
    else:
        with pytest.raises(OutputError, match=r"a\.txt: cannot be written"):
            write_text(tmp_path / "a.txt", "all")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["all"] * written


@pytest.mark.parametrize(("write", "written"), [
    (lambda path, text: write_text(path, text), "Größe 大 \\udcff"),
    (lambda path, text: write_csv(path, ("a", "b"), [(text, 1)]), "a,b\nGröße 大 \\udcff,1\n"),
], ids=["text", "CSV"])
def test_text_is_written_in_utf_8_whatever_it_holds(tmp_path, write, written):
    write(tmp_path / "a.txt", "Größe 大 \udcff")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == written


@pytest.mark.parametrize("name", ["a" * 251 + ".csv", "a." + "b" * 253, ".hidden", "no suffix"])
def test_any_name_that_a_disk_holds(tmp_path, name):
    write_text(prepare_file(tmp_path / name), "text")
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize(("name", "words"), [
    ("missing/a.csv", "folder .*missing does not exist"),
    ("folder", "is a folder"),
    ("ü" * 128, "255 bytes, this one has 256"),
    (os.devnull, "is no ordinary file"),
    ("a.csv", "must end in one of .html, .htm"),
])
def test_what_cannot_be_written_is_refused_before_the_run(tmp_path, name, words):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match=words):
        prepare_file(tmp_path / name, (".html", ".htm") if name == "a.csv" else ())


@pytest.mark.skipif(sys.platform == "win32", reason="processes are not checked there")
def test_what_a_killed_process_has_left_goes_at_once_and_what_a_living_one_writes_stays(tmp_path):
    code = ("import os, sys; from pathlib import Path\n"
            "from metaunetr.io.atomic import temporary_beside\n"
            "temporary_beside(Path(sys.argv[1])).touch(); os.kill(os.getpid(), 9)")
    subprocess.run([sys.executable, "-c", code, tmp_path / "a.csv"], timeout=60,
                   env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})
    (killed,) = tmp_path.iterdir()
    with atomic(tmp_path / "b.csv") as alive:
        alive.touch()
        elsewhere = tmp_path / f"{PREFIX}00000000-1-0123456789ab.csv"
        elsewhere.touch()
        prepare_file(tmp_path / "c.csv")
        assert not killed.exists()
        assert alive.exists()
        assert elsewhere.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="processes are not checked there")
@pytest.mark.parametrize(("namespace", "stays"), [(b"pid:[1]", False), (b"pid:[2]", True)])
def test_files_of_a_container_with_the_same_host_name_stay(
        tmp_path, monkeypatch, namespace, stays):
    monkeypatch.setattr(os, "readlink", lambda path: namespace)
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: 1 << 30)  # runs there, and not here
        other = temporary_beside(tmp_path / "a.csv")
    other.touch()
    monkeypatch.setattr(os, "readlink", lambda path: b"pid:[1]")
    prepare_file(tmp_path / "c.csv")
    assert other.exists() == stays
