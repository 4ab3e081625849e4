"""Which device and precision run the network, and what happens when they fail.

A device is used only after the network itself has run on it and agreed with the CPU. When memory
or a kernel fails later, the next rung of a ladder goes on with the same windows: smaller batch,
blending on the CPU, the CPU.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from metaunetr.errors import DeviceError

BATCH = 4  # windows at once on a GPU
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
ASKED = "asked for"
PROBE = (32, 32, 64)  # voxels of the trial input: small, divisible by 2^5, two at the bottom
# instructions for bfloat16: the function of torch.cpu that knows of them, and the flag of Linux
BFLOAT16 = {
    "AMX": ("_is_amx_tile_supported", "amx_bf16"),
    "AVX512-BF16": ("_is_avx512_bf16_supported", "avx512_bf16"),
}
NOT_FINITE = "the scores are too large for this precision"
NO_MEMORY = (  # what cuDNN and cuBLAS say when their workspace does not fit
    "out of memory", "unable to find an engine", "CUDNN_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED",
)
AGREEMENT = 0.05  # largest mean deviation from the CPU's scores, relative to their mean size


@dataclass(frozen=True)
class Rung:
    """One way to run: where, how precisely, how many windows at once, where to blend.

    Attributes:
        reason: why in this precision, for the record.
    """

    device: torch.device
    dtype: torch.dtype
    batch: int
    blend: torch.device
    reason: str = field(default="", compare=False)

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


def ladder(device: torch.device, precision: str = "auto", reason: str = ASKED) -> list[Rung]:
    """The rungs from `device` down to the CPU.

    The CPU that takes over from a GPU keeps to float32 where that was asked for, and to its own
    precision where a half precision was.

    Args:
        reason: why in `precision`, where that is not `auto`.
    """
    cpu = torch.device("cpu")
    if precision == "auto" or (device.type != "cpu" and precision != "float32"):
        instructions = bfloat16_instructions() or "no instructions for bfloat16"
        last = Rung(cpu, fast_cpu_dtype(), 1, cpu, f"the processor has {instructions}")
    else:
        last = Rung(cpu, getattr(torch, precision), 1, cpu, reason)
    if device.type == "cpu":
        return [last]
    dtype = torch.float16 if precision == "auto" else getattr(torch, precision)
    why = "default on a GPU" if precision == "auto" else reason
    return [
        Rung(device, dtype, BATCH, device, why),
        Rung(device, dtype, 1, device, why),
        Rung(device, dtype, 1, cpu, why),
        last,
    ]


def fast_cpu_dtype() -> torch.dtype:
    """bfloat16 where this CPU has instructions for it, else float32."""
    return torch.bfloat16 if bfloat16_instructions() else torch.float32


@cache
def bfloat16_instructions() -> str:
    """The instructions with which this CPU multiplies in bfloat16; empty where it has none.

    With them, convolutions take half of float32's time or less; without, up to hundreds of times
    more. Looked up and not measured, because other programs disturb a measurement, and the labels
    of a CT must not depend on what else runs.
    """
    if not torch.backends.mkldnn.is_available():  # torch's other convolutions do not use them
        return ""
    for name, (function, flag) in BFLOAT16.items():
        known = getattr(torch.cpu, function, None)
        if known() if known else flag in _linux_flags():
            return name
    return ""


@cache
def _linux_flags() -> frozenset[str]:
    """What Linux says that the CPU has, for a torch that does not tell; empty elsewhere."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    lines = (line.partition(":") for line in text.splitlines())
    return frozenset(next((flags.split() for key, _, flags in lines if key.strip() == "flags"), ()))


def choose(
    requested: str, network: nn.Module, warn: Callable[[str], None], precision: str = "auto",
    reason: str = ASKED,
) -> list[Rung]:
    """The ladder to climb down for `requested` ("auto", "cpu", "cuda", "cuda:1", "mps").

    `auto` takes the first device that works and warns of those that do not.

    Args:
        precision: one of PRECISIONS; `auto` is float16 on a GPU (bfloat16 where the scores are too
            large for it), on a CPU bfloat16 where it
            has instructions for it and else float32.
        reason: as `ladder`.

    Raises:
        DeviceError: a device asked for by name does not exist or cannot run the network, or no
            device can in this precision.
    """
    if precision not in PRECISIONS:
        raise DeviceError(f"The precision must be one of {', '.join(PRECISIONS)}: {precision!r}.")
    if requested == "auto":
        for name in candidates():
            rungs, problem = _tried(torch.device(name), network, precision, reason)
            if rungs:
                return rungs
            warn(f"{name} is not used: {problem}.")
        raise DeviceError(f"No device of this machine can run this model in {precision}; choose "
                          "the precision 'auto'.")
    name = "cuda:0" if requested == "cuda" else requested
    if name not in candidates():
        raise DeviceError(f"There is no device {requested!r} on this machine; "
                          f"there are: auto, {', '.join(candidates())}.")
    rungs, problem = _tried(torch.device(name), network, precision, reason)
    if not rungs:
        way_out = "the precision 'auto'" if name == "cpu" else "'auto' or 'cpu'"
        raise DeviceError(f"The device {requested!r} cannot run this model: {problem}. "
                          f"Choose {way_out}.")
    return rungs


def _tried(
    device: torch.device, network: nn.Module, precision: str, reason: str
) -> tuple[list[Rung], str]:
    """The ladder of a device that can be trusted with `network`; else none, and why."""
    problem = _problem(device, network, precision)
    if problem and problem.startswith(NOT_FINITE) and precision == "auto":
        precision, reason = "bfloat16", f"{problem} (float16)"
        problem = _problem(device, network, precision)
    return ([], problem) if problem else (ladder(device, precision, reason), "")


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
            raise RuntimeError(NOT_FINITE)
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

    def trial(self, window: Tensor) -> Tensor:
        """Scores (1, C, D, H, W) of a window (D, H, W) that belongs to no image; steps down when
        the present rung fails."""
        return self._attempt(lambda: self.run([window]))

    def divide(self, total: Tensor, weights: Tensor) -> Tensor:
        """total / weights; on the CPU where the blending device has no room for the result."""
        return self._attempt(
            lambda: total.to(self.rung.blend) / weights.to(self.rung.blend))

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
        out_of_memory = _lacks_memory(error)
        rest = [rung for rung in self.rungs[1:] if out_of_memory or rung.device != failed.device]
        if not rest:
            return False
        self.rungs, self.loaded = rest, None
        if failed.device.type == "cuda":
            with suppress(RuntimeError):  # an error that has broken the context is raised again
                torch.cuda.empty_cache()
        reason = "not enough memory" if out_of_memory else first_line(error)
        self.warn(f"{failed} failed ({reason}); going on with {self.rung}.")
        return True


def _lacks_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or any(
        text in str(error) for text in NO_MEMORY)


def first_line(error: BaseException) -> str:
    """What an exception says, without the pages that torch appends."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
