"""The precision of a CPU follows from its instructions alone, never from a measurement."""

import time

import pytest
import torch

from metaunetr.engine import precision

AMX, AVX = "_is_amx_tile_supported", "_is_avx512_bf16_supported"
PROCESSORS = [  # answers of torch.cpu (None: no such function), flags of Linux, instructions
    ({AMX: True, AVX: True}, "", "AMX"),
    ({AMX: False, AVX: True}, "", "AVX512-BF16"),
    ({AMX: False, AVX: False}, "amx_bf16", ""),
    ({AMX: None, AVX: None}, "fpu avx512_bf16 amx_bf16", "AMX"),
    ({AMX: None, AVX: None}, "fpu avx512f avx2", ""),
]


@pytest.mark.parametrize(("answers", "flags", "instructions"), PROCESSORS)
def test_instructions_decide(monkeypatch, answers, flags, instructions):
    for name, answer in answers.items():
        monkeypatch.delattr(torch.cpu, name, raising=False)
        if answer is not None:
            monkeypatch.setattr(torch.cpu, name, lambda answer=answer: answer, raising=False)
    monkeypatch.setattr(precision, "_linux_cpu_flags", lambda: frozenset(flags.split()))
    monkeypatch.setattr(time, "perf_counter", lambda: pytest.fail("measured"))
    precision.bfloat16_instructions.cache_clear()
    assert precision.bfloat16_instructions() == instructions
    assert precision.fast_cpu_dtype() == (torch.bfloat16 if instructions else torch.float32)
    precision.bfloat16_instructions.cache_clear()
