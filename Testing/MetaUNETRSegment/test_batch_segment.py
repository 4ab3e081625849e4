"""The headless script: what `metaunetr batch` does, printed, and Slicer always ends."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from metaunetr.cli import main
from metaunetr.io import write_image
from tiny_bundle import small_ct, write_bundle

MODULE = Path(__file__).parents[2] / "MetaUNETRSegment"
SCRIPT = MODULE / "Scripts" / "batch_segment.py"

# As SlicerApp runs `--python-script FILE -- ARGUMENTS` (qSlicerCoreApplication.cxx and
# ctkAbstractPythonManager.cpp): sys.argv without the first "--", the file executed in __main__ as
# text of the system. Slicer ends with the code of the last exit(); without one, it goes on
# running, which is 99 here.
SLICER = """
import sys, traceback
sys.argv = [{script!r}, *sys.argv[1:]]
import slicer
from types import SimpleNamespace
codes = []
slicer.app = SimpleNamespace(commandOptions=SimpleNamespace, exit=codes.append)
try:
    __file__ = {script!r}
    exec(open(__file__, encoding="ascii").read(), globals())
except BaseException:
    traceback.print_exc()
sys.exit(codes[-1] if codes else 99)
"""


def start(*arguments, script: Path = SCRIPT, cwd: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", SLICER.format(script=str(script)), *map(str, arguments)], cwd=cwd,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        encoding="utf-8",
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        | {"OMP_NUM_THREADS": "1", "TMPDIR": str(cwd / "temporary")},
    )


def slicer(*arguments, **options) -> subprocess.CompletedProcess:
    process = start(*arguments, **options)
    out, err = process.communicate(timeout=500)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two CTs and a broken one below "in"; the model "tiny"."""
    (tmp_path / "temporary").mkdir()
    (tmp_path / "in" / "a").mkdir(parents=True)
    write_image(tmp_path / "in" / "a" / "ct.nii.gz", small_ct())
    write_image(tmp_path / "in" / "ct.nrrd", small_ct())
    (tmp_path / "in" / "bad.nii.gz").write_text("no CT")
    write_bundle(tmp_path / "tiny")
    return tmp_path


def test_a_folder_with_a_bad_case(folder):
    """Relative paths, the lines of the terminal, the exit code; nothing temporary is left."""
    arguments = ("--input", "in", "--output", "out", "--model", "tiny", "--statistics", "all.csv")
    ran = slicer(*arguments, cwd=folder)
    assert ran.returncode == 7, ran.stderr
    lines = ran.stdout.splitlines()
    assert lines[0] == "3 cases."
    assert lines[1].startswith("[1/3] bad: FAILED: ")
    assert lines[-1].startswith("3 cases: 2 done, 0 finished before, 1 failed, in ")
    assert len(lines) == 5
    assert (folder / "all.csv").exists()
    assert json.loads((folder / "out" / "a" / "ct.json").read_text())["outputs"]
    assert list((folder / "temporary").iterdir()) == []

    (folder / "in" / "bad.nii.gz").unlink()
    again = slicer("--", *arguments, "--resume", cwd=folder)
    assert again.returncode == 0
    assert "2 cases: 0 done, 2 finished before, 0 failed, in " in again.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "code", "words"), [
    ((), 2, "the following arguments are required: --input, --output"),
    (("--help",), 0, "usage: metaunetr batch"),
    (("--input", "in", "--output", "out", "--model", "none"), 4, "No model is called 'none'"),
    (("--input", "nothing", "--output", "out"), 3, "nothing: there is no such file or folder"),
])
def test_what_the_engine_says_is_shown(folder, arguments, code, words):
    ran = slicer(*arguments, cwd=folder)
    assert ran.returncode == code
    assert words in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr


