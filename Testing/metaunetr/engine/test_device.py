"""A device is trusted only after a real run, and failure leads down the ladder, not out."""

import dataclasses
import time

import pytest
import torch

from analytic import HuBins, Lopsided, analytic_image, make_bundle
from metaunetr.engine import Segmenter, device
from metaunetr.engine.device import Rung, Runner
from metaunetr.errors import DeviceError
from metaunetr.network import architecture, build

CPU = torch.device("cpu")
WINDOWS = [torch.full((4, 4, 4), float(n)) for n in range(5)]


class Fails(torch.nn.Module):
    """Doubles its input, unless `when(batch)`: then it raises `error`."""

    def __init__(self, when, error):
        super().__init__()
        self.when, self.error = when, error

    def forward(self, x):
        if self.when(x.shape[0]):
            raise self.error
        return 2 * x


def rungs(*batches):
    return [Rung(CPU, torch.float32, batch, CPU) for batch in batches]


def test_lack_of_memory_makes_batches_smaller_and_loses_no_window():
    warnings, progress = [], []
    network = Fails(lambda batch: batch > 1, torch.OutOfMemoryError("CUDA out of memory. Tried …"))
    runner = Runner(network, rungs(4, 1), warnings.append, progress.append)
    scores = list(runner(WINDOWS))
    assert [float(score.mean()) for score in scores] == [0, 2, 4, 6, 8]
    assert progress == [1, 2, 3, 4, 5]
    assert len(warnings) == 1 and "not enough memory" in warnings[0]


@pytest.mark.parametrize("text", [
    "GET was unable to find an engine to execute this computation",
    "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
])
def test_libraries_that_find_no_memory_are_given_smaller_batches_too(text):
    warnings = []
    network = Fails(lambda batch: batch > 1, RuntimeError(text))
    runner = Runner(network, rungs(4, 1), warnings.append, lambda done: None)
    assert len(list(runner(WINDOWS))) == 5
    assert "not enough memory" in warnings[0]


def test_a_trial_that_fails_leads_down_the_ladder():
    network = Fails(lambda batch: True, RuntimeError("no kernel image is available"))
    warnings = []
    runner = Runner(network, [Rung(torch.device("meta"), torch.float32, 4, CPU), *rungs(1)],
                    warnings.append, lambda done: None)
    network.when = lambda batch: len(runner.rungs) > 1
    assert runner.trial(WINDOWS[1]).shape == (1, 1, 4, 4, 4)
    assert len(warnings) == 1 and runner.rung == rungs(1)[0]


def test_scores_too_large_for_float16_are_computed_in_bfloat16(monkeypatch):
    monkeypatch.setattr(device, "candidates", lambda: ["mps", "cpu"])

    class Loaded:
        def __init__(self, network, rung):
            self.network, self.dtype = network, rung.dtype

        def __call__(self, windows):
            if self.dtype == torch.float16:
                raise RuntimeError(device.NOT_FINITE)
            return self.network(windows[0][None, None])

    monkeypatch.setattr(device, "_Loaded", Loaded)
    first = device.choose("auto", Lopsided(), print)[0]
    assert (first.device.type, first.dtype) == ("mps", torch.bfloat16)
    assert "too large" in first.reason


def test_a_failing_kernel_skips_all_rungs_of_its_device():
    other = torch.device("meta")
    ladder = [Rung(other, torch.float32, 4, other), Rung(other, torch.float32, 1, CPU), *rungs(1)]
    warnings = []
    runner = Runner(HuBins(), ladder, warnings.append, lambda done: None)
    assert len(list(runner(WINDOWS))) == 5  # the meta device cannot hand results to the CPU
    assert runner.rung == rungs(1)[0]
    assert len(warnings) == 1 and warnings[0].startswith("meta")


def test_failure_on_the_last_rung_is_one_clear_error():
    network = Fails(lambda batch: True, RuntimeError("no kernel image is available\nfor you"))
    runner = Runner(network, rungs(1), lambda text: None, lambda done: None)
    with pytest.raises(DeviceError, match=r"failed on cpu .*no kernel image is available\."):
        list(runner(WINDOWS))


