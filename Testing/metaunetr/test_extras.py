"""What is said where an optional package is missing can be copied into a shell, and works."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from metaunetr import extras
from metaunetr.errors import PackageError, explain

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
MODULES = {"pyyaml": "yaml"}  # imported under another name


def declared(extra: str) -> tuple[str, ...]:
    lines = re.search(rf"^{extra} = \[(.*?)\]$", PROJECT.read_text("utf-8"), re.M | re.S)[1]
    return tuple(re.findall(r'"([^"]+)"', lines))


@pytest.mark.parametrize("extra", extras.REQUIREMENTS)
def test_the_command_installs_what_pyproject_declares(extra):
    text = extras.missing("x.dcm: DICOM SEG", "highdicom", extra)
    said, command = text.split("install it with: ")
    assert said == "x.dcm: DICOM SEG needs the Python package highdicom; "
    assert shlex.split(command)[-len(declared(extra)):] == [*declared(extra)]
    assert command.count('"') == 2 * len(declared(extra))  # zsh expands what is not quoted


@pytest.mark.parametrize(("pip", "python", "command"), [
    (True, "/opt/metaunetr/bin/python", "/opt/metaunetr/bin/python -m pip install x"),
    (True, "C:\\My tools\\python.exe", '"C:\\My tools\\python.exe" -m pip install x'),
    (False, "/uv/bin/python", "uv pip install --python /uv/bin/python x"),
])
def test_the_command_installs_into_this_environment(monkeypatch, pip, python, command):
    monkeypatch.setattr(extras, "find_spec", lambda name: pip)
    monkeypatch.setattr(sys, "executable", python)
    assert extras.advice("x").endswith(f"install it with: {command}")


def test_every_package_of_training_is_known():
    names = [re.match(r"[\w-]+", line)[0] for line in declared("training")]
    assert sorted(extras.TRAINING) == sorted(MODULES.get(name, name) for name in names)


@pytest.mark.parametrize(("error", "code", "words"), [
    (ModuleNotFoundError("No module named 'yaml'", name="yaml"), 6,
     ' install ".[training]" in the source folder'),
    (ModuleNotFoundError("No module named 'x.y'", name="x.y"), 6, " install x"),
    (ImportError("import einops (No module named 'einops')."), 6, "package einops"),  # of MONAI
    (ModuleNotFoundError("No module named 'metaunetr.x'", name="metaunetr.x"), 1,
     "The module metaunetr.x is missing; install MetaUNETR again"),
    (ImportError("cannot import name 'x'"), 1, "This is a bug"),
])
def test_a_failed_import_says_what_to_do(error, code, words):
    text, exit_code = explain(error)
    assert words in text
    assert exit_code == code


def test_packages_are_looked_for_before_work_begins(monkeypatch):
    extras.require("numpy")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(PackageError, match="package matplotlib"):
        extras.require("numpy", "matplotlib")
