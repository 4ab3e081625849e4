"""The floating-point types that the network can run in, and the fast one of this CPU."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch

PRECISIONS = ("auto", "float32", "bfloat16", "float16")
# instructions for bfloat16: the function of torch.cpu that reports them, and the flag of Linux
BFLOAT16 = {
    "AMX": ("_is_amx_tile_supported", "amx_bf16"),
    "AVX512-BF16": ("_is_avx512_bf16_supported", "avx512_bf16"),
}


def fast_cpu_dtype() -> torch.dtype:
    """bfloat16 where this CPU has instructions for it, else float32."""
    return torch.bfloat16 if bfloat16_instructions() else torch.float32


@cache
def bfloat16_instructions() -> str:
    """The instructions with which this CPU multiplies in bfloat16; empty where it has none.

    With them, convolutions take half of the time of float32 or less; without them, up to hundreds
    of times more. They are looked up and not measured: other programs disturb a measurement, and
    the labels of a CT must not depend on what else runs.
    """
    if not torch.backends.mkldnn.is_available():  # PyTorch's other convolutions do not use them
        return ""
    for name, (function, flag) in BFLOAT16.items():
        supported = getattr(torch.cpu, function, None)
        if supported() if supported else flag in _linux_cpu_flags():
            return name
    return ""


@cache
def _linux_cpu_flags() -> frozenset[str]:
    """The CPU flags that Linux lists, for PyTorch versions without the functions; else empty."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    lines = (line.partition(":") for line in text.splitlines())
    return frozenset(next((flags.split() for key, _, flags in lines if key.strip() == "flags"), ()))
