"""How long a training step of the fast recipe takes, and where the time goes.

    python Testing/benchmarks/training_step.py [--recipe fast] [--steps 10] [--device auto]

Trains on two phantoms, which are made first; the loader works beside the steps as in training.
Steps are whole ones (loader, augmentation, network, loss, optimizer, moving average); the parts are
timed apart from them, one after the other. On a GPU also the share of what its matrix products
reach, measured here.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "Training"))

import torch

from metaunetr.network.catalogue import count_gflops
from metaunetr_training import recipe as recipes
from metaunetr_training.cli import parser
from metaunetr_training.data.prepared import Prepared
from metaunetr_training.training.average import moving_average
from metaunetr_training.training.distributed import ProcessGroup, process_group
from metaunetr_training.training.losses import marginal_loss
from metaunetr_training.training.memory import keep_freed_memory
from metaunetr_training.training.networks import architecture_of, build_network
from metaunetr_training.training.sampler import PatchDataset, batches
from metaunetr_training.training.step import Step

WARM_UP = 3


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--recipe", default="fast")
    options.add_argument("--set", dest="changes", action="append", default=[])
    options.add_argument("--steps", type=int, default=10)
    options.add_argument("--device", default="auto")
    args = options.parse_args()
    recipe = recipes.load(args.recipe, args.changes)
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder, process_group(args.device) as group:
        patches = PatchDataset(list(phantoms(Path(folder), args.recipe).cases), recipe)
        network = build_network(recipe.network, len(recipe.organs) + 1, recipe.training.patch)
        step = Step(network, recipe, group)
        print(f"{recipe.name}: f = {recipe.network.feature_size}, patch {recipe.training.patch}, "
              f"batch {recipe.training.batch_size}, {group.device}, {step.dtype}, "
              f"{torch.get_num_threads()} threads")
        whole = time_steps(step, recipe, patches, group, args.steps)
        time_parts(step, next(batches(patches, recipe, group, 0)), recipe, args.steps)
        if group.device.type == "cuda":
            tell_share_of_peak(recipe, whole)


def phantoms(folder: Path, recipe: str) -> Prepared:
    for line in (["phantoms", folder / "raw", "--count", 2, "--spacing", 2, 2, 3],
                 ["prepare", folder / "prepared", "--recipe", recipe, "--jobs", 1,
                  "--data", f"general:{folder / 'raw'}"]):
        arguments = parser().parse_args(list(map(str, line)))
        arguments.run(arguments)
    return Prepared.read(folder / "prepared")


def time_steps(
    step: Step, recipe: recipes.Recipe, patches: PatchDataset, group: ProcessGroup, count: int
) -> float:
    """Median seconds of a whole step; prints it with the share of waiting."""
    average = moving_average(step.network, recipe.training.ema)
    loader = batches(patches, recipe, group, 0)
    seconds, waited = [], []
    for _ in range(WARM_UP + count):
        began = time.perf_counter()
        batch = next(loader)
        waited.append(time.perf_counter() - began)
        step(batch, 1e-3)
        average.update_parameters(step.network)
        wait_for(group.device)
        seconds.append(time.perf_counter() - began)
    median = statistics.median(seconds[WARM_UP:])
    share = sum(waited[WARM_UP:]) / sum(seconds[WARM_UP:])
    print(f"a step: {median:.3f} s (median of {count}; {min(seconds[WARM_UP:]):.3f} to "
          f"{max(seconds[WARM_UP:]):.3f}), {recipe.training.batch_size / median:.2f} patches/s, "
          f"{share:.1%} waiting for the loader")
    return median


def time_parts(step: Step, batch: dict, recipe: recipes.Recipe, count: int) -> None:
    device, mixed = step.device, step.dtype != torch.float32
    parts: dict[str, list[float]] = {}

    def timed(name: str, action: Callable):
        began = time.perf_counter()
        result = action()
        wait_for(device)
        parts.setdefault(name, []).append(time.perf_counter() - began)
        return result

    def forward(image):
        with torch.autocast(device.type, step.dtype, enabled=mixed):
            return step.forward(image)

    for number in range(WARM_UP + count):
        batch["number"] += number  # another augmentation
        image, labels, annotated = timed("augmentation", lambda: step.prepare(batch))
        scores = timed("forward", lambda: forward(image))  # noqa: B023
        loss = timed("loss", lambda: marginal_loss(scores, labels, annotated))  # noqa: B023
        step.optimizer.zero_grad(set_to_none=True)
        timed("backward", loss.total.backward)
        timed("clipping", lambda: torch.nn.utils.clip_grad_norm_(
            step.network.parameters(), step.clip))
        timed("optimizer", step.optimizer.step)
    for name, values in parts.items():
        print(f"  {name:<13} {statistics.mean(values[WARM_UP:]):.3f} s")


def tell_share_of_peak(recipe: recipes.Recipe, seconds: float) -> None:
    """Forward and backward are about three times the forward operations."""
    training = recipe.training
    described = architecture_of(recipe.network, len(recipe.organs) + 1, training.patch)
    operations = 3 * training.batch_size * count_gflops(described, training.patch) * 1e9
    matrix = torch.rand(8192, 8192, device="cuda", dtype=torch.bfloat16)
    times = []
    for _ in range(10):
        began = time.perf_counter()
        matrix @ matrix
        torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    peak = 2 * 8192**3 / min(times)
    print(f"{operations / seconds / 1e12:.1f} of {peak / 1e12:.0f} TFLOP/s that a product of "
          f"bfloat16 matrices reaches: {operations / seconds / peak:.1%}")


def wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
