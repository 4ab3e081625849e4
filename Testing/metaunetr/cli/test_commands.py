"""The other commands: what they print and write when all is well."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk

from metaunetr import __version__
from metaunetr.cli import EXIT_CODES
from metaunetr.cli.batch import CASES_FAILED
from metaunetr.errors import BundleError, Cancelled, DeviceError, InputError, OutputError
from metaunetr.io import read_image, read_labels
from metaunetr.network import catalogue, mixer, mixers


def test_help_lists_the_commands_and_the_exit_codes(run):
    ran = run("--help")
    assert ran.code == 0
    for command in ("segment", "batch", "estimate", "evaluate", "info", "models", "mixers",
                    "phantom"):
        assert re.search(rf"^    {command} ", ran.out, re.MULTILINE)
    assert EXIT_CODES.strip() in ran.out
    assert re.search(rf"^  {CASES_FAILED} ", EXIT_CODES, re.MULTILINE)
    for error in (InputError, BundleError, OutputError, DeviceError, Cancelled):
        assert re.search(rf"^  {error.exit_code} ", EXIT_CODES, re.MULTILINE)


def test_the_version(run):
    assert run("--version").out == f"MetaUNETR {__version__}\n"


def test_help_and_the_list_of_models_do_not_wait_for_torch():
    code = ("import sys; from metaunetr.cli import main; assert main(['models']) == 0; "
            "main(['--help']); sys.exit('torch' in sys.modules or 'SimpleITK' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_a_phantom_and_its_labels(tmp_path, run):
    ct, labels = tmp_path / "ct.nii.gz", tmp_path / "labels.nii.gz"
    ran = run("phantom", "-o", ct, "--labels", labels, "--seed", "3", "--size", "40", "30", "20")
    assert ran.code == 0
    assert ran.out.startswith(f"{ct}: phantom 3, 40 × 30 × 20 voxels of ")
    assert read_image(ct).array.shape == (20, 30, 40)
    assert read_image(ct).grid.same_as(read_labels(labels).grid)
    assert 6 in np.unique(read_labels(labels).array)


def test_info_of_an_image(ct, run):
    facts = json.loads(run("info", ct, "--json").out)
    assert facts["size"] == [48, 40, 24]
    assert facts["coordinates"] == "LPS"
    assert facts["refused"] is None


def test_info_for_people_names_the_convention_of_each_line(tmp_path, run):
    image = sitk.Image(48, 40, 24, sitk.sitkInt16)
    image.SetOrigin((10.0, -20.5, 30.0))  # LPS, as SimpleITK and every other line here
    image.SetDirection(np.diag([-1.0, -1.0, 1.0]).ravel())
    sitk.WriteImage(image, str(tmp_path / "ct.nii"))
    lines = run("info", tmp_path / "ct.nii").out.splitlines()
    assert "origin   (10.00, -20.50, 30.00) mm LPS, centre of the first voxel" in lines
    assert "axes     i to right, j to anterior, k to superior (RAS)" in lines


def test_info_of_what_is_no_ct(tmp_path, run):
    run("phantom", "-o", tmp_path / "ct.nii", "--labels", tmp_path / "labels.nii",
        "--size", "40", "30", "20")
    assert "label map" in json.loads(run("info", tmp_path / "labels.nii", "--json").out)["refused"]
    assert re.search("^refused .*label map", run("info", tmp_path / "labels.nii").out, re.M)


def test_info_of_a_result(tmp_path, ct, segment, run):
    segment(ct, "-o", tmp_path / "out.seg.nrrd", "--organs", "kidneys")
    facts = json.loads(run("info", tmp_path / "out.seg.nrrd", "--json").out)
    assert {segment["name"] for segment in facts["segments"]} <= {"right kidney", "left kidney"}
    assert facts["record"]["model"] == "tiny"
    assert re.search("^model +tiny$", run("info", tmp_path / "out.seg.nrrd").out, re.M)


def test_evaluate_a_segmentation_with_itself(tmp_path, run):
    labels, scores, table = (tmp_path / name for name in ("labels.nii", "scores.json", "a.csv"))
    run("phantom", "-o", tmp_path / "ct.nii.gz", "--labels", labels, "--size", "60", "40", "30")
    ran = run("evaluate", labels, labels, "--organs", "liver", "--json", scores, "--csv", table)
    assert ran.code == 0
    assert re.search(r"^liver +1 +0 +1\.000 +1\.000 +0\.0$", ran.out, re.MULTILINE)
    assert table.read_text(encoding="utf-8").startswith("case,organ,dice")
    (row,) = json.loads(scores.read_text(encoding="utf-8"))
    assert (row["organ"], row["dice"], row["hd95_mm"]) == ("liver", 1.0, 0.0)
    printed = run("evaluate", labels, labels, "--organs", "liver", "--json", "-")
    assert json.loads(printed.out) == [row]
    assert run("evaluate", labels, labels, "--json", labels).code == 5


def test_models_lists_the_bundled_model_and_those_of_the_user(tmp_path, tiny, run, monkeypatch):
    monkeypatch.setenv("METAUNETR_MODELS", str(tiny.parent))
    ran = run("models")
    assert (ran.code, ran.err) == (0, "")
    assert re.findall(r"^\S+(?: \(default\))?(?=:)", ran.out, re.M) == [
        "tiny", "abdomen13-2mm (default)"]
    for line in ("organs   spleen, right kidney, left kidney, gallbladder, esophagus, liver, ",
                 "spacing  2 × 2 × 2 mm", "Dice     BTCV validation (n=3): spleen 0.96, ",
                 "licence  Apache-2.0, as far as "):
        assert f"\n  {line}" in ran.out


def test_models_for_programs(tiny, run, monkeypatch):
    damaged = tiny.parent / "damaged"
    damaged.mkdir(exist_ok=True)
    (damaged / "card.json").write_text("{")
    monkeypatch.setenv("METAUNETR_MODELS", str(tiny.parent))
    models = {model["name"]: model for model in json.loads(run("models", "--json").out)}
    shutil.rmtree(damaged)
    assert "not valid JSON" in models["damaged"]["error"]
    assert models["tiny"]["dice"] == {}
    bundled = models["abdomen13-2mm"]
    assert bundled["default"] and not models["tiny"]["default"]
    assert (bundled["spacing_mm"], len(bundled["organs"])) == ([2, 2, 2], 13)
    assert bundled["dice"]["BTCV validation (n=3)"]["liver"] == 0.96
    assert bundled["weights_licence"].startswith("Apache-2.0, ")


def test_mixers_are_listed_without_a_network(run, monkeypatch):
    monkeypatch.setattr("metaunetr.network.catalogue", None)
    ran = run("mixers")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [mixer.name for mixer in mixers()]
    assert lines[2].endswith(mixers()[1].summary)
    assert json.loads(run("mixers", "pooling", "--json").out) == [
        {"name": "pooling", "summary": mixer("pooling").summary}]


@pytest.mark.slow
def test_mixers_are_measured_on_request(run, monkeypatch):
    monkeypatch.setattr(sys.modules["metaunetr.network.catalogue"], "measure_latency",
                        lambda *_: 1.234)
    options = ("pooling", "--measure", "--feature-size", "2")
    (facts,) = json.loads(run("mixers", *options, "--json").out)
    (row,) = catalogue("efficient", 2, names=["pooling"])
    assert (facts["parameters"], facts["gflops"]) == (row.parameters, round(row.gflops, 3))
    assert facts["seconds"] == 1.234
    assert f"{row.gflops:9.1f}     1.23  " in run("mixers", *options).out.splitlines()[-1]


def test_a_terminal_that_lacks_letters_shows_the_rest(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = subprocess.run(
        [sys.executable, "-m", "metaunetr", "phantom", "-o", tmp_path / "大.nii",
         "--size", "8", "8", "8"], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"phantom 0, 8 " in done.stdout
