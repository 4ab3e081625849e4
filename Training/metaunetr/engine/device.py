"""Which device and precision run the network, and what happens when they fail.

A device is used only after the network itself has run on it and agreed with the CPU. When memory
or a kernel fails later, the next rung of a ladder goes on with the same windows: smaller batch,
blending on the CPU, the CPU.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from metaunetr.errors import DeviceError

BATCH = 4  # windows at once on a GPU
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
PROBE = (32, 32, 64)  # voxels of the trial input: small, divisible by 2^5, two at the bottom
AGREEMENT = 0.05  # largest mean deviation from the CPU's scores, relative to their mean size


@dataclass(frozen=True)
class Rung:
    """One way to run: where, how precisely, how many windows at once, where to blend."""

    device: torch.device
    dtype: torch.dtype
    batch: int
    blend: torch.device

    def __str__(self) -> str:
        name = str(self.dtype).removeprefix("torch.")
        blend = "" if self.blend == self.device else f", blending on {self.blend}"
        return f"{self.device} ({name}, {self.batch} at a time{blend})"


def candidates() -> list[str]:
    """The devices of this machine by name, the preferred one first."""
    names = [f"cuda:{n}" for n in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    return [*names, "cpu"]


def labels() -> dict[str, str]:
    """The devices of this machine, each with what people call it; the CPU first."""
    named = {"cpu": "CPU"}
    for name in candidates()[:-1]:
        named[name] = torch.cuda.get_device_name(name) if name != "mps" else "Apple GPU"
    return named


def ladder(device: torch.device, precision: str = "auto") -> list[Rung]:
    """The rungs from `device` down to the CPU.

    The CPU that takes over from a GPU keeps to float32 where that was asked for, and to the
    faster of its own precisions where a half precision was.
    """
    cpu = torch.device("cpu")
    if device.type == "cpu":
        dtype = fast_cpu_dtype() if precision == "auto" else getattr(torch, precision)
        return [Rung(cpu, dtype, 1, cpu)]
    dtype = torch.float16 if precision == "auto" else getattr(torch, precision)
    last = Rung(cpu, dtype if precision == "float32" else fast_cpu_dtype(), 1, cpu)
    return [
        Rung(device, dtype, BATCH, device),
        Rung(device, dtype, 1, device),
        Rung(device, dtype, 1, cpu),
        last,
    ]


@cache
def fast_cpu_dtype() -> torch.dtype:
    """bfloat16 where this CPU's convolutions are faster in it, else float32.

    Measured, not looked up: with AMX it is several times faster, without it hundreds of times
    slower, and the flags that tell differ between systems. A tiny convolution comes first, so
    that finding out costs a slow CPU a few hundredths of a second.
    """
    for size in ((4, 8, 8), (16, 32, 32)):
        seconds = [_conv_seconds(size, dtype) for dtype in (torch.float32, torch.bfloat16)]
        if seconds[1] > (2.0 if size[0] == 4 else 0.8) * seconds[0]:
            return torch.float32
    return torch.bfloat16


def _conv_seconds(size: tuple[int, int, int], dtype: torch.dtype) -> float:
    x = torch.randn(1, 24, *size).to(dtype).to(memory_format=torch.channels_last_3d)
    weight = torch.randn(24, 24, 3, 3, 3).to(dtype).to(memory_format=torch.channels_last_3d)
    best = float("inf")
    with torch.no_grad():
        for _ in range(3):
            start = time.perf_counter()
            F.conv3d(x, weight, padding=1)
            best = min(best, time.perf_counter() - start)
            if best > 0.02:  # hopelessly slow: once is enough
                break
    return best


def choose(
    requested: str, network: nn.Module, warn: Callable[[str], None], precision: str = "auto"
) -> list[Rung]:
    """The ladder to climb down for `requested` ("auto", "cpu", "cuda", "cuda:1", "mps").

    `auto` takes the first device that works and warns of those that do not.

    Args:
        precision: one of PRECISIONS; `auto` is float16 on a GPU, the faster of bfloat16 and
            float32 on a CPU.

    Raises:
        DeviceError: a device asked for by name does not exist or cannot run the network, or no
            device can in this precision.
    """
    if precision not in PRECISIONS:
        raise DeviceError(f"The precision must be one of {', '.join(PRECISIONS)}: {precision!r}.")
    if requested == "auto":
        for name in candidates():
            problem = _problem(torch.device(name), network, precision)
            if problem is None:
                return ladder(torch.device(name), precision)
            warn(f"{name} is not used: {problem}.")
        raise DeviceError(f"No device of this machine can run this model in {precision}; choose "
                          "the precision 'auto'.")
    name = "cuda:0" if requested == "cuda" else requested
    if name not in candidates():
        raise DeviceError(f"There is no device {requested!r} on this machine; "
                          f"there are: auto, {', '.join(candidates())}.")
    problem = _problem(torch.device(name), network, precision)
    if problem:
        way_out = "the precision 'auto'" if name == "cpu" else "'auto' or 'cpu'"
        raise DeviceError(f"The device {requested!r} cannot run this model: {problem}. "
                          f"Choose {way_out}.")
    return ladder(torch.device(name), precision)


def _problem(device: torch.device, network: nn.Module, precision: str) -> str | None:
    """Why `device` cannot be trusted with `network`; None when a real run agrees with the CPU."""
    if device.type == "cpu":
        return "float16 needs a GPU" if precision == "float16" else None
    window = torch.sin(0.01 * torch.arange(PROBE[0] * PROBE[1] * PROBE[2])).view(PROBE)
    rung = ladder(device, precision)[0]
    try:
        found = _Loaded(network, rung)([window])[0].cpu()
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built for CUDA
        return first_line(error)
    with torch.no_grad():
        expected = network(window[None, None])[0]
    deviation = ((found - expected).abs().mean() / expected.abs().mean()).item()
    if not deviation < AGREEMENT:
        return f"its scores deviate from the CPU's by {deviation:.0%}"
    return None


class _Loaded:
    """A copy of the network on a rung's device, in the memory layout that is fast there."""

    def __init__(self, network: nn.Module, rung: Rung) -> None:
        self.rung = rung
        if rung.device.type != "cpu":
            network = copy.deepcopy(network).to(rung.device)
        self.network = network.to(memory_format=torch.channels_last_3d)

    def __call__(self, windows: list[Tensor]) -> Tensor:
        rung = self.rung
        x = torch.stack(windows)[:, None].to(rung.device)  # (B, 1, D, H, W)
        x = x.to(memory_format=torch.channels_last_3d)
        mixed = rung.dtype != torch.float32
        with torch.no_grad(), torch.autocast(rung.device.type, rung.dtype, enabled=mixed):
            scores = self.network(x)
        scores = scores.to(rung.blend).float()
        if mixed and not torch.isfinite(scores).all():
            raise RuntimeError(f"the scores are not finite in {rung.dtype}")
        return scores