def test_auto_falls_back_when_a_gpu_is_listed_but_cannot_run(monkeypatch):
    monkeypatch.setattr(device, "candidates", lambda: ["cuda:7", "cpu"])
    engine = Segmenter(make_bundle(HuBins()), device="auto")
    result = engine.segment(analytic_image())
    assert result.record["device"] == "cpu"
    assert any(text.startswith("cuda:7 is not used") for text in result.warnings)


def test_a_device_that_gives_wrong_numbers_is_not_trusted(monkeypatch):
    monkeypatch.setattr(device, "candidates", lambda: ["mps", "cpu"])
    monkeypatch.setattr(device, "_Loaded", lambda network, rung: lambda windows: network(
        windows[0][None, None]) * 1.5)
    warnings = []
    ladder = device.choose("auto", Lopsided(), warnings.append)
    assert [rung.device.type for rung in ladder] == ["cpu"]
    assert "deviate" in warnings[0]


@pytest.mark.parametrize("name", ["cuda:99", "tpu", "mps:3"])
def test_an_unknown_device_is_refused_with_the_known_ones(name):
    with pytest.raises(DeviceError, match=r"no device .*auto.*cpu"):
        device.choose(name, HuBins(), print)


def test_the_ladder_of_a_gpu_ends_on_the_cpu():
    ladder = device.ladder(torch.device("cuda:0"))
    assert [(rung.device.type, rung.batch, rung.blend.type) for rung in ladder] == [
        ("cuda", 4, "cuda"), ("cuda", 1, "cuda"), ("cuda", 1, "cpu"), ("cpu", 1, "cpu"),
    ]


LADDERS = [
    ("cuda:0", "auto", ["float16", "float16", "float16", "own"]),
    ("cuda:0", "float16", ["float16", "float16", "float16", "own"]),
    ("cuda:0", "bfloat16", ["bfloat16", "bfloat16", "bfloat16", "own"]),
    ("cuda:0", "float32", ["float32", "float32", "float32", "float32"]),
    ("cpu", "auto", ["own"]),
    ("cpu", "bfloat16", ["bfloat16"]),
    ("cpu", "float32", ["float32"]),
]


@pytest.mark.parametrize(("name", "precision", "dtypes"), LADDERS)
def test_every_rung_has_the_precision_asked_for_but_a_cpu_that_takes_over_its_own(
    monkeypatch, name, precision, dtypes
):
    monkeypatch.setattr(device, "fast_cpu_dtype", lambda: "own")
    rungs = device.ladder(torch.device(name), precision)
    assert [str(rung.dtype).removeprefix("torch.") for rung in rungs] == dtypes


@pytest.mark.parametrize(
    ("name", "precision", "sentence"),
    [
        ("cpu", "float16", r"'cpu' cannot .*float16 needs a GPU\. Choose the precision 'auto'\.$"),
        ("auto", "float16", r"^No device of this machine .* in float16; choose the precision"),
        ("cpu", "half", r"^The precision must be one of auto, float32, .*: 'half'\.$"),
    ],
)
def test_a_precision_that_no_device_can_run_is_refused_with_a_way_out(
    monkeypatch, name, precision, sentence
):
    monkeypatch.setattr(device, "candidates", lambda: ["cpu"])
    with pytest.raises(DeviceError, match=sentence):
        device.choose(name, HuBins(), lambda text: None, precision)


def test_a_gpu_is_tried_in_the_precision_asked_for(monkeypatch):
    tried = []

    def loaded(network, rung):
        tried.append(rung.dtype)
        return lambda windows: network(windows[0][None, None])

    monkeypatch.setattr(device, "candidates", lambda: ["mps", "cpu"])
    monkeypatch.setattr(device, "_Loaded", loaded)
    rungs = device.choose("auto", Lopsided(), print, "bfloat16")
    assert tried == [torch.bfloat16] and rungs[0].device.type == "mps"


