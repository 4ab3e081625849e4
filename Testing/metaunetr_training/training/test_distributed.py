"""Two processes train as one does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from metaunetr.errors import DeviceError
from metaunetr_training.training.distributed import process_group
from tiny_prepared import tiny_recipe, write_prepared

ROOT = Path(__file__).parents[3]
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
SCRIPT = f"""
import sys
sys.path[:0] = {[str(ROOT / "Training"), str(ROOT / "Testing/standins")]}
from pathlib import Path
import torch
from safetensors.torch import save_file
from metaunetr.cli import main
from metaunetr_training.cli import parser
from metaunetr_training.data.prepared import Prepared
from metaunetr_training.training.networks import build_network
from metaunetr_training.training.distributed import process_group
from metaunetr_training.training.sampler import PatchDataset, batches
from metaunetr_training.training.step import Step
from tiny_prepared import tiny_recipe

prepared, out = Prepared.read(Path(sys.argv[1])), Path(sys.argv[2])
recipe = tiny_recipe("training.batch_size=2", "training.gradient_clip=1e9")
with process_group("cpu") as group:
    torch.manual_seed(0)
    step = Step(build_network(recipe.network, 4, recipe.training.patch), recipe, group)
    values = step(next(batches(PatchDataset(prepared.training(0), recipe), recipe, group, 0)), 0.0)
    if group.is_main:
        gradients = {{name: p.grad.contiguous() for name, p in step.network.named_parameters()}}
        save_file(gradients | {{"loss": torch.tensor(values["total"])}}, out / "gradients.st")
    for _ in ("new", "finished before"):  # within: a group is not made twice
        code = main(["train", str(out / "run"), "--recipe", sys.argv[3], "--prepared",
                     sys.argv[1], "--device", "cpu"], make_parser=parser)
        assert code == 0
"""


@pytest.mark.slow
def test_two_processes_train_as_one_does_and_print_the_result_once(tmp_path):
    write_prepared(tmp_path / "prepared")
    recipe = tiny_recipe("training.batch_size=2", "training.iterations=2")
    (tmp_path / "tiny.yaml").write_text(recipe.to_yaml())
    (tmp_path / "script.py").write_text(SCRIPT)
    for name, start in (("one", []), ("two", TORCHRUN)):
        (tmp_path / name).mkdir()
        done = subprocess.run(
            [sys.executable, *start, tmp_path / "script.py", tmp_path / "prepared",
             tmp_path / name, tmp_path / "tiny.yaml"],
            env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stderr[-3000:]
        assert done.stdout.count("2 iterations in") == 2  # new, and finished before
    one, two = (load_file(tmp_path / name / "gradients.st") for name in ("one", "two"))
    assert one["loss"].item() == pytest.approx(two["loss"].item(), rel=1e-6)
    for name, gradient in one.items():
        torch.testing.assert_close(two[name], gradient, rtol=1e-4,
                                   atol=1e-4 * gradient.abs().max().item())
    logs = [(tmp_path / name / "run/log.csv").read_text().splitlines() for name in ("one", "two")]
    losses = [[float(line.split(",")[1]) for line in log[1:]] for log in logs]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    validations = [(tmp_path / name / "run/validation.csv").read_text() for name in ("one", "two")]
    assert len(validations[0].splitlines()) == len(validations[1].splitlines()) == 2


@pytest.mark.parametrize("device", ["tpu", "mps", "cuda:99", "?"])
def test_a_device_that_there_is_not(device):
    with pytest.raises(DeviceError, match=device.replace("?", r"\?")), process_group(device):
        pass
