import pytest
import torch

from metaunetr.engine.backends import Backend
from metaunetr.engine.runner import Runner
from metaunetr.engine.windows import (
    blend_windows,
    crop,
    sliding_windows,
    window_size,
    window_starts,
)

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("length", "patch", "overlap", "starts"),
    [
        (40, 64, 0.5, [0]),
        (64, 64, 0.5, [0]),
        (65, 64, 0.5, [0, 1]),
        (96, 64, 0.5, [0, 32]),
        (100, 64, 0.5, [0, 18, 36]),
        (150, 64, 0.25, [0, 43, 86]),
        (128, 64, 0.0, [0, 64]),
    ],
)
def test_windows_are_the_fewest_that_overlap_enough_and_evenly_spread(
    length, patch, overlap, starts
):
    assert window_starts(length, patch, overlap) == starts


@pytest.mark.parametrize("shape", [(20, 30, 25), (16, 16, 16), (50, 10, 40), (1, 1, 1)])
def test_blending_a_network_that_repeats_its_input_gives_the_input(shape):
    volume = torch.rand(shape)
    box = tuple(slice(0, n) for n in shape)
    windows = sliding_windows(box, (16, 16, 16), 0.4)
    slabs = list(blend_windows(volume, windows, 2, _runner(lambda x: torch.cat([x, -x], dim=1))))
    assert [first for first, _ in slabs] == sorted({first for first, _ in slabs})
    scores = torch.cat([scores for _, scores in slabs], dim=1)
    assert scores.shape == (2, *windows.size)
    expected = crop(volume, windows.origin, windows.size)
    torch.testing.assert_close(scores[0], expected)
    torch.testing.assert_close(scores[1], -expected)


@pytest.mark.parametrize("start", [(-3, 0, 2), (5, 5, 5), (-20, 0, 0), (9, 9, 9), (0, 20, 0)])
def test_a_box_that_sticks_out_repeats_end_slices_and_is_zero_beside_the_image(start):
    volume = torch.arange(1, 1001.0).view(10, 10, 10)
    box = crop(volume, start, (4, 5, 6))
    for place in torch.cartesian_prod(torch.arange(4), torch.arange(5), torch.arange(6)).tolist():
        d, h, w = (p + s for p, s in zip(place, start, strict=True))
        inside = 0 <= h < 10 and 0 <= w < 10
        assert box[tuple(place)] == (volume[min(max(d, 0), 9), h, w] if inside else 0)


@pytest.mark.parametrize(
    ("length", "window"),
    [(20, 48), (48, 48), (70, 80), (80, 80), (81, 96), (128, 128), (129, 80), (300, 80)],
)
def test_a_window_covers_an_axis_at_once_where_the_model_allows_it(length, window):
    assert window_size(length, patch=80, smallest=48, largest=128, multiple=16) == window


def _runner(network):
    class Module(torch.nn.Module):
        def forward(self, x):
            return network(x)

    return Runner(Module(), [Backend(CPU, torch.float32, 2, CPU)], lambda text: None)
