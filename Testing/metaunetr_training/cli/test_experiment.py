"""The command line of the experiments."""

import pytest

from metaunetr_training.cli import parser
from tiny_prepared import write_prepared
from tiny_run import make_run

TINY = ["--set", "training.patch=[32, 32, 32]", "--set", "network.feature_size=4",
        "--set", "preprocessing.spacing=[6, 6, 6]", "--set", "training.workers=0",
        "--set", "inference.smallest_window=[32, 32, 32]",
        "--set", "inference.largest_window=[32, 48, 48]"]


def call(*words) -> int:
    args = parser().parse_args(["experiment", *map(str, words)])
    return args.run(args) or 0


def test_cka_of_a_run_finds_its_cases_by_itself(tmp_path, capsys):
    run = make_run(tmp_path, "training.iterations=1")
    assert call("cka", run.folder, "--patches", 4, "--output", tmp_path / "cka",
                "--device", "cpu") == 0
    assert "heat maps and cka.csv" in capsys.readouterr().out
    assert (tmp_path / "cka" / "within.png").exists()


def test_mixers_are_trained_for_the_budget_that_is_asked_for(tmp_path, capsys, monkeypatch):
    def costs(recipe, folder, device):
        from metaunetr_training.experiments.costs import Costs, OnDevice

        return Costs(1_000_000, 1.0, OnDevice("CPU", "float32", 0.1, None, None), None)

    monkeypatch.setattr("metaunetr_training.experiments.runner.costs", costs)
    write_prepared(tmp_path / "prepared")
    assert call("mixers", "--recipe", "experiment", "--prepared", tmp_path / "prepared",
                "--mixers", "identity", "--iterations", 1, "--output", tmp_path / "out",
                "--device", "cpu", *TINY) == 0
    printed = capsys.readouterr()
    assert "identity: Dice 0." in printed.out and "1.00 M parameters" in printed.out
    assert "1 of 1: identity" in printed.err
    assert "1 iterations" in (tmp_path / "out" / "table.md").read_text()


@pytest.mark.parametrize(
    "words",
    [("mixers",), ("stages", "--recipe", "experiment"), ("cka", "--output", "x"),
     ("cka", "run", "--output", "x", "--patches", "3"),
     ("mixers", "--recipe", "x", "--prepared", "x", "--output", "x", "--minutes", "1",
      "--iterations", "1")],
)
def test_a_wrong_command_line_is_refused(words, capsys):
    with pytest.raises(SystemExit) as stop:
        call(*words)
    assert stop.value.code == 2
