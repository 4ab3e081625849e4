"""Depth-wise convolution along one axis: Conv3d with groups against shifted multiply-adds.

    PYTHONPATH=Training python Testing/benchmarks/depthwise.py

Prints, for the token grids of a 64×80×112 patch at f = 24, milliseconds of each part of a training
step in both forms, and which is faster. The network takes for each part what wins here: Conv3d
through oneDNN for the result and the gradient of the input, shifts for the gradient of the weight.
"bfloat16 result" is inference, where few tokens are shifted all the same, see `depthwise`.
"""

import time

import torch

from metaunetr.network.mixers.convolution import (
    depthwise,
    grouped,
    shifted,
    shifted_weight_gradient,
)

KERNEL = 7
GRIDS = [  # channels, (D, H, W)
    (24, (32, 40, 56)), (48, (16, 20, 28)), (96, (8, 10, 14)), (192, (4, 5, 7)),
]
REPEATS = 5


def milliseconds(run) -> float:
    """The best of several runs, after one to warm up."""
    times = []
    for _ in range(1 + REPEATS):
        start = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - start))
    return min(times[1:])


def conv3d_weight_gradient(x, weight, bias, gradient, axis):
    """The gradient of the weight as PyTorch computes it for Conv3d."""
    weight = weight.detach().requires_grad_()
    (of_weight,) = torch.autograd.grad(grouped(x, weight, bias, axis), weight, gradient)
    return of_weight


def step(form, x, weight, bias, gradient, axis):
    """A forward and backward pass."""
    leaves = [t.detach().requires_grad_() for t in (x, weight, bias)]
    return torch.autograd.grad(form(*leaves, axis), leaves, gradient)


def main() -> None:
    print(f"{torch.get_num_threads()} threads, kernel {KERNEL}, milliseconds, in float32 unless it "
          "says so")
    columns = f"{'Conv3d':>8} {'shifts':>8} {'network':>8}  faster"
    print(f"{'tokens':>18} {'axis':>4} {'part':>16} {columns}")
    for channels, grid in GRIDS:
        x, gradient = torch.randn(2, 1, *grid, channels)
        weight, bias = torch.randn(channels, 1, KERNEL), torch.randn(channels)
        for axis, name in enumerate("DHW", start=1):
            data = (x, weight, bias)
            with torch.no_grad():
                result = [
                    milliseconds(lambda f=form: f(*data, axis))  # noqa: B023
                    for form in (grouped, shifted, depthwise)
                ]
                with torch.autocast("cpu", torch.bfloat16):
                    half = x.bfloat16(), weight.bfloat16(), bias.bfloat16()
                    in_half = [
                        milliseconds(lambda f=form: f(*half, axis))  # noqa: B023
                        for form in (grouped, shifted, depthwise)
                    ]
                shifts = milliseconds(lambda: shifted_weight_gradient(x, gradient, KERNEL, axis))  # noqa: B023
            conv3d = milliseconds(lambda: conv3d_weight_gradient(*data, gradient, axis))  # noqa: B023
            whole = [
                milliseconds(lambda f=form: step(f, *data, gradient, axis))  # noqa: B023
                for form in (grouped, shifted, depthwise)
            ]
            rows = {
                "result": result,
                "bfloat16 result": in_half,
                "weight gradient": [conv3d - result[0], shifts, shifts],
                "training step": whole,
            }
            for part, (groups, by_shifts, network) in rows.items():
                faster = "Conv3d" if groups < by_shifts else "shifts"
                print(
                    f"{f'{channels} x {grid}':>18} {name:>4} {part:>16} "
                    f"{groups:8.2f} {by_shifts:8.2f} {network:8.2f}  {faster}"
                )


if __name__ == "__main__":
    main()