class Runner:
    """Runs windows on the first rung that can, stepping down when one fails.

    Args:
        warn: told in a sentence about each step down.
        progress: told after each batch how many windows are done.
    """

    def __init__(
        self, network: nn.Module, rungs: list[Rung],
        warn: Callable[[str], None], progress: Callable[[int], None],
    ) -> None:
        self.network, self.rungs = network, list(rungs)
        self.warn, self.progress = warn, progress
        self.loaded: _Loaded | None = None
        self.seconds = 0.0  # spent in the network so far
        self.done = 0

    @property
    def rung(self) -> Rung:
        return self.rungs[0]

    def zeros(self, shape: tuple[int, ...]) -> Tensor:
        """Zeros (float32) on the device that blends; steps down when they do not fit."""
        return self._attempt(lambda: torch.zeros(shape, device=self.rung.blend))

    def __call__(self, windows: list[Tensor]) -> Iterator[Tensor]:
        """Scores (C, D, H, W) of each window (D, H, W), in order, on the blending device."""
        while windows:
            start = time.perf_counter()
            batch = self._attempt(lambda: self.run(windows[: self.rung.batch]))  # noqa: B023
            windows = windows[len(batch) :]
            self.seconds += time.perf_counter() - start
            self.done += len(batch)
            self.progress(self.done)
            yield from batch

    def run(self, windows: list[Tensor]) -> Tensor:
        """Scores (B, C, D, H, W) of windows (D, H, W) at once, on the present rung."""
        if self.loaded is None:
            self.loaded = _Loaded(self.network, self.rung)
        return self.loaded(windows)

    def _attempt(self, action: Callable[[], Tensor]) -> Tensor:
        """The result of `action`, on a lower rung if need be.

        Raises:
            DeviceError: the lowest rung, the CPU, failed as well.
        """
        while True:
            try:
                return action()
            except RuntimeError as error:  # includes torch.OutOfMemoryError
                if not self._step_down(error):
                    raise DeviceError(f"The network failed on {self.rung}: {first_line(error)}. "
                                      "Close other programs, or use a smaller image.") from error

    def _step_down(self, error: RuntimeError) -> bool:
        """Drops the failed rung; for anything but lack of memory, all rungs of its device."""
        failed = self.rungs[0]
        out_of_memory = isinstance(error, torch.OutOfMemoryError)
        rest = [rung for rung in self.rungs[1:] if out_of_memory or rung.device != failed.device]
        if not rest:
            return False
        self.rungs, self.loaded = rest, None
        if failed.device.type == "cuda":
            torch.cuda.empty_cache()
        reason = "not enough memory" if out_of_memory else first_line(error)
        self.warn(f"{failed} failed ({reason}); going on with {self.rung}.")
        return True


def first_line(error: BaseException) -> str:
    """What an exception says, without the pages that torch appends."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
