"""One process, or several started by `torchrun`, each with its share of every batch."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from metaunetr.errors import DeviceError, InputError


@dataclass(frozen=True)
class ProcessGroup:
    """The processes that train together, seen from this one.

    Attributes:
        rank: of this process, from 0.
        count: number of processes.
        device: of this process.
    """

    rank: int
    count: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and reports progress."""
        return self.rank == 0

    def patch_numbers(self, batch_size: int, iteration: int) -> list[int]:
        """Numbers of the patches that this process contributes to a step.

        Raises:
            InputError: the batch cannot be divided among the processes.
        """
        if batch_size % self.count:
            raise InputError(f"training.batch_size must be divisible by the number of processes, "
                             f"{self.count}: {batch_size}")
        each = batch_size // self.count
        start = iteration * batch_size + self.rank * each
        return list(range(start, start + each))

    def wrap(self, network: nn.Module) -> nn.Module:
        """The network with gradients averaged over all processes."""
        if self.count == 1:
            return network
        return DistributedDataParallel(
            network, device_ids=[self.device] if self.device.type == "cuda" else None)

    def broadcast(self, value: Any) -> Any:
        """The value of the main process, in every process."""
        if self.count == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values, src=0)
        return values[0]

    def mean(self, values: list[float]) -> list[float]:
        """Each value, averaged over all processes."""
        if self.count == 1:
            return values
        total = torch.tensor(values, dtype=torch.float32, device=self.device)
        dist.all_reduce(total)
        return (total / self.count).tolist()

    def gather(self, value: Any) -> list[Any]:
        """The value of every process."""
        if self.count == 1:
            return [value]
        values = [None] * self.count
        dist.all_gather_object(values, value)
        return values


@contextmanager
def process_group(device: str = "auto") -> Iterator[ProcessGroup]:
    """This process alone, or the group made by `torchrun` (gloo on CPUs, NCCL on GPUs).

    Can be nested, but not entered a second time: initialising a group again may deadlock.

    Args:
        device: "auto" (a GPU where there is one), "cpu", "cuda" or "cuda:1".

    Raises:
        DeviceError: the device does not exist.
    """
    count, local = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("LOCAL_RANK", 0))
    chosen = _device(device, local)
    if count == 1:
        yield ProcessGroup(0, 1, chosen)
        return
    if dist.is_initialized():
        yield ProcessGroup(dist.get_rank(), count, chosen)
        return
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield ProcessGroup(dist.get_rank(), count, chosen)
    finally:
        dist.destroy_process_group()


def _device(name: str, local: int) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda"):
        raise DeviceError(f"Training runs on auto, cpu, cuda or cuda:N, not on {name!r}.")
    if device.type == "cuda":
        device = torch.device("cuda", local if device.index is None else device.index)
        if not torch.cuda.is_available() or device.index >= torch.cuda.device_count():
            raise DeviceError(f"There is no device {device} on this machine.")
        torch.cuda.set_device(device)
    return device
