"""The cost of every registered mixer: parameters, operations and measured time."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from metaunetr.network.registry import mixers
from metaunetr.network.sizes import architecture, build


@dataclass(frozen=True)
class CatalogueRow:
    """One mixer in one size of the network; latency in seconds, None where not measured."""

    mixer: str
    summary: str
    parameters: int
    gflops: float
    latency: float | None


def catalogue(
    size: str = "efficient",
    feature_size: int = 48,
    classes: int = 14,
    patch: Sequence[int] = (96, 96, 96),
    latency: bool = False,
    names: Sequence[str] | None = None,
) -> list[CatalogueRow]:
    """A row for every registered mixer (or those in `names`), in the named size.

    patch: (D, H, W) voxels for which operations are counted and, with `latency`, time is measured
    on this machine's CPU (seconds to minutes for each mixer at 96³).
    """
    rows = []
    for mixer in mixers():
        if names is None or mixer.name in names:
            described = architecture(
                size, mixer.name, classes=classes, feature_size=feature_size, patch=list(patch)
            )
            rows.append(
                CatalogueRow(
                    mixer.name,
                    mixer.summary,
                    parameter_count(described),
                    count_gflops(described, patch),
                    measure_latency(described, patch) if latency else None,
                )
            )
    return rows


def parameter_count(described: dict) -> int:
    """Number of learned parameters of the network that an `architecture` describes."""
    with torch.device("meta"):
        return sum(p.numel() for p in build(described).parameters())


def count_gflops(described: dict, patch: Sequence[int]) -> float:
    """10⁹ floating-point operations of one forward pass of a (D, H, W) patch.

    A multiply-add is two operations. PyTorch counts convolutions, matrix products and attention;
    FFT, recurrences and state-space scans, which it does not see, count their own. Norms,
    activations and additions are left out. Nothing is computed: the network has no data.
    """
    with torch.device("meta"), torch.no_grad():
        net = build(described).eval()
        own = _count_in_modules(net)
        with FlopCounterMode(display=False) as counter:
            net(torch.empty(1, described["in_channels"], *patch))
    return (counter.get_total_flops() + sum(own)) / 1e9


def _count_in_modules(net: nn.Module) -> list[int]:
    """Replace every module that counts its own operations by one with the same output shape.

    The returned list gets their operations as the network runs.
    """
    own: list[int] = []

    def stand_in(module: nn.Module, x: Tensor) -> Tensor:
        own.append(module.flops(x.shape))
        return x.new_empty(*x.shape[:-1], module.width)

    for module in net.modules():
        if hasattr(module, "flops"):
            module.forward = partial(stand_in, module)
    return own


def measure_latency(described: dict, patch: Sequence[int], repeats: int = 3) -> float:
    """Seconds of one forward pass of a (D, H, W) patch on this CPU, fp32: the best of `repeats`
    after one to warm up."""
    net = build(described).eval().to(memory_format=torch.channels_last_3d)
    x = torch.rand(1, described["in_channels"], *patch)
    times = []
    with torch.inference_mode():
        for _ in range(1 + repeats):
            start = time.perf_counter()
            net(x)
            times.append(time.perf_counter() - start)
    return min(times[1:])
