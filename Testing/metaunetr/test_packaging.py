"""Package and models find each other in source tree, editable install, wheel and Slicer."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from metaunetr import __version__

pytest.importorskip("hatchling", reason="the extra `test` builds wheels with hatchling")

ROOT = Path(__file__).parents[2]
PACKAGE, MODELS = ROOT / "Training" / "metaunetr", ROOT / "Resources" / "Models"
TRAINING = ROOT / "Training" / "metaunetr_training"

FIND = """
import json, site, sys
site.addsitedir(sys.argv[1])
import metaunetr.bundle
from metaunetr.weights import read_weights
found = metaunetr.bundle.find()
weights = read_weights(found.folder / found.card["weights"], found.sha256, 1 << 30)
print(json.dumps([metaunetr.__file__, str(found.folder), len(weights)]))
"""


def python(*arguments, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=cwd, capture_output=True, text=True,
        env=os.environ | {"METAUNETR_MODELS": str(cwd / "none")}, timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def built(hook: str, folder: Path) -> Path:
    """The wheel that a hook of the build backend makes, as pip would call it."""
    code = f"import sys, hatchling.build; print(hatchling.build.{hook}(sys.argv[1]))"
    return folder / python("-c", code, folder, cwd=ROOT).split()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    return built("build_wheel", tmp_path_factory.mktemp("wheel"))


def source_tree(folder, request):
    return ROOT / "Training"


def editable_install(folder, request):
    with zipfile.ZipFile(built("build_editable", folder)) as archive:
        archive.extractall(folder / "site-packages")
    return folder / "site-packages"


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory) -> Path:
    """A new virtual environment with the wheel; of the packages it needs, those that run this."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    interpreter = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    python("-m", "pip", "--python", interpreter, "install", "--quiet", "--no-deps", "--no-index",
           wheel, cwd=folder)
    needed = [path for path in sys.path if path.endswith("site-packages")]
    (site_packages(folder) / "needed.pth").write_text("\n".join(needed), encoding="utf-8")
    return folder


def site_packages(environment: Path) -> Path:
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(environment)}))


def installed_wheel(folder, request):
    return site_packages(request.getfixturevalue("environment"))


def slicer_modules(folder, request):
    """lib/Slicer-5.x/qt-scripted-modules: the package and Resources/Models side by side."""
    shutil.copytree(PACKAGE, folder / "qt-scripted-modules" / "metaunetr")
    shutil.copytree(MODELS, folder / "qt-scripted-modules" / "Resources" / "Models")
    return folder / "qt-scripted-modules"


@pytest.mark.parametrize(("layout", "package", "models"), [
    (source_tree, PACKAGE, MODELS),
    (editable_install, PACKAGE, MODELS),
    pytest.param(installed_wheel, "metaunetr", "metaunetr/models", marks=pytest.mark.slow),
    (slicer_modules, "metaunetr", "Resources/Models"),
])
def test_the_model_is_found(tmp_path, request, layout, package, models):
    """By a Python that sees the layout and no installed package at all."""
    path = layout(tmp_path, request)
    module, folder, size = json.loads(python("-I", "-S", "-c", FIND, path, cwd=tmp_path))
    assert Path(module).parent == path / package
    assert Path(folder) == path / models / "abdomen13-2mm"
    assert size == (MODELS / "abdomen13-2mm" / "weights.safetensors").stat().st_size


@pytest.mark.slow
def test_the_installed_wheel_segments(environment, tmp_path):
    """By its command, in an environment that has no clone."""
    scripts = environment / ("Scripts" if os.name == "nt" else "bin")
    for line in ("phantom -o ct.nii.gz --size 80 64 48 --spacing 4.5 4.5 5",
                 "segment ct.nii.gz -o organs.nii.gz --organs liver"):
        done = subprocess.run(
            [scripts / "metaunetr", *line.split()], cwd=tmp_path, capture_output=True, text=True,
            env=os.environ | {"PYTHONPATH": ""}, timeout=300)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "organs.nii.gz").exists()


def test_the_wheel_holds_every_source_and_model_and_no_more(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        (scripts,) = (n for n in archive.namelist() if n.endswith("entry_points.txt"))
        for line in ("metaunetr = metaunetr.__main__:run",
                     "metaunetr-training = metaunetr_training.__main__:run"):
            assert line in archive.read(scripts).decode()
    training = PACKAGE.parent
    sources = {p.relative_to(training).as_posix() for package in (PACKAGE, TRAINING)
               for p in package.rglob("*") if p.suffix in (".py", ".js", ".typed")}
    recipes = {f"metaunetr_training/configs/{p.name}" for p in (training / "configs").iterdir()}
    models = {f"metaunetr/models/{p.relative_to(MODELS).as_posix()}"
              for p in MODELS.rglob("*") if p.is_file()}
    assert names == sources | recipes | models


def test_the_metadata_are_those_of_a_release(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    assert (metadata["Name"], metadata["Version"]) == ("metaunetr", __version__)
    assert metadata["License-Expression"] == "Apache-2.0"
    assert "](docs/" not in metadata.get_payload()  # PyPI resolves no relative links
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## \[(.+)\]", changes, re.MULTILINE)[1] == __version__
