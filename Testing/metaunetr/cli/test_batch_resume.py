"""A batch that is resumed, or had failures, skips nothing that is stale or half-written."""

from __future__ import annotations

import errno
import os
import re
import shutil
from pathlib import Path

import pytest

from metaunetr.bundle import Bundle
from metaunetr.engine import Segmenter

from .conftest import contents, made, scan, states


def correct_again(folder: Path) -> None:
    (folder / "ct (before).seg.nrrd").touch()
    with open(folder / "ct.seg.nrrd", "ab") as file:
        file.write(b"an hour of work")


def smooth_a_surface(folder: Path) -> None:
    path = folder / "ct surfaces" / "liver.stl"
    path.write_bytes(path.read_bytes()[:-4] + b"\0\1\2\3")  # as many triangles
    (folder / "ct.seg.nrrd").unlink()


OTHERS = ("ct (before).seg.nrrd", "ct (before).png", "ct surfaces/liver (before).stl",
          "ct surfaces/right_kidney (before).stl")
CHANGES = {  # of the results of a/ct, and the files of others that are kept
    "another input": (lambda folder: scan(folder.parents[1] / "in" / "a" / "ct.nii.gz", 5), ()),
    "labels cut off": (lambda folder: os.truncate(folder / "ct.seg.nrrd", 4000), OTHERS[:1]),
    "labels corrected again": (correct_again, ("ct (before 2).seg.nrrd",)),
    "a surface smoothed, labels gone": (smooth_a_surface, OTHERS[2:3]),
    "record cut off": (
        lambda folder: os.truncate(folder / "ct.json", 400), ("ct (before).json", *OTHERS)),
    "record gone": (lambda folder: (folder / "ct.json").unlink(), OTHERS),
}


@pytest.mark.parametrize(("change", "kept"), CHANGES.values(), ids=CHANGES)
def test_resuming_does_what_is_missing_or_stale_and_loses_nothing(
    finished, batch, tmp_path, change, kept
):
    options = ("--surfaces", "stl", "--statistics", tmp_path / "all.csv", "--resume",
               "--json-progress")
    assert set(states(batch(*options)).values()) == {"skipped"}
    table, before = (tmp_path / "all.csv").read_bytes(), made(tmp_path / "out")
    change(tmp_path / "out" / "a")
    old = contents(tmp_path / "out" / "a")
    ran = batch(*options)
    assert states(ran) == {"a/ct": "done", "b/ct": "skipped"}
    new = contents(tmp_path / "out" / "a")
    for name in kept:
        assert new[name] == old[re.sub(r" \(before.*\)", "", name)]
        assert Path(name).name in ran.out
    after = made(tmp_path / "out")
    after = {name: after[name] for name in after if "(before" not in name}
    assert after.keys() == before.keys()
    assert sum("(before" in name for name in new) == len(kept) + ("2" in "".join(kept))
    assert {name for name in after if after[name] != before[name]} == {
        name for name in before if name.startswith("a/")}
    if kept:  # else the input has changed
        assert (tmp_path / "all.csv").read_bytes() == table


def test_other_options_are_another_result(finished, batch, tiny, tmp_path):
    """For all options see batch/test_case_steps; a copy of the model is the same model."""
    copy = shutil.copytree(tiny, tmp_path / "same weights")
    options = ("--surfaces", "stl", "--resume", "--json-progress", "--model", copy)
    assert set(states(batch(*options)).values()) == {"skipped"}
    options = ("--identifiers", *options)
    assert set(states(batch(*options)).values()) == {"done"}
    assert set(states(batch(*options)).values()) == {"skipped"}


def test_without_resume_everything_is_done_once_more(finished, batch, tmp_path):
    before = made(tmp_path / "out")
    assert set(states(batch("--surfaces", "stl", "--json-progress")).values()) == {"done"}
    after = made(tmp_path / "out")
    assert all(after[name] > before[name] for name in before)


def test_files_that_the_new_result_does_not_have_go(finished, batch, tmp_path):
    (tmp_path / "out" / "a" / "notes.txt").touch()
    batch("--format", "nii.gz", "--organs", "liver", "--surfaces", "obj")
    assert set(made(tmp_path / "out")) == {
        "a/notes.txt", *(f"{name}/ct{rest}" for name in "ab"
                         for rest in (".nii.gz", ".json", ".png", " surfaces/liver.obj"))}
    batch("--format", "nii.gz")
    assert not (tmp_path / "out" / "a" / "ct surfaces").exists()


def failing(error: BaseException, when: int):
    """Segments, but for one call that raises."""
    calls, segment = [], Segmenter.segment

    def fake(self, image, *args, **kwargs):
        calls.append(image)
        if len(calls) == when:
            raise error
        return segment(self, image, *args, **kwargs)

    return fake


@pytest.mark.parametrize(("error", "text"), [
    (MemoryError(), "Not enough memory"),
    (OSError(errno.EIO, "Input/output error", "ct.nii.gz"), "ct.nii.gz: cannot be read"),
])
def test_a_case_that_fails_leaves_its_old_result_and_the_others(
    finished, batch, tmp_path, monkeypatch, error, text
):
    before = made(tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr(Segmenter, "segment", failing(error, when=1))
        ran = batch("--surfaces", "stl")
    assert ran.code == 7
    assert f"[1/2] a/ct: FAILED: {text}" in ran.out
    after = made(tmp_path / "out")
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] == before[name]} == {
        name for name in before if name.startswith("a/")}
    resumed = batch("--surfaces", "stl", "--resume", "--json-progress")
    assert set(states(resumed).values()) == {"skipped"}


def test_a_full_disk_leaves_no_half_result(folder, batch, tmp_path, monkeypatch):
    def full(path, mask, grid):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("metaunetr.io.mesh.write_surface", full)
    ran = batch("--surfaces", "stl")
    assert ran.code == 7
    assert "liver.stl: cannot be written: the disk is full" in ran.out or (
        "kidney.stl: cannot be written: the disk is full" in ran.out)
    assert made(tmp_path / "out") == {}


def test_with_everything_finished_nothing_is_loaded(finished, batch, monkeypatch):
    monkeypatch.setattr(Bundle, "network", None)
    assert batch("--surfaces", "stl", "--resume").code == 0
