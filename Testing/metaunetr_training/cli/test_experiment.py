"""The command line of the experiments."""

import pytest

from metaunetr.errors import Cancelled, InputError
from metaunetr_training.cli import parser
from tiny_dataset import write_dataset
from tiny_run import make_run

TINY = ["--set", "training.patch=[32, 32, 32]", "--set", "network.feature_size=4",
        "--set", "preprocessing.spacing=[6, 6, 6]", "--set", "training.workers=0",
        "--set", "inference.smallest_window=[32, 32, 32]",
        "--set", "inference.largest_window=[32, 48, 48]",
        "--set", "training.iterations=2"]


def call(*words) -> int:
    args = parser().parse_args(["experiment", *map(str, words)])
    return args.run(args) or 0


def test_cka_of_a_run_finds_its_cases_by_itself(tmp_path, capsys):
    run = make_run(tmp_path, "training.iterations=1")
    assert call("cka", run.folder, "--patches", 4, "--output", tmp_path / "cka",
                "--device", "cpu") == 0
    assert "heat maps and cka.csv" in capsys.readouterr().out
    assert (tmp_path / "cka" / "within.png").exists()


def test_cka_needs_runs_that_hold_cases_out(tmp_path):
    run = make_run(tmp_path, "training.iterations=1")
    path = run.folder / "run.json"
    path.write_text(path.read_text().replace('"fold": 0', '"fold": "none"'))
    with pytest.raises(InputError, match="run: holds no case out"):
        call("cka", run.folder, "--patches", 4, "--output", tmp_path / "cka", "--device", "cpu")


@pytest.mark.slow
def test_the_same_command_goes_on_when_its_minutes_are_over(tmp_path, capsys):
    command = ("mixers", "--data", f"general:{write_dataset(tmp_path / 'raw', ('a', 'b'))}",
               "--networks", "identity", "--seeds", 1, "--output", tmp_path / "out",
               "--device", "cpu", *TINY)
    with pytest.raises(Cancelled, match="minutes are over; the same command goes on"):
        call(*command, "--max-minutes", 0.001)
    assert not (tmp_path / "out" / "networks.csv").exists()
    assert call(*command, "--max-minutes", 3) == 0
    printed = capsys.readouterr()
    assert "1 of 1: identity-0" in printed.err and "results.md" in printed.out
    assert "2 steps in" in (tmp_path / "out" / "log.txt").read_text()
    with pytest.raises(InputError, match="out: holds an experiment with other values of recipe;"):
        call(*command, "--set", "training.iterations=3")
    assert call("figures", tmp_path / "out", "--output", tmp_path / "again") == 0
    assert (tmp_path / "again" / "dice.png").exists()


def test_adapting_needs_cases_that_are_left_to_test(tmp_path):
    data = write_dataset(tmp_path / "new", "abc")
    with pytest.raises(InputError, match="after 3 to adapt to, none is left to test"):
        call("adapt", "--from", "abdomen13-2mm", "--data", f"general:{data}", "--source", "new",
             "--cases", 3, "--output", tmp_path / "out")


@pytest.mark.parametrize(
    "words",
    [("mixers",), ("mixers", "--output", "x", "--seeds", "0"), ("figures",),
     ("cka", "--output", "x"), ("cka", "run", "--output", "x", "--patches", "3"),
     ("adapt", "--data", "general:x", "--source", "x", "--output", "x"),
     ("adapt", "--from", "x", "--data", "x", "--source", "x", "--output", "x")],
)
def test_a_wrong_command_line_is_refused(words, capsys):
    with pytest.raises(SystemExit) as stop:
        call(*words)
    assert stop.value.code == 2
