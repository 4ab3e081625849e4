"""Runs the network on the first backend that can, and falls back to the next when one fails."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from metaunetr.errors import DeviceError

if TYPE_CHECKING:
    from metaunetr.engine.backends import Backend

NOT_FINITE = "the scores are too large for this precision"
NO_MEMORY = (  # messages of cuDNN and cuBLAS when their workspace does not fit
    "out of memory", "unable to find an engine", "CUDNN_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED",
)


class LoadedNetwork:
    """The network on a backend's device, in the memory layout that is fast there.

    A GPU gets a copy, so that the CPU can take over.
    """

    def __init__(self, network: nn.Module, backend: Backend) -> None:
        self.backend = backend
        if backend.device.type != "cpu":
            network = copy.deepcopy(network).to(backend.device)
        self.network = network.to(memory_format=torch.channels_last_3d)

    def __call__(self, windows: list[Tensor]) -> Tensor:
        """Logits (B, C, D, H, W), float32, of windows (D, H, W), on the blending device."""
        backend = self.backend
        x = torch.stack(windows)[:, None].to(backend.device)  # (B, 1, D, H, W)
        x = x.to(memory_format=torch.channels_last_3d)
        mixed = backend.dtype != torch.float32
        with torch.no_grad(), torch.autocast(backend.device.type, backend.dtype, enabled=mixed):
            logits = self.network(x)
        logits = logits.to(backend.blend).float()
        if mixed and not torch.isfinite(logits.sum()):  # without a map as large as the logits
            raise RuntimeError(NOT_FINITE)
        return logits


class Runner:
    """Runs the network on windows of one CT.

    Args:
        backends: in the order in which they are tried.
        warn: receives a sentence about each fallback.

    Attributes:
        warnings: these sentences.
    """

    def __init__(
        self, network: nn.Module, backends: list[Backend], warn: Callable[[str], None]
    ) -> None:
        self.network, self.backends, self.warn = network, list(backends), warn
        self.warnings: list[str] = []
        self._loaded: LoadedNetwork | None = None

    @property
    def backend(self) -> Backend:
        """The present one."""
        return self.backends[0]

    def batches(self, windows: list[Tensor]) -> Iterator[Tensor]:
        """Logits (B, C, D, H, W) of windows (D, H, W), in order, on the blending device."""
        while windows:
            batch = self._attempt(lambda: self._run(windows[: self.backend.batch]))  # noqa: B023
            windows = windows[len(batch) :]
            yield batch

    def trial(self, window: Tensor) -> Tensor:
        """Logits (1, C, D, H, W) of a window (D, H, W) that belongs to no image."""
        return self._attempt(lambda: self._run([window]))

    def zeros(self, shape: tuple[int, ...]) -> Tensor:
        """Zeros (float32) on the blending device."""
        return self._attempt(lambda: torch.zeros(shape, device=self.backend.blend))

    def divide(self, total: Tensor, weights: Tensor) -> Tensor:
        """total / weights, on the blending device."""
        return self._attempt(
            lambda: total.to(self.backend.blend) / weights.to(self.backend.blend))

    def _run(self, windows: list[Tensor]) -> Tensor:
        if self._loaded is None:
            self._loaded = LoadedNetwork(self.network, self.backend)
        return self._loaded(windows)

    def _attempt(self, action: Callable[[], Tensor]) -> Tensor:
        """The result of `action` on the present backend, or the first fallback that works.

        Raises:
            DeviceError: the last fallback, the CPU, failed as well.
        """
        while True:
            try:
                return action()
            except RuntimeError as error:  # includes torch.OutOfMemoryError
                if not self._fall_back(error):
                    raise DeviceError(f"The network failed on {self.backend}: {first_line(error)}. "
                                      "Close other programs, or use a smaller image.") from error

    def _fall_back(self, error: RuntimeError) -> bool:
        """Drop the failed backend; for anything but lack of memory, all of its device."""
        failed = self.backend
        out_of_memory = _lacks_memory(error)
        rest = [backend for backend in self.backends[1:]
                if out_of_memory or backend.device != failed.device]
        if not rest:
            return False
        self.backends, self._loaded = rest, None
        if failed.device.type == "cuda":
            with suppress(RuntimeError):  # an error that has broken the context is raised again
                torch.cuda.empty_cache()
        reason = "not enough memory" if out_of_memory else first_line(error)
        self.warnings.append(f"{failed} failed ({reason}); going on with {self.backend}.")
        self.warn(self.warnings[-1])
        return True


def _lacks_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or any(
        text in str(error) for text in NO_MEMORY)


def first_line(error: BaseException) -> str:
    """The message of an exception, without the pages that PyTorch appends."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
