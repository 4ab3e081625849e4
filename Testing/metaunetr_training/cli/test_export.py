"""`export` says what it needs before it works."""

import argparse

import pytest

from metaunetr.cli import main
from metaunetr_training.cli import export as command
from metaunetr_training.training.run import Run
from tiny_prepared import tiny_recipe


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser()
    command.add_to(top.add_subparsers())
    return top


@pytest.fixture
def export(capfd):
    def export(*arguments):
        code = main(["export", *map(str, arguments)], make_parser=parser)
        return code, capfd.readouterr().err
    return export


@pytest.mark.parametrize("arguments, code, text", [
    (("abdomen13-2mm",), 3, "nothing to export: give -o DIR"),
    (("nothing-is-called-so", "--monai", "{new}"), 4, "No model is called"),
    (("{run}", "--onnx", "{new}"), 3, "is a run; make a model of it first"),
    (("abdomen13-2mm", "-o", "{new}"), 3, "is no folder of a training run"),
    (("abdomen13-2mm", "--monai", "{old}"), 5, "old: exists"),
    (("abdomen13-2mm", "--monai", "{new}", "--onnx", "{new}"), 5, "another output"),
])
def test_what_cannot_be_done_is_told(export, tmp_path, arguments, code, text):
    for name in ("run", "old"):
        (tmp_path / name).mkdir()
    (tmp_path / "run" / "run.json").touch()
    names = {name: tmp_path / name for name in ("run", "old", "new")}
    found, said = export(*(argument.format(**names) for argument in arguments))
    assert found == code
    assert text in said
    assert not (tmp_path / "new").exists()


def test_a_mixer_that_onnx_refuses_is_told_before_anything_is_written(export, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    Run(folder, tiny_recipe("network.mixer=tricruci_mamba"), tmp_path, 0, {}).write()
    code, said = export(folder, "-o", tmp_path / "mine", "--onnx", tmp_path / "mine.onnx")
    assert code == 4
    assert "tricruci_mamba cannot be exported to ONNX" in said
    assert list(tmp_path.iterdir()) == [folder]
