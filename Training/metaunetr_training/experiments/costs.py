"""The costs of a network: parameters, operations, time and memory.

Memory is measured in a separate process (`python -m metaunetr_training.experiments.costs`), so that
its peak is that of the network alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from metaunetr.errors import MetaUNETRError
from metaunetr.io.atomic import write_text
from metaunetr.network.catalogue import count_gflops
from metaunetr.network.sizes import FAMILY
from metaunetr.schema import Reader, read_json, to_json
from metaunetr_training import recipe as recipes
from metaunetr_training.recipe import Network, Recipe, Triple
from metaunetr_training.training.distributed import ProcessGroup
from metaunetr_training.training.networks import architecture_of, build_network
from metaunetr_training.training.step import Step, working_dtype

REPEATS = {"cpu": 3, "cuda": 20}
MB = 1e6  # bytes
LINUX_STATUS = Path("/proc/self/status")


class MeasurementError(MetaUNETRError):
    """The process that measures failed."""


@dataclass(frozen=True)
class OnDevice:
    """Time and memory on one device.

    Attributes:
        precision: of training on this device.
        seconds, step_seconds: of one forward pass of a patch, and of one training step of a batch;
            the fastest of several, after a warm-up.
        inference_mb, training_mb: peak memory in 10⁶ bytes, weights included, of a forward pass of
            a patch and of a training step of a batch (augmentation, AdamW; not compiled); None
            where the system does not report it.
    """

    name: str
    precision: str
    seconds: float
    step_seconds: float
    inference_mb: float | None
    training_mb: float | None


@dataclass(frozen=True)
class Costs:
    """The costs of a network.

    Attributes:
        gflops: 10⁹ operations of one forward pass of a patch, see `metaunetr.network.catalogue`.
        gpu: None if it was not measured.
    """

    parameters: int
    gflops: float
    cpu: OnDevice
    gpu: OnDevice | None


def costs(recipe: Recipe, folder: Path, device: torch.device) -> Costs:
    """The costs of a recipe's network; measured once and kept in `folder` / costs.json.

    Args:
        device: a GPU to measure in addition to the CPU, or the CPU.

    Raises:
        MeasurementError: the process that measures failed.
    """
    kept = folder / "costs.json"
    known = _read(kept) if kept.exists() else None
    if known is None or (known.gpu is not None) != (device.type == "cuda"):
        source = folder / "recipe.yaml"
        if not source.exists():
            write_text(source, recipe.to_yaml())
        write_text(kept, _in_own_process(source, device))
        known = _read(kept)
    return known


def _read(path: Path) -> Costs:
    return Reader(path.name).read(Costs, read_json(path))


def _in_own_process(recipe: Path, device: torch.device) -> str:
    root = str(Path(recipes.__file__).parents[1])
    paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    ended = subprocess.run(
        [sys.executable, "-m", __name__, str(recipe), str(device)],
        env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, encoding="utf-8")
    if ended.returncode:
        last = (ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"])[-1]
        raise MeasurementError(f"{recipe}: measuring time and memory failed: {last}")
    return ended.stdout.strip().splitlines()[-1] + "\n"


def measure(recipe: Recipe, device: torch.device) -> Costs:
    """Measures in this process, which must not have used more memory before."""
    described = recipe.network, len(recipe.organs) + 1, recipe.training.patch
    # first, so that imports do not count as memory of the network
    counted = parameters(*described), gflops(*described)
    cpu = _on(torch.device("cpu"), recipe)
    gpu = None
    if device.type == "cuda":
        torch.cuda.set_device(device)  # whose peak memory is read
        gpu = _on(device, recipe)
    return Costs(*counted, cpu, gpu)


def parameters(network: Network, classes: int, patch: Triple) -> int:
    """The number of parameters.

    Args:
        classes: background included.
    """
    return sum(p.numel() for p in build_network(network, classes, patch).parameters())


def gflops(network: Network, classes: int, patch: Triple) -> float:
    """10⁹ operations of one forward pass of a patch, counted without computing them."""
    if network.family == FAMILY:
        return count_gflops(architecture_of(network, classes, patch), patch)
    made = build_network(network, classes, patch).to("meta").eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        made(torch.empty(1, 1, *patch, device="meta"))
    return counter.get_total_flops() / 1e9


def _on(device: torch.device, recipe: Recipe) -> OnDevice:
    memory = _Memory(device)
    classes, training = len(recipe.organs) + 1, recipe.training
    network = build_network(recipe.network, classes, training.patch)
    network = network.to(device, memory_format=torch.channels_last_3d).eval()
    dtype = working_dtype(training, network, device)
    image = torch.rand(1, 1, *training.patch).to(device, memory_format=torch.channels_last_3d)
    precision = torch.autocast(device.type, dtype, enabled=dtype != torch.float32)
    with torch.inference_mode(), precision:
        seconds = _fastest(lambda: network(image), device.type)
    inference = memory.peak()
    step = Step(network.train(), replace(recipe, training=replace(training, compile="no")),
                ProcessGroup(0, 1, device))
    batch = _batch(classes, training.batch_size, training.patch)
    step_seconds = _fastest(lambda: step(batch, 1e-6), device.type)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else \
        f"CPU, threads: {torch.get_num_threads()}"
    return OnDevice(name, str(dtype).removeprefix("torch."), seconds, step_seconds, inference,
                    memory.peak())


def _fastest(work: Callable[[], Any], device: str) -> float:
    """The shortest time of several, after a warm-up."""
    times = []
    for _ in range(1 + REPEATS[device]):
        began = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    return min(times[1:])


def _batch(classes: int, size: int, patch: Triple) -> dict:
    return {
        "image": torch.rand(size, 1, *patch),
        "labels": torch.randint(0, classes, (size, *patch), dtype=torch.uint8),
        "annotated": torch.ones(size, classes, dtype=torch.bool),
        "name": ["random"] * size,
        "number": torch.arange(size),
    }


class _Memory:
    """Peak memory since its construction, in 10⁶ bytes."""

    def __init__(self, device: torch.device) -> None:
        self.read = torch.cuda.max_memory_allocated if device.type == "cuda" else _resident
        _forget_peak()
        self.before = self.read()

    def peak(self) -> float | None:
        if self.before is None:
            return None
        return round((self.read() - self.before) / MB, 1)


def _resident() -> int | None:
    """Peak memory of this process, in bytes; None where the system does not report it."""
    if LINUX_STATUS.exists():  # getrusage includes the parent process before exec
        text = LINUX_STATUS.read_text()
        return int(text.split("VmHWM:")[1].split()[0]) * 1024
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _forget_peak() -> None:
    """Resets the peak memory of this process on Linux; other systems keep that of imports."""
    with suppress(OSError):
        if LINUX_STATUS.exists():
            LINUX_STATUS.with_name("clear_refs").write_text("5")


if __name__ == "__main__":
    print(json.dumps(to_json(measure(recipes.load(sys.argv[1]), torch.device(sys.argv[2])))))
