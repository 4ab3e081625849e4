"""What a GPU is for: training the bundled model in minutes, and checks that a CPU cannot make.

    metaunetr-training pack data/prepared cases.pack             before, on any machine
    python Testing/benchmarks/gpu.py train cases.pack OUT        unpack, measure, train
    python Testing/benchmarks/gpu.py check OUT                   engine, memory, mixers, throughput

`train` needs PyTorch, NumPy, SciPy, PyYAML and safetensors. It measures batch sizes for half a
minute, takes the one with most patches a second, and trains in the time that is left, with a
schedule that ends in it; OUT/run then holds checkpoint, log and held-out Dice, for `evaluate` and
`export` elsewhere. `check` needs SimpleITK too. It prints a line a measurement, writes all of them
to OUT/check.json, and ends with 1 when a target is missed. `--device cpu` tries both without a GPU.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "Training"))

import torch

from metaunetr_training import recipe as recipes
from metaunetr_training.data.pack import unpack
from metaunetr_training.data.prepared import Prepared
from metaunetr_training.recipe import Recipe
from metaunetr_training.training.distributed import ProcessGroup, process_group
from metaunetr_training.training.loop import train
from metaunetr_training.training.networks import build_network
from metaunetr_training.training.sampler import PatchDataset, batches
from metaunetr_training.training.step import Step

BATCHES = (2, 4, 8, 16)
STEPS = 6  # timed for each batch size, after two to warm up
FRACTIONS_GB = (4.0, 1.5, 0.6)  # memory left to the engine
SECONDS_WARM, AGREEMENT, STEPS_A_SECOND = 3.0, 0.995, 10.0  # targets


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = options.add_subparsers(required=True, dest="command", metavar="COMMAND")
    training = commands.add_parser("train", help="train on packed cases")
    training.add_argument("pack", type=Path, help="file made by `metaunetr-training pack`")
    training.add_argument("--recipe", default="abdomen13-2mm")
    training.add_argument("--set", dest="changes", action="append", default=[])
    training.add_argument("--minutes", type=float, default=9.5, help="in all (default 9.5)")
    checking = commands.add_parser("check", help="engine, memory, mixers, throughput")
    checking.add_argument("--size", type=int, nargs=3, default=(512, 512, 150))
    for command in (training, checking):
        command.add_argument("out", type=Path)
        command.add_argument("--device", default="cuda")
    args = options.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    return {"train": train_in_time, "check": check}[args.command](args)


# Training


def train_in_time(args: argparse.Namespace) -> int:
    began = time.perf_counter()
    prepared = unpack(args.pack, args.out / "prepared")
    say(f"{len(prepared.cases)} cases unpacked in {time.perf_counter() - began:.0f} s")
    workers = max(0, min(12, (os.cpu_count() or 1) - 2))
    changes = [*args.changes, f"training.workers={workers}"]
    with process_group(args.device) as group:
        batch = best_batch(args.recipe, changes, prepared, group)
    minutes = args.minutes - (time.perf_counter() - began) / 60
    recipe = recipes.load(args.recipe, [*changes, f"training.batch_size={batch}",
                                        f"training.max_minutes={minutes:.3f}",
                                        "training.iterations=1000000"])
    run = train(recipe, prepared, 0, args.out / "run", device=args.device, report=tell)
    say(json.dumps(run.record))
    return 0


def best_batch(name: str, changes: list[str], prepared: Prepared, group: ProcessGroup) -> int:
    """The batch size with most patches a second; those that do not fit into memory are left out."""
    speed: dict[int, float] = {}
    for batch in BATCHES:
        recipe = recipes.load(name, [*changes, f"training.batch_size={batch}"])
        try:
            seconds = seconds_a_step(recipe, prepared, group)
        except torch.OutOfMemoryError:
            break
        speed[batch] = batch / seconds
        say(f"batch {batch}: {seconds:.3f} s a step, {speed[batch]:.1f} patches/s")
        if speed[batch] < 1.1 * max([0.0, *(speed[b] for b in speed if b < batch)]):
            break  # larger ones gain little, and mean fewer steps
    return max(speed, key=lambda b: speed[b])


def seconds_a_step(
    recipe: Recipe, prepared: Prepared, group: ProcessGroup, count: int = STEPS
) -> float:
    """Median of whole steps: loader, augmentation, network, loss, optimizer."""
    network = build_network(recipe.network, len(recipe.organs) + 1, recipe.training.patch)
    step = Step(network, recipe, group)
    stream = batches(PatchDataset(prepared.training(0), recipe), recipe, group, 0)
    seconds = []
    for _ in range(2 + count):
        began = time.perf_counter()
        step(next(stream), 1e-4)
        wait_for(group.device)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds[2:])


def tell(event: dict[str, Any]) -> None:
    if event["event"] == "validation":
        say(f"iteration {event['iteration']}: Dice {event['mean']:.3f}")
    elif event["event"] == "train" and event["iteration"] % 100 == 0:
        say(f"iteration {event['iteration']}: loss {event['total']:.3f}, "
            f"{event['seconds']:.3f} s, {event['remaining_s']:.0f} s left")


# Checks


class Report:
    """Measurements by name, on disk after each one, so that a crash loses none."""

    def __init__(self, path: Path) -> None:
        self.path, self.values, self.missed = path, {}, []

    def measure(self, name: str, action: Callable[[], Any],
                target: Callable[[Any], bool] = lambda value: True) -> Any:
        """What `action` returns, or the error that it raised; both are written down."""
        try:
            value = action()
            reached = target(value)
        except Exception as error:
            traceback.print_exc()
            value, reached = f"{type(error).__name__}: {error}", False
        self.values[name] = value
        if not reached:
            self.missed.append(name)
        self.path.write_text(json.dumps({"missed": self.missed} | self.values, indent=1))
        say(f"{'' if reached else 'MISSED '}{name}: {json.dumps(value)}")
        return value


def check(args: argparse.Namespace) -> int:
    report = Report(args.out / "check.json")
    device = torch.device(args.device)
    report.measure("device", lambda: torch.cuda.get_device_name(device)
                   if device.type == "cuda" else "CPU")
    check_engine(report, args.device, args.size)
    check_mixers(report, device)
    check_throughput(report, args.device, args.out)
    return 1 if report.missed else 0


def check_engine(report: Report, device: str, size: tuple[int, int, int]) -> None:
    """Seconds, agreement with the CPU in float32, and what happens with little memory."""
    from metaunetr import Segmenter, phantom
    from metaunetr.metrics import dice

    spacing = (410 / size[0], 410 / size[1], 2.2)
    image = phantom.make(0, shape=tuple(size[::-1]), spacing=spacing).image
    expected = Segmenter(device="cpu", precision="float32").segment(image)
    found = [item.organ.number for item in expected.organs if item.voxels]

    def run(precision: str = "auto") -> dict[str, Any]:
        engine = Segmenter(device=device, precision=precision)
        times = []
        for _ in range(2):
            began = time.perf_counter()
            result = engine.segment(image)
            times.append(round(time.perf_counter() - began, 2))
        labels, reference = result.labels.array, expected.labels.array
        return {"cold s": times[0], "warm s": times[1], "device": result.record["device"],
                "precision": result.record["precision"], "warnings": list(result.warnings),
                "lowest Dice to the CPU": round(min(
                    float(dice(labels == n, reference == n)) for n in found), 4)}

    def agrees(value: dict[str, Any]) -> bool:
        return value["lowest Dice to the CPU"] >= AGREEMENT

    report.measure("engine, auto", run,
                   lambda value: agrees(value) and value["warm s"] <= SECONDS_WARM)
    report.measure("engine, bfloat16", lambda: run("bfloat16"), agrees)
    if device == "cpu":
        return
    total = torch.cuda.get_device_properties(device).total_memory / 1e9
    for gigabytes in FRACTIONS_GB:
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction(min(1.0, gigabytes / total))
        report.measure(f"engine with {gigabytes} GB", run, agrees)
    torch.cuda.set_per_process_memory_fraction(1.0)


def check_mixers(report: Report, device: torch.device) -> None:
    """Every mixer forward and backward in bfloat16, at 96³ and f = 32 (on a CPU 32³ and f = 8)."""
    from metaunetr.network import architecture, build, mixers

    side, f = (96, 32) if device.type == "cuda" else (32, 8)

    def run(name: str) -> dict[str, Any]:
        torch.manual_seed(0)
        network = build(architecture("efficient", name, classes=14, feature_size=f,
                                     patch=[side] * 3))
        network = network.to(device, memory_format=torch.channels_last_3d)
        x = torch.rand(1, 1, side, side, side, device=device)
        x = x.to(memory_format=torch.channels_last_3d)
        times = []
        for _ in range(3):
            network.zero_grad(set_to_none=True)
            began = time.perf_counter()
            with torch.autocast(device.type, torch.bfloat16):
                scores = network(x)
            scores.float().square().mean().backward()
            wait_for(device)
            times.append(time.perf_counter() - began)
        finite = bool(torch.isfinite(scores).all()) and all(
            bool(torch.isfinite(p.grad).all()) for p in network.parameters())
        return {"forward and backward ms": round(1000 * min(times), 1), "finite": finite}

    for mixer in mixers():
        report.measure(f"mixer {mixer.name}", lambda: run(mixer.name),  # noqa: B023
                       lambda value: value["finite"])


def check_throughput(report: Report, device: str, out: Path) -> None:
    """Training steps a second at 96³, f = 32, batch 2, on the cases that `train` unpacked."""
    if not (out / "prepared").is_dir():
        say("training steps: not measured, run `train` into the same folder first")
        return
    prepared = Prepared.read(out / "prepared")
    recipe = recipes.load("abdomen13-2mm", [
        "training.batch_size=2", "training.patch=[96, 96, 96]", "training.workers=8",
        "inference.smallest_window=[48, 80, 80]", "inference.largest_window=[96, 144, 208]"])
    with process_group(device) as group:
        report.measure("training steps a second, 96³, f = 32, batch 2",
                       lambda: round(1 / seconds_a_step(recipe, prepared, group, 30), 2),
                       lambda value: value >= STEPS_A_SECOND)


def wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
