"""One process, or many that `torchrun` started, each with its share of every batch."""

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
class Processes:
    """This process among those that train together."""

    rank: int
    count: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this one writes files and tells about progress."""
        return self.rank == 0

    def share(self, batch_size: int, iteration: int) -> list[int]:
        """Numbers of the patches of a step that fall to this process."""
        if batch_size % self.count:
            raise InputError(f"training.batch_size must be divisible by the number of processes, "
                             f"{self.count}: {batch_size}")
        each = batch_size // self.count
        start = iteration * batch_size + self.rank * each
        return list(range(start, start + each))

    def wrap(self, network: nn.Module) -> nn.Module:
        """The network whose gradients are the mean over all processes."""
        if self.count == 1:
            return network
        return DistributedDataParallel(
            network, device_ids=[self.device] if self.device.type == "cuda" else None)

    def agree(self, value: Any) -> Any:
        """The first process's value, in all of them."""
        if self.count == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values, src=0)
        return values[0]

    def mean(self, values: list[float]) -> list[float]:
        """The mean over all processes, of each value."""
        if self.count == 1:
            return values
        total = torch.tensor(values, dtype=torch.float32, device=self.device)
        dist.all_reduce(total)
        return (total / self.count).tolist()

    def gather(self, value: Any) -> list[Any]:
        """The values of all processes."""
        if self.count == 1:
            return [value]
        values = [None] * self.count
        dist.all_gather_object(values, value)
        return values


@contextmanager
def processes(device: str = "auto") -> Iterator[Processes]:
    """This process alone, or as one of those of `torchrun` (gloo on CPUs, NCCL on GPUs).

    Can be nested, but not repeated: processes that meet a second time may wait for ever.

    Args:
        device: "auto" (a GPU where there is one), "cpu", "cuda" or "cuda:1".

    Raises:
        DeviceError: there is no such device.
    """
    count, local = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("LOCAL_RANK", 0))
    chosen = _device(device, local)
    if count == 1:
        yield Processes(0, 1, chosen)
        return
    if dist.is_initialized():
        yield Processes(dist.get_rank(), count, chosen)
        return
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield Processes(dist.get_rank(), count, chosen)
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