def test_an_error_at_import_ends_slicer(folder):
    """The script without its library."""
    (folder / "Scripts").mkdir()
    script = Path(shutil.copy(SCRIPT, folder / "Scripts"))
    ran = slicer("--input", "in", "--output", "out", script=script, cwd=folder)
    assert ran.returncode == 1
    assert "No module named 'MetaUNETRSegmentLib'" in ran.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("body", "code", "words"), [
    ("raise RuntimeError('broken')", 1, "broken"),
    ("raise SystemExit(0)", 1, "SystemExit"),
    ("raise KeyboardInterrupt", 130, ""),
    ("def missing(): return ['torch>=2.4', 'safetensors']", 1,
     'PythonSlicer -m pip install "torch>=2.4" "safetensors"'),
])
def test_whatever_happens_slicer_ends(folder, body, code, words):
    library = folder / "MetaUNETRSegmentLib"
    library.mkdir()
    (library / "__init__.py").touch()
    (library / "dependencies.py").write_text(body)
    (folder / "Scripts").mkdir()
    script = Path(shutil.copy(SCRIPT, folder / "Scripts"))
    ran = slicer("--input", "in", "--output", "out", script=script, cwd=folder)
    assert ran.returncode == code
    assert words in ran.stderr


def test_an_engine_that_is_killed(folder):
    library = folder / "MetaUNETRSegmentLib"
    library.mkdir()
    (library / "__init__.py").touch()
    (library / "dependencies.py").write_text("def missing(): return []")
    (library / "engine.py").write_text("""
class Engine:
    exitCode = None
    def poll(self):
        self.exitCode = -9
        return [{"event": "case", "state": "done", "line": "[1/2] a: 4 organs"}]
def startEngine(arguments, folder):
    return Engine()
""")
    (folder / "Scripts").mkdir()
    script = Path(shutil.copy(SCRIPT, folder / "Scripts"))
    ran = slicer(script=script, cwd=folder)
    assert ran.returncode == 137
    assert ran.stdout == "[1/2] a: 4 organs\n"
    assert "ended by signal 9" in ran.stderr


def test_the_script_is_plain_ascii():
    """Slicer reads it in the encoding of the system, which is not UTF-8 on Windows."""
    SCRIPT.read_bytes().decode("ascii")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_ten_phantoms_and_two_bad_files_killed_and_resumed(tmp_path):
    (tmp_path / "temporary").mkdir()
    (tmp_path / "in").mkdir()
    for seed in range(2):
        main(["phantom", "-o", str(tmp_path / "in" / f"{seed}.nii.gz"), "--seed", str(seed),
              "--spacing", "6", "6", "8"])
    for number in range(2, 10):
        shutil.copy(tmp_path / "in" / f"{number % 2}.nii.gz", tmp_path / "in" / f"{number}.nii.gz")
    write_bundle(tmp_path / "tiny")
    (tmp_path / "in" / "cut.nii.gz").write_bytes((tmp_path / "in" / "3.nii.gz").read_bytes()[:9999])
    (tmp_path / "in" / "noise.nrrd").write_bytes(bytes(range(256)) * 9)
    arguments = ("--input", "in", "--output", "out", "--statistics", "all.csv", "--resume",
                 "--model", "tiny")

    def finished() -> dict[str, int]:
        records = (tmp_path / "out").glob("*.json")
        return {name.name: name.stat().st_mtime_ns
                for record in records for name in (record, record.with_suffix(".seg.nrrd"))}

    before = {}
    for words in ("[2/12]", "[4/12]", "[9/12]"):
        process = start(*arguments, cwd=tmp_path)
        for line in process.stdout:
            if line.startswith(words):
                break
        process.kill()
        process.communicate()
        assert before.items() <= finished().items()
        before = finished()
    assert len(before) / 2 >= 8
    ran = slicer(*arguments, cwd=tmp_path)
    assert ran.returncode == 7
    assert before.items() <= finished().items()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "run.sqlite", "organs.csv", "failures.csv", "index.html",
        *(f"{n}{suffix}" for n in range(10) for suffix in (".json", ".seg.nrrd", ".png"))}
    assert ran.stdout.count("finished before\n") + ran.stdout.count("finished before;") == (
        len(before) / 2)
    assert ran.stdout.count("FAILED") == 2
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 1 + 10 * 4
