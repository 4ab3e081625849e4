"""One bad input for each exit code: one sentence, and an unchanged folder.

What is wrong with images, cards and outputs: io/test_bad_input.py, test_guard.py, test_bundle.py.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

from metaunetr.image import Image
from metaunetr.io import write_image
from tiny_bundle import small_ct, write_bundle

from .conftest import contents, series, start


def truncated(folder: Path) -> Path:
    path = folder / "bad.nii.gz"
    path.write_bytes((folder / "ct.nii.gz").read_bytes()[:-3000])
    return path


def label_map(folder: Path) -> Path:
    image = small_ct()
    write_image(folder / "bad.nii.gz", Image((image.array > 0).astype(np.uint8), image.grid))
    return folder / "bad.nii.gz"


def linked(folder: Path) -> Path:
    (folder / "link.nii.gz").symlink_to("ct.nii.gz")
    return folder / "link.nii.gz"


BAD = {  # arguments of `segment` in a folder with ct.nii.gz, exit code, words of the message
    "missing file": (lambda f: [f / "no.nii.gz"], 3, ["no such file"]),
    "truncated file": (lambda f: [truncated(f)], 3, ["truncated"]),
    "label map": (lambda f: [label_map(f)], 3, ["label map"]),
    "unknown organ": (
        lambda f: [f / "ct.nii.gz", "--organs", "pancreas"], 3, ["does not know", "liver"]),
    "unknown model": (
        lambda f: [f / "ct.nii.gz", "--model", "none"], 4, ["No model is called", "abdomen13-2mm"]),
    "model without card": (
        lambda f: [f / "ct.nii.gz", "--model", f], 4, ["card.json: no model card can be read"]),
    "no folder for the output": (
        lambda f: [f / "ct.nii.gz", "-o", f / "no/out.nii.gz"], 5, ["no does not exist; make it"]),
    "report of another format": (
        lambda f: [f / "ct.nii.gz", "--report", f / "report.pdf"], 5, ["must end in one of .html"]),
    "output of unknown format": (
        lambda f: [f / "ct.nii.gz", "-o", f / "out.png"], 5, ["must end in one of .seg.nrrd"]),
    "output is the input": (
        lambda f: [linked(f), "-o", f / "ct.nii.gz"], 5, ["is the input as well"]),
    "output is a slice of the input": (
        lambda f: [series(f), "-o", f / "series/series3.dcm"], 5, ["is the input as well"]),
    "two outputs of one name": (
        lambda f: [f / "ct.nii.gz", "--statistics", f / ".." / f.name / "out.nii.gz"], 5,
        ["is another output as well"]),
    "unknown device": (
        lambda f: [f / "ct.nii.gz", "--device", "cuda:9"], 6, ["no device 'cuda:9'", "cpu"]),
}


def check_sentence(err: str, words=()) -> None:
    """`err` is one sentence with these words, for people."""
    assert err.startswith("metaunetr: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert "Unexpected" not in err
    for word in words:
        assert word in err


@pytest.mark.parametrize(("make", "code", "words"), BAD.values(), ids=BAD)
def test_bad_input_ends_in_one_sentence(tmp_path, ct, segment, make, code, words):
    arguments = make(tmp_path)
    before = contents(tmp_path)
    ran = segment(*arguments)
    check_sentence(ran.err, words)
    assert ran.code == code
    assert ran.out == ""
    assert contents(tmp_path) == before


def test_the_process_has_the_exit_code(tmp_path, tiny):
    process = start("segment", tmp_path / "no.nii.gz", "--model", tiny,
                    "-o", tmp_path / "out.nii.gz")
    out, err = process.communicate(timeout=120)
    check_sentence(err, ["no such file"])
    assert (process.returncode, out) == (3, "")


A, B = ("segment", "a", "-o", "b"), ("segment", "-o", "b")
WRONG = [  # arguments, words of the message
    ((), "arguments are required: COMMAND; see `metaunetr --help`"),
    (("segment",), "arguments are required: INPUT, -o/--output; see `metaunetr segment --help`"),
    ((*A, "--overlap", "1.5"), "a number from 0 to 0.9: '1.5'"),
    ((*A, "--organs", "liver", "splen"), "no organ is called 'splen'; did you mean spleen?"),
    ((*A, "--organs", "kidney"), "did you mean right_kidney or left_kidney?"),
    ((*A, "--organs", "unicorn"), "no organ is called 'unicorn'; known: spleen, right_kidney, "),
    ((*B, "--organs", "livr", "a.nrrd"), "no organ is called 'livr'; did you mean liver?"),
    ((*B, "--organs", "liver", "kidneys", "ct.nii.gz"),
     "ct.nii.gz was read as the name of an organ, because --organs takes all words up to the next "
     "option; write files before it: … ct.nii.gz --organs liver kidneys …"),
    (("evaluate", "--organs", "liver,spleen", "my a.nrrd", "b.nrrd"),
     "… 'my a.nrrd' b.nrrd --organs liver,spleen …"),
    ((*B, "--organs", str(Path(__file__).parent)), "--organs liver …"),
    ((*A, "--spacing", "1"), "unrecognized arguments: --spacing 1; see `metaunetr segment --help`"),
    ((*A, "--statistic=x", "--stats", "y"), "--stats y; did you mean --statistics?"),
    (("phantom", "-o", "a", "--spacing", "nan", "1", "1"), "a number from 0.5"),
]


@pytest.mark.parametrize(("arguments", "words"), WRONG)
def test_a_wrong_command_line_is_explained_in_one_sentence(run, arguments, words):
    ran = run(*arguments)
    check_sentence(ran.err, [words])
    assert (ran.code, ran.out) == (2, "")


@pytest.mark.parametrize("name", ["folder", "ct.nii.gz"])
def test_a_batch_says_that_an_input_does_not_exist(run, tmp_path, name):
    ran = run("batch", "--input", tmp_path / name, tmp_path, "--output", tmp_path / "out")
    check_sentence(ran.err, [f"{tmp_path / name}: there is no such file or folder"])
    assert ran.code == 3 and not (tmp_path / "out").exists()


@pytest.fixture
def open_folder():
    """A folder that everybody reaches, with a locked and a read-only one.

    The test runs without root's right to read everything.
    """
    if not hasattr(os, "geteuid"):
        pytest.skip("this system has no owners of files")
    folder = Path(tempfile.mkdtemp())
    write_bundle(folder / "tiny")
    write_image(folder / "ct.nii.gz", small_ct())
    for name, mode in (("locked", 0), ("read-only", 0o555)):
        (folder / name).mkdir(mode=mode)
    folder.chmod(0o777)
    owner = os.geteuid()
    if owner == 0:
        os.seteuid(65534)
    yield folder
    os.seteuid(owner)
    shutil.rmtree(folder)


@pytest.mark.parametrize(("path", "output", "code", "words"), [
    ("locked/ct.nii.gz", "out.nii.gz", 3, "ct.nii.gz: cannot be read: Permission denied"),
    ("ct.nii.gz", "read-only/out.nii.gz", 5, "nothing can be written in"),
    ("ct.nii.gz", "locked/out.nii.gz", 5, "nothing can be written in"),
])
def test_what_may_not_be_read_or_written(open_folder, run, path, output, code, words):
    ran = run("segment", open_folder / path, "-o", open_folder / output,
              "--model", open_folder / "tiny")
    assert ran.code == code
    check_sentence(ran.err, [words])
    assert len(list(open_folder.iterdir())) == 4


@pytest.fixture
def small_disk(tmp_path):
    """A file system with room for 40 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", disk], capture_output=True
    ).returncode == 0
    if not mounted:
        pytest.skip("a small file system cannot be mounted here")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_changes_none_of_the_files(small_disk, ct, segment):
    """The labels fit on the disk, the report does not."""
    (small_disk / "out.nii.gz").write_text("the result of yesterday")
    before = contents(small_disk)
    ran = segment(ct, "-o", small_disk / "out.nii.gz", "--report", small_disk / "report.html")
    check_sentence(ran.err, ["report.html: cannot be written: the disk is full"])
    assert ran.code == 5
    assert contents(small_disk) == before


