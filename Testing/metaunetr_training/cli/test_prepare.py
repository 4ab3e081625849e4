"""`prepare` from the command line: what it says, how it ends, and what a killed run leaves."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from metaunetr.cli import main
from metaunetr_training.cli import parser
from metaunetr_training.data.prepared import Prepared
from metaunetr_training.recipe import load
from tiny_dataset import write_dataset


@pytest.fixture
def ours(tmp_path) -> Path:
    return write_dataset(tmp_path / "ours")


def command(out, data, *options) -> list[str]:
    return ["prepare", str(out), "--data", f"general:{data}", "--folds", "2", *options]


def contents(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes()
            for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def run(capfd):
    def run(*arguments):
        code = main([str(argument) for argument in arguments], make_parser=parser)
        return code, capfd.readouterr()
    return run


def test_a_dry_run_says_what_it_would_take(run, ours, tmp_path):
    code, said = run(*command(tmp_path / "out", ours, "--dry-run"))
    assert code == 0
    assert "3 cases, 0 of them prepared already; the others take at most 5 MB" in said.err
    assert not (tmp_path / "out").exists()


def test_failed_cases_are_told_in_the_exit_code(run, ours, tmp_path):
    (ours / "imagesTr" / "b.nii").write_bytes(b"no image")
    code, said = run(*command(tmp_path / "out", ours, "--jobs", "1"))
    assert code == 7
    assert "2 cases are prepared, 1 failed" in said.out
    assert "ours/b: FAILED" in said.err and "is not a NIfTI file" in said.err


def test_another_spacing_and_a_split_of_one_s_own(run, ours, tmp_path):
    code, _ = run(*command(tmp_path / "out", ours, "--jobs", "1", "--hold-out", "ours/c",
                           "--set", "preprocessing.spacing=[9, 9, 9]"))
    prepared = Prepared.read(tmp_path / "out")
    assert (code, prepared.preprocessing.spacing) == (0, (9.0, 9.0, 9.0))
    assert prepared.folds == {"ours/a": 1, "ours/b": 1, "ours/c": 0}


@pytest.mark.parametrize("arguments, code, text", [
    (["--data", "general"], 2, "must read KIND:DIR"),
    (["--data", "lits:{ours}"], 3, "must be of the kind btcv, amos"),
    (["--data", "general:{ours}/nothing"], 3, "does not exist"),
    (["--data", "general:{ours}", "--data", "general:{ours}"], 3, "a name of its own"),
    (["--data", "general:{ours}", "--recipe", "slow"], 3, "no such recipe"),
    (["--data", "general:{ours}", "--folds", "1"], 2, "from 2 to 100"),
    (["--data", "general:{ours}", "--hold-out", "ours/z"], 3, "no such case to hold out"),
    (["--data", "general:{ours}", "--set", "preprocessing.spacing=2"], 3, "spacing must be a list"),
    (["--data", "general:{ours}", "--from", "abdomen13-2mm", "--set", "name=x"], 3,
     "cannot be given with --from"),
])
def test_wrong_arguments_are_told(run, ours, tmp_path, arguments, code, text):
    found, said = run("prepare", tmp_path / "out", *(a.format(ours=ours) for a in arguments))
    assert found == code
    assert text in said.err
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("jobs, number, code", [
    (1, signal.SIGKILL, -signal.SIGKILL),
    pytest.param(2, signal.SIGINT, 130, marks=pytest.mark.slow),
])
def test_a_killed_run_is_gone_on_with(run, ours, tmp_path, jobs, number, code):
    write_dataset(ours, [f"more{n:02d}" for n in range(12)], first_seed=3)
    out, whole, recipe = tmp_path / "out", tmp_path / "whole", tmp_path / "coarse.yaml"
    recipe.write_text(load("fast", ["preprocessing.spacing=[12, 12, 12]"]).to_yaml())
    options = "--recipe", str(recipe), "--jobs"
    with subprocess.Popen(
        [sys.executable, "-m", "metaunetr_training", *command(out, ours, *options, str(jobs))],
        stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        line = ""
        while not line.startswith("[3/15]"):
            line = process.stderr.readline()
        os.kill(process.pid, number) if number == signal.SIGKILL else os.killpg(process.pid, number)
        process.communicate(timeout=60)  # until its workers have gone too
    assert process.returncode == code
    complete = len(list(out.glob("cases/ours/*/case.json")))
    assert 3 <= complete < 15
    _, said = run(*command(out, ours, *options, "1"))
    assert f"15 cases, {complete} of them prepared already" in said.err
    run(*command(whole, ours, *options, "1"))
    assert len(Prepared.read(whole).cases) == 15
    assert contents(out) == contents(whole)
