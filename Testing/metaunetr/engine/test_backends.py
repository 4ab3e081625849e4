"""A device is used only after a test run on it; each comes with its fallbacks."""

import dataclasses

import pytest
import torch

from analytic import HuBins, Lopsided, analytic_image, make_bundle
from metaunetr.engine import Segmenter, backends, precision
from metaunetr.engine.backends import choose_backends, with_fallbacks
from metaunetr.engine.runner import NOT_FINITE
from metaunetr.errors import DeviceError
from metaunetr.network import architecture, build


@pytest.fixture
def gpu(monkeypatch):
    """A GPU that runs the network as `gpu.run(network, window, dtype)` says."""
    class Gpu:
        dtypes = ()

        def run(self, network, window, dtype):
            return network(window)

        def load(self, network, backend):
            self.dtypes = (*self.dtypes, backend.dtype)
            return lambda windows: self.run(network, windows[0][None, None], backend.dtype)

    gpu = Gpu()
    monkeypatch.setattr(backends, "device_names", lambda: ["mps", "cpu"])
    monkeypatch.setattr(backends, "LoadedNetwork", gpu.load)
    return gpu


def test_a_gpu_is_tested_in_the_requested_precision(gpu):
    chosen = choose_backends("auto", Lopsided(), print, "bfloat16")
    assert gpu.dtypes == (torch.bfloat16,) and chosen[0].device.type == "mps"


def test_logits_too_large_for_float16_are_computed_in_bfloat16(gpu):
    def run(network, window, dtype):
        if dtype == torch.float16:
            raise RuntimeError(NOT_FINITE)
        return network(window)

    gpu.run = run
    first = choose_backends("auto", Lopsided(), print)[0]
    assert (first.device.type, first.dtype) == ("mps", torch.bfloat16)
    assert "too large" in first.reason


def test_the_test_run_suits_the_stride_of_the_network(gpu):
    network = build(architecture("efficient", "identity", classes=4, feature_size=4,
                                 depths=[1, 1, 1, 1, 1])).eval()
    assert network.stride == 64
    assert choose_backends("auto", network, print)[0].device.type == "mps"


def test_a_gpu_with_wrong_results_is_not_used(gpu):
    gpu.run = lambda network, window, dtype: network(window) * 1.5
    warnings = []
    chosen = choose_backends("auto", Lopsided(), warnings.append)
    assert [backend.device.type for backend in chosen] == ["cpu"]
    assert "deviate" in warnings[0]


def test_a_gpu_that_cannot_run_is_named_in_the_result(monkeypatch):
    monkeypatch.setattr(backends, "device_names", lambda: ["cuda:7", "cpu"])
    result = Segmenter(make_bundle(HuBins()), device="auto").segment(analytic_image())
    assert result.record["device"] == "cpu"
    assert any(text.startswith("cuda:7 is not used") for text in result.warnings)


def test_gpus_have_their_product_names(monkeypatch):
    monkeypatch.setattr(backends, "device_names", lambda: ["cuda:0", "mps", "cpu"])
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda name: f"NVIDIA of {name}")
    assert list(backends.device_labels().items()) == [
        ("cpu", "CPU"), ("cuda:0", "NVIDIA of cuda:0"), ("mps", "Apple GPU")]


FALLBACKS = [  # device, precision, precisions of its backends; "own" is what suits the CPU
    ("cuda:0", "auto", ["float16", "float16", "float16", "own"]),
    ("cuda:0", "bfloat16", ["bfloat16", "bfloat16", "bfloat16", "own"]),
    ("cuda:0", "float32", ["float32", "float32", "float32", "float32"]),
    ("cpu", "auto", ["own"]),
    ("cpu", "bfloat16", ["bfloat16"]),
]


@pytest.mark.parametrize(("name", "requested", "dtypes"), FALLBACKS)
def test_fallbacks(monkeypatch, name, requested, dtypes):
    monkeypatch.setattr(backends, "fast_cpu_dtype", lambda: "own")
    chosen = with_fallbacks(torch.device(name), requested)
    assert [str(backend.dtype).removeprefix("torch.") for backend in chosen] == dtypes
    assert [(b.device.type, b.batch, b.blend.type) for b in chosen][-len(chosen):] == [
        ("cuda", 4, "cuda"), ("cuda", 1, "cuda"), ("cuda", 1, "cpu"), ("cpu", 1, "cpu"),
    ][-len(chosen):]


REFUSED = [  # device, precision, message
    ("cuda:99", "auto", r"no device 'cuda:99' .*auto.*cpu"),
    ("tpu", "auto", r"no device 'tpu' .*auto.*cpu"),
    ("cpu", "float16", r"'cpu' cannot .*float16 needs a GPU\. Choose the precision 'auto'\.$"),
    ("auto", "float16", r"^No device of this machine .* in float16; choose the precision"),
    ("cpu", "half", r"^The precision must be one of auto, float32, .*: 'half'\.$"),
]


@pytest.mark.parametrize(("name", "requested", "message"), REFUSED)
def test_what_no_device_can_do_is_refused(monkeypatch, name, requested, message):
    monkeypatch.setattr(backends, "device_names", lambda: ["cpu"])
    with pytest.raises(DeviceError, match=message):
        choose_backends(name, HuBins(), lambda text: None, requested)


REASONS = [  # instructions, the model's card, requested
    ("AMX", "auto", "auto", "bfloat16", "the processor has AMX"),
    ("", "auto", "auto", "float32", "the processor has no instructions for bfloat16"),
    ("", "auto", "bfloat16", "bfloat16", "asked for"),
    ("AMX", "float32", "auto", "float32", "the model's card asks for it"),
    ("AMX", "float32", "bfloat16", "bfloat16", "asked for"),
]


@pytest.mark.parametrize(("instructions", "card", "requested", "used", "reason"), REASONS)
def test_the_record_names_the_precision_and_why(
    monkeypatch, instructions, card, requested, used, reason
):
    monkeypatch.setattr(backends, "bfloat16_instructions", lambda: instructions)
    monkeypatch.setattr(precision, "bfloat16_instructions", lambda: instructions)
    bundle = dataclasses.replace(make_bundle(HuBins()), precision=card)
    image = analytic_image(extent=(60, 60, 60))
    record = Segmenter(bundle, device="cpu", precision=requested).segment(image).record
    assert (record["precision"], record["precision_reason"]) == (used, reason)
