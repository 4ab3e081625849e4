"""`evaluate` and `compare` from the command line: what is printed, and exit codes."""

import json
from shutil import copytree

import numpy as np
import pytest

from metaunetr import io
from metaunetr.cli import main
from metaunetr.image import Image
from metaunetr_training.cli import parser
from tiny_bundle import LABELS, small_ct, write_bundle


@pytest.fixture
def raw(tmp_path):
    """A general data set of two CTs, and a model that finds something in them."""
    for name in ("imagesTr", "labelsTr"):
        (tmp_path / "raw" / name).mkdir(parents=True)
    for number in range(2):
        image = small_ct()
        labels = np.zeros(image.array.shape, np.uint8)
        labels[4:20, 15:25, 8:20] = 1
        name = f"ct_{number}.nii.gz"
        io.write_image(tmp_path / "raw" / "imagesTr" / name, image)
        io.write_image(tmp_path / "raw" / "labelsTr" / name, Image(labels, image.grid))
    (tmp_path / "raw" / "dataset.json").write_text(json.dumps(
        {"name": "small", "labels": {"1": "liver"}}))
    return tmp_path / "raw"


@pytest.fixture
def run_command(monkeypatch):
    """Runs one command of `metaunetr-training` in this process."""
    def run(*words) -> int:
        return main([str(word) for word in words], parser)
    return run


def test_evaluate_and_compare(raw, tmp_path, run_command, capsys):
    model = write_bundle(tmp_path / "tiny")
    assert run_command("evaluate", model, "--data", f"general:{raw}", "--device", "cpu",
                       "--output", tmp_path / "a") == 0
    out, err = capsys.readouterr()
    assert "| liver | 2 |" in out and "[2/2] small/ct_1: mean Dice" in err
    values = json.loads((tmp_path / "a" / "summary.json").read_text())
    assert values["organs"].keys() == {"liver"} <= set(LABELS)

    copytree(tmp_path / "a", tmp_path / "b")
    assert run_command("compare", tmp_path / "a", tmp_path / "b", "--output", tmp_path / "c") == 0
    out, _ = capsys.readouterr()
    assert "+0.000" in out and "No test, because fewer than 6 pairs differ" in out


def test_a_failed_case_is_told_by_the_exit_code(raw, tmp_path, run_command, capsys):
    (raw / "labelsTr" / "ct_0.nii.gz").write_bytes(b"damaged")
    code = run_command("evaluate", write_bundle(tmp_path / "tiny"), "--data", f"general:{raw}",
                       "--device", "cpu", "--output", tmp_path / "out")
    out, err = capsys.readouterr()
    assert code == 7
    assert "[1/2] small/ct_0: FAILED" in err and "1 case failed and counted nowhere" in out


@pytest.mark.parametrize(("words", "code", "text"), [
    ((), 2, "RUN|MODEL"),
    (("MODEL", "--fold", "1", "--test"), 2, "not allowed with argument"),
    (("MODEL", "--data", "somewhere"), 2, "must read KIND:DIR, such as btcv:"),
    (("MODEL", "--data", "general:RAW"), 5, "name a folder for the results with --output"),
    (("MODEL", "--output", "OUT"), 3, "name them with --prepared or --data"),
    (("MODEL", "--output", "OUT", "--data", "ours:RAW"), 3, "must be of the kind btcv, amos"),
    (("MODEL", "--output", "OUT", "--data", "general:RAW", "--prepared", "RAW"), 3, "either"),
    (("MODEL", "--output", "OUT", "--data", "general:RAW", "--organs", "aorta"), 3,
     "does not know aorta"),
    (("MODEL", "--output", "OUT", "--data", "general:RAW", "--device", "cuda:77"), 6,
     "There is no device 'cuda:77'"),
    (("nowhere", "--output", "OUT", "--data", "general:RAW"), 4, "No model is called 'nowhere'"),
])
def test_what_cannot_be_evaluated(raw, tmp_path, run_command, capsys, words, code, text):
    places = {"MODEL": write_bundle(tmp_path / "tiny"), "RAW": raw, "OUT": tmp_path / "out"}
    for name, place in places.items():
        words = [word.replace(name, str(place)) for word in words]
    assert run_command("evaluate", *words) == code
    assert text in capsys.readouterr().err.replace("\n", " ")
