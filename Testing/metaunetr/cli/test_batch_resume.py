"""A batch that is resumed, or had failures, skips nothing that is stale or half-written."""

from __future__ import annotations

import errno
import os
import re
import shutil
from pathlib import Path

import pytest

from makers import Makers
from metaunetr.bundle import Bundle
from metaunetr.engine import Segmenter

from .conftest import contents, made, scan, states

change = Makers()  # of a change to a/ct, with the files of others that are kept


@change()
def another_input(tmp_path):
    scan(tmp_path / "in" / "a" / "ct.nii.gz", 5)


@change()
def labels_that_are_gone(tmp_path):
    (tmp_path / "out" / "a" / "ct.seg.nrrd").unlink()


@change("ct (before).seg.nrrd")
def labels_that_are_cut_off(tmp_path):
    os.truncate(tmp_path / "out" / "a" / "ct.seg.nrrd", 4000)


@change("ct (before 2).seg.nrrd")
def labels_that_were_corrected_again(tmp_path):
    (tmp_path / "out" / "a" / "ct (before).seg.nrrd").touch()
    with open(tmp_path / "out" / "a" / "ct.seg.nrrd", "ab") as file:
        file.write(b"an hour of work")


@change("ct surfaces/liver (before).stl")
def a_surface_that_was_smoothed_and_labels_that_are_gone(tmp_path):
    path = tmp_path / "out" / "a" / "ct surfaces" / "liver.stl"
    path.write_bytes(path.read_bytes()[:-4] + b"\0\1\2\3")  # as many triangles
    (tmp_path / "out" / "a" / "ct.seg.nrrd").unlink()


@change("ct (before).json", "ct (before).seg.nrrd", "ct (before).png",
        "ct surfaces/liver (before).stl", "ct surfaces/right_kidney (before).stl")
def a_record_that_is_cut_off(tmp_path):
    os.truncate(tmp_path / "out" / "a" / "ct.json", 400)


@change("ct (before).seg.nrrd", "ct (before).png",
        "ct surfaces/liver (before).stl", "ct surfaces/right_kidney (before).stl")
def a_record_that_is_gone(tmp_path):
    (tmp_path / "out" / "a" / "ct.json").unlink()


@change("ct (before).json", "ct (before).seg.nrrd", "ct (before).png",
        "ct surfaces/liver (before).stl", "ct surfaces/right_kidney (before).stl")
def a_record_of_something_else(tmp_path):
    (tmp_path / "out" / "a" / "ct.json").write_text('{"EchoTime": 0.03}')


@change()
def a_record_of_another_version(tmp_path):
    path = tmp_path / "out" / "a" / "ct.json"
    path.write_text(path.read_text().replace('"version": "', '"version": "9.'))


@pytest.mark.parametrize(("change", "kept"), change)
def test_resuming_does_what_is_missing_or_stale_and_loses_nothing(
    finished, batch, tmp_path, change, kept
):
    options = ("--surfaces", "stl", "--statistics", tmp_path / "all.csv", "--resume",
               "--json-progress")
    assert set(states(batch(*options)).values()) == {"skipped"}
    table, before = (tmp_path / "all.csv").read_bytes(), made(tmp_path / "out")
    change(tmp_path)
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
    if change is not another_input:
        assert (tmp_path / "all.csv").read_bytes() == table


def test_other_options_are_another_result(finished, batch, tiny, tmp_path):
    """For all options see batch/test_work; a copy of the model is the same model."""
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