@pytest.mark.parametrize(("error", "code", "words"), [
    (OSError(errno.EIO, "Input/output error", "ct.nii.gz"), 3, "ct.nii.gz: cannot be read: Input"),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"), 6, "Not enough memory"),
    (KeyboardInterrupt(), 130, "Interrupted; unfinished files were removed"),
    (ModuleNotFoundError("No module named 'x'", name="x"), 6, " install x"),
])
def test_faults_that_come_from_outside(monkeypatch, tmp_path, ct, segment, error, code, words):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr("metaunetr.engine.segmenter.to_model_input", fail)
    before = contents(tmp_path)
    ran = segment(ct)
    assert ran.code == code
    check_sentence(ran.err, [words])
    assert contents(tmp_path) == before


def test_a_bug_is_reported_as_one_and_shows_its_traceback_on_request(monkeypatch, ct, segment):
    def fail(*args, **kwargs):
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr("metaunetr.engine.segmenter.to_model_input", fail)
    ran = segment(ct)
    assert ran.code == 1
    assert ran.err == ("metaunetr: Unexpected ZeroDivisionError: division by zero. This is a bug; "
                       "please report it with the output under METAUNETR_DEBUG=1.\n")
    with pytest.raises(ZeroDivisionError):
        segment(ct, "--verbose")
    monkeypatch.setenv("METAUNETR_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        segment(ct)