REASONS = [  # processor, the model's card, asked for
    ("AMX", "auto", "auto", "bfloat16", "the processor has AMX"),
    ("AVX512-BF16", "auto", "auto", "bfloat16", "the processor has AVX512-BF16"),
    ("", "auto", "auto", "float32", "the processor has no instructions for bfloat16"),
    ("AMX", "float32", "auto", "float32", "the model's card asks for it"),
    ("AMX", "float32", "bfloat16", "bfloat16", "asked for"),
    ("AMX", "auto", "float32", "float32", "asked for"),
    ("", "auto", "bfloat16", "bfloat16", "asked for"),
]


@pytest.mark.parametrize(("processor", "card", "precision", "used", "reason"), REASONS)
def test_the_record_names_the_precision_of_the_run_and_why(
    monkeypatch, processor, card, precision, used, reason
):
    monkeypatch.setattr(device, "bfloat16_instructions", lambda: processor)
    bundle = dataclasses.replace(make_bundle(HuBins()), precision=card)
    record = Segmenter(bundle, device="cpu", precision=precision).segment(analytic_image()).record
    assert (record["precision"], record["precision_reason"]) == (used, reason)


PROCESSORS = [  # what torch and Linux say of the processor; None where torch does not know
    ({"_is_amx_tile_supported": True, "_is_avx512_bf16_supported": True}, "", "AMX"),
    ({"_is_amx_tile_supported": False, "_is_avx512_bf16_supported": True}, "", "AVX512-BF16"),
    ({"_is_amx_tile_supported": False, "_is_avx512_bf16_supported": False}, "amx_bf16", ""),
    ({"_is_amx_tile_supported": None, "_is_avx512_bf16_supported": True}, "", "AVX512-BF16"),
    ({"_is_amx_tile_supported": None, "_is_avx512_bf16_supported": None},
     "fpu avx512_bf16 amx_bf16", "AMX"),
    ({"_is_amx_tile_supported": None, "_is_avx512_bf16_supported": None}, "fpu avx512f avx2", ""),
]


@pytest.mark.parametrize(("torch_says", "linux_says", "instructions"), PROCESSORS)
def test_the_precision_of_a_cpu_follows_from_its_instructions_alone(
    monkeypatch, torch_says, linux_says, instructions
):
    for name, answer in torch_says.items():
        monkeypatch.delattr(torch.cpu, name, raising=False)
        if answer is not None:
            monkeypatch.setattr(torch.cpu, name, lambda answer=answer: answer, raising=False)
    monkeypatch.setattr(device, "_linux_flags", lambda: frozenset(linux_says.split()))
    monkeypatch.setattr(time, "perf_counter", lambda: pytest.fail("measured"))
    device.bfloat16_instructions.cache_clear()
    assert device.bfloat16_instructions() == instructions
    assert device.fast_cpu_dtype() == (torch.bfloat16 if instructions else torch.float32)
    device.bfloat16_instructions.cache_clear()


def test_scores_that_are_not_finite_are_a_failure_of_mixed_precision():
    class Overflows(torch.nn.Module):
        def forward(self, x):
            return x / 0 if torch.is_autocast_enabled("cpu") else x

    half = Rung(CPU, torch.bfloat16, 1, CPU)
    exact = Rung(torch.device("cpu", 0), torch.float32, 1, CPU)
    warnings = []
    runner = Runner(Overflows(), [half, exact], warnings.append, lambda done: None)
    assert [float(score.mean()) for score in runner(WINDOWS)] == [0, 1, 2, 3, 4]
    assert "too large for this precision" in warnings[0]


def test_mixed_precision_on_a_cpu_gives_nearly_the_same_classes():
    torch.manual_seed(0)
    network = build(architecture("efficient", "tricruci_convolution", classes=4, feature_size=4))
    window = [torch.rand(32, 32, 32)]
    exact, mixed = (
        next(iter(Runner(network.eval(), [Rung(CPU, dtype, 1, CPU)], print, lambda done: None)(
            window)))
        for dtype in (torch.float32, torch.bfloat16)
    )
    assert not torch.equal(exact, mixed)
    assert (exact.argmax(0) == mixed.argmax(0)).float().mean() > 0.98
