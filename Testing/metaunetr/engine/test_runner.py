"""A backend that fails is replaced by the next one, and no window is lost."""

import pytest
import torch

from analytic import HuBins
from metaunetr.engine.backends import Backend
from metaunetr.engine.runner import Runner
from metaunetr.errors import DeviceError
from metaunetr.network import architecture, build

CPU, META = torch.device("cpu"), torch.device("meta")
WINDOWS = [torch.full((4, 4, 4), float(n)) for n in range(5)]


class Fails(torch.nn.Module):
    """Doubles its input, except for batches larger than `most`."""

    def __init__(self, most, error):
        super().__init__()
        self.most, self.error = most, error

    def forward(self, x):
        if x.shape[0] > self.most:
            raise self.error
        return 2 * x


def on_cpu(*batches):
    return [Backend(CPU, torch.float32, batch, CPU) for batch in batches]


@pytest.mark.parametrize("error", [
    torch.OutOfMemoryError("CUDA out of memory. Tried …"),
    RuntimeError("GET was unable to find an engine to execute this computation"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
])
def test_lack_of_memory_makes_batches_smaller(error):
    warnings = []
    runner = Runner(Fails(1, error), on_cpu(4, 1), warnings.append)
    logits = torch.cat(list(runner.batches(WINDOWS)))
    assert logits.mean(dim=(1, 2, 3, 4)).tolist() == [0, 2, 4, 6, 8]
    assert len(warnings) == 1 and "not enough memory" in warnings[0]


@pytest.mark.parametrize("run", [
    lambda runner: torch.cat(list(runner.batches(WINDOWS))),
    lambda runner: runner.trial(WINDOWS[0]),
], ids=["windows", "trial"])
def test_a_failing_kernel_drops_all_backends_of_its_device(run):
    warnings = []
    on_meta = [Backend(META, torch.float32, 4, META), Backend(META, torch.float32, 1, CPU)]
    runner = Runner(HuBins(), [*on_meta, *on_cpu(1)], warnings.append)
    assert run(runner).device == CPU  # the meta device cannot copy its results to the CPU
    assert runner.backend == on_cpu(1)[0]
    assert len(warnings) == 1 and warnings[0].startswith("meta")


def test_logits_that_are_not_finite_are_a_failure_of_half_precision():
    class Overflows(torch.nn.Module):
        def forward(self, x):
            return x / 0 if torch.is_autocast_enabled("cpu") else x

    half = Backend(CPU, torch.bfloat16, 5, CPU)
    exact = Backend(torch.device("cpu", 0), torch.float32, 5, CPU)
    warnings = []
    (logits,) = Runner(Overflows(), [half, exact], warnings.append).batches(WINDOWS)
    assert logits.mean(dim=(1, 2, 3, 4)).tolist() == [0, 1, 2, 3, 4]
    assert "too large for this precision" in warnings[0]


def test_failure_of_the_last_backend_is_one_clear_error():
    network = Fails(0, RuntimeError("no kernel image is available\nfor you"))
    with pytest.raises(DeviceError, match=r"failed on cpu .*no kernel image is available\."):
        list(Runner(network, on_cpu(1), lambda text: None).batches(WINDOWS))


def test_half_precision_on_a_cpu_gives_nearly_the_same_classes():
    torch.manual_seed(0)
    network = build(architecture("efficient", "tricruci_convolution", classes=4, feature_size=4))
    window = torch.rand(32, 32, 32)
    exact, half = (
        Runner(network.eval(), [Backend(CPU, dtype, 1, CPU)], print).trial(window)[0]
        for dtype in (torch.float32, torch.bfloat16)
    )
    assert not torch.equal(exact, half)
    assert (exact.argmax(0) == half.argmax(0)).float().mean() > 0.98
