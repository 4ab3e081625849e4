"""The extension is configured, built and installed, and works where it lands.

Against a stand-in of Slicer's CMake package; with METAUNETR_SLICER_CMAKE and METAUNETR_CTK_CMAKE
(the folders CMake/ in the sources of Slicer and CTK) also with the real macros.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULE, RESOURCES = ROOT / "MetaUNETRSegment", ROOT / "Resources"
CORE, TRAINING = ROOT / "Training/metaunetr", ROOT / "Training/metaunetr_training"
STANDIN = ROOT / "Testing" / "standins" / "slicer_cmake"
MODULES = Path("lib/Slicer-5.13/qt-scripted-modules")  # where Slicer looks for modules


def program(name: str, folder: str) -> str:
    """A program of the package of that name in the extra `test`, or else of the system."""
    try:
        package = importlib.import_module(name)
    except ImportError:
        found = shutil.which(name)
        if found is None:
            pytest.skip(f"{name} is not installed; the extra `test` brings it")
        return found
    return str(Path(getattr(package, folder)) / name)


def run(*command, cwd: Path) -> str:
    done = subprocess.run([str(c) for c in command], cwd=cwd, capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=["stand-in", "real macros"])
def tree(request, tmp_path_factory) -> Path:
    """A folder with `build`, the build tree, and `Slicer`, the install tree."""
    real = []
    if request.param == "real macros":
        names = ("METAUNETR_SLICER_CMAKE", "METAUNETR_CTK_CMAKE")
        if not all(os.environ.get(name) for name in names):
            pytest.skip(f"{' and '.join(names)} are not set")
        real = [f"-D{name}={os.environ[name]}" for name in names]
    cmake, folder = program("cmake", "CMAKE_BIN_DIR"), tmp_path_factory.mktemp("extension")
    # nothing is compiled here: a machine without compilers will do
    compilers = [f"-DCMAKE_{language}_COMPILER{what}" for language in ("C", "CXX")
                 for what in (f"={sys.executable}", "_FORCED=ON")]
    run(cmake, "-S", ROOT, "-B", "build", "-G", "Ninja", f"-DSlicer_DIR={STANDIN}", *compilers,
        f"-DCMAKE_MAKE_PROGRAM={program('ninja', 'BIN_DIR')}",
        f"-DPYTHON_EXECUTABLE={sys.executable}", *real, cwd=folder)
    run(cmake, "--build", "build", cwd=folder)
    run(cmake, "--install", "build", "--prefix", folder / "Slicer", cwd=folder)
    return folder


def files(folder: Path, pattern: str = "*") -> set[str]:
    """Names with folders, without what Python compiles and what belongs to the build itself."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob(pattern)
            if path.is_file() and path.suffix != ".pyc" and path.name != "CMakeLists.txt"}


@pytest.mark.slow
@pytest.mark.parametrize("where", ["build", "Slicer"])
def test_all_that_the_module_needs_lands_beside_it(tree, where):
    expected = (
        files(MODULE)
        | {f"{package.name}/{name}" for package in (CORE, TRAINING) for name in files(package)}
        | {f"Resources/Models/{name}" for name in files(RESOURCES / "Models")}
    )
    assert files(tree / where / MODULES) == expected


def test_nothing_lands_elsewhere(tree):
    outside = {name for name in files(tree / "Slicer") if not name.startswith(MODULES.as_posix())}
    assert outside == set()


@pytest.mark.parametrize("where", ["build", "Slicer"])
def test_the_core_is_imported_and_finds_the_model(tree, where, tmp_path):
    code = ("import metaunetr.bundle; b = metaunetr.bundle.find(); "
            "metaunetr.weights.read_weights(b.folder / b.card['weights'], b.sha256, 1 << 30); "
            "print(metaunetr.__file__); print(b.folder)")
    modules = tree / where / MODULES
    env = os.environ | {"PYTHONPATH": str(modules), "METAUNETR_MODELS": str(tmp_path)}
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=tmp_path, env=env,
                          capture_output=True, text=True, timeout=300)
    assert done.stdout.splitlines() == [
        str(modules / "metaunetr" / "__init__.py"),
        str(modules / "Resources" / "Models" / "abdomen13-2mm"),
    ], done.stderr


def test_the_command_that_adapts_models_starts(tree):
    done = subprocess.run(
        [sys.executable, "-m", "metaunetr_training", "adapt", "--help"],
        env=os.environ | {"PYTHONPATH": str(tree / "Slicer" / MODULES)}, capture_output=True,
        text=True, cwd=tree)
    assert "--json-progress" in done.stdout, done.stderr


def test_slicer_tests_the_module(tree):
    ctest = str(Path(program("cmake", "CMAKE_BIN_DIR")).with_name("ctest"))
    listed = re.findall(r"Test +#\d+: (\S+)", run(ctest, "-N", cwd=tree / "build"))
    assert listed == ["py_nomainwindow_qSlicerMetaUNETRSegmentModuleGenericTest",
                      "py_MetaUNETRSegment"]


@pytest.mark.parametrize(("folder", "variable", "patterns"), [
    (MODULE, "MODULE_PYTHON_SCRIPTS", ["*.py"]),
    (MODULE, "MODULE_PYTHON_RESOURCES", ["Resources/**/*"]),
    (CORE, "METAUNETR_PYTHON_SCRIPTS", ["*.py"]),
    (TRAINING, "METAUNETR_TRAINING_PYTHON_SCRIPTS", ["*.py"]),
])
def test_every_file_is_listed(folder, variable, patterns):
    """Alphabetically, so that a look tells what is there."""
    text = (folder / "CMakeLists.txt").read_text(encoding="utf-8")
    text = text.replace("${MODULE_NAME}", folder.name)
    listed = re.search(rf"set\({variable}\n(.*?)\n  \)", text, re.DOTALL).group(1).split()
    there = set.union(*(files(folder, pattern) for pattern in patterns))
    for problem, names in (("lacks", there - set(listed)), ("has too many", set(listed) - there)):
        assert not names, "\n  ".join([f"{variable} in {folder.name}/CMakeLists.txt {problem}",
                                       *sorted(names)])
    assert listed == sorted(listed)
