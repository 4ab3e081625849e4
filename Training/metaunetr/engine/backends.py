"""Backends: a device, a precision and a batch size in which the network can run.

A device is used only after the network has run on it once and agreed with the CPU. Each device
comes with fallbacks: smaller batches, blending on the CPU, and at last the CPU (see `Runner`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import nn

from metaunetr.engine.precision import PRECISIONS, bfloat16_instructions, fast_cpu_dtype
from metaunetr.engine.runner import NOT_FINITE, LoadedNetwork, first_line
from metaunetr.errors import DeviceError

GPU_BATCH = 4  # windows at once
REQUESTED = "asked for"
CARD = "the model's card asks for it"
PROBE = 32  # voxels along the shorter sides of the test input, unless the network needs more
MAX_DEVIATION = 0.05  # mean deviation from the CPU's logits, relative to their mean size


@dataclass(frozen=True)
class Backend:
    """One way to run the network.

    Attributes:
        batch: windows at once.
        blend: the device that sums up the logits of overlapping windows.
        reason: why in this precision, for the provenance.
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


def device_names() -> list[str]:
    """The devices of this machine, the preferred one first, the CPU last."""
    names = [f"cuda:{n}" for n in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    return [*names, "cpu"]


def device_labels() -> dict[str, str]:
    """The devices of this machine with their product names; the CPU first."""
    labels = {"cpu": "CPU"}
    for name in device_names()[:-1]:
        labels[name] = torch.cuda.get_device_name(name) if name != "mps" else "Apple GPU"
    return labels


def with_fallbacks(
    device: torch.device, precision: str = "auto", reason: str = REQUESTED
) -> list[Backend]:
    """The backends of `device` and its fallbacks, in the order in which they are tried.

    The CPU that takes over from a GPU runs in float32 where that was requested; where a half
    precision was, in the precision that is fast on the CPU.

    Args:
        reason: why in `precision`, where that is not `auto`.
    """
    cpu = torch.device("cpu")
    if precision == "auto" or (device.type != "cpu" and precision != "float32"):
        instructions = bfloat16_instructions() or "no instructions for bfloat16"
        on_cpu = Backend(cpu, fast_cpu_dtype(), 1, cpu, f"the processor has {instructions}")
    else:
        on_cpu = Backend(cpu, getattr(torch, precision), 1, cpu, reason)
    if device.type == "cpu":
        return [on_cpu]
    dtype = torch.float16 if precision == "auto" else getattr(torch, precision)
    why = "default on a GPU" if precision == "auto" else reason
    return [
        Backend(device, dtype, GPU_BATCH, device, why),
        Backend(device, dtype, 1, device, why),
        Backend(device, dtype, 1, cpu, why),
        on_cpu,
    ]


def choose_backends(
    requested: str, network: nn.Module, warn: Callable[[str], None], precision: str = "auto",
    reason: str = REQUESTED,
) -> list[Backend]:
    """The backend for the `requested` device, followed by its fallbacks.

    Args:
        requested: "cpu", "cuda", "cuda:1", "mps", or "auto": the first device that works.
        warn: receives a sentence about each device that `auto` passes over.
        precision: one of PRECISIONS; `auto` is float16 on a GPU (bfloat16 where the logits are too
            large for it), and on a CPU bfloat16 where it has instructions for it, else float32.
        reason: see `with_fallbacks`.

    Raises:
        DeviceError: the requested device does not exist or cannot run the network, no device can
            in this precision, or there is no such precision.
    """
    if precision not in PRECISIONS:
        raise DeviceError(f"The precision must be one of {', '.join(PRECISIONS)}: {precision!r}.")
    if requested == "auto":
        for name in device_names():
            backends, problem = _tested(torch.device(name), network, precision, reason)
            if backends:
                return backends
            warn(f"{name} is not used: {problem}.")
        raise DeviceError(f"No device of this machine can run this model in {precision}; choose "
                          "the precision 'auto'.")
    name = "cuda:0" if requested == "cuda" else requested
    if name not in device_names():
        raise DeviceError(f"There is no device {requested!r} on this machine; "
                          f"there are: auto, {', '.join(device_names())}.")
    backends, problem = _tested(torch.device(name), network, precision, reason)
    if not backends:
        way_out = "the precision 'auto'" if name == "cpu" else "'auto' or 'cpu'"
        raise DeviceError(f"The device {requested!r} cannot run this model: {problem}. "
                          f"Choose {way_out}.")
    return backends


def _tested(
    device: torch.device, network: nn.Module, precision: str, reason: str
) -> tuple[list[Backend], str]:
    """The backends of a device that runs `network` correctly; else none, and why."""
    problem = _problem(device, network, precision)
    if problem and problem.startswith(NOT_FINITE) and precision == "auto":
        precision, reason = "bfloat16", f"{problem} (float16)"
        problem = _problem(device, network, precision)
    return ([], problem) if problem else (with_fallbacks(device, precision, reason), "")


def _problem(device: torch.device, network: nn.Module, precision: str) -> str | None:
    """Why `device` cannot run `network`; None when a test run agrees with the CPU."""
    if device.type == "cpu":
        return "float16 needs a GPU" if precision == "float16" else None
    side = max(PROBE, getattr(network, "stride", PROBE))
    shape = (side, side, 2 * side)  # two voxels at least at the lowest level
    window = torch.sin(0.01 * torch.arange(math.prod(shape))).view(shape)
    backend = with_fallbacks(device, precision)[0]
    try:
        logits = LoadedNetwork(network, backend)([window])[0].cpu()
    except (RuntimeError, AssertionError) as error:  # PyTorch asserts that it was built for CUDA
        return first_line(error)
    with torch.no_grad():
        expected = network(window[None, None])[0]
    deviation = ((logits - expected).abs().mean() / expected.abs().mean()).item()
    if not deviation < MAX_DEVIATION:
        return f"its scores deviate from the CPU's by {deviation:.0%}"
    return None
