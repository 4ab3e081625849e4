import numpy as np
import pytest
import torch
import torch.nn.functional as F

from metaunetr.engine.resample import interpolation_matrix
from metaunetr.engine.upsample import upsample_labels, upsample_map


def smooth_logits(size, seed=0):
    """Scores with a large background and a few organs, as a network gives them."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(1, 5, *(n + 4 for n in size), generator=generator)
    smooth = F.avg_pool3d(noise, 5, stride=1)[0]
    smooth[0] += 0.05
    return smooth


def dense(logits, shape, steps, origin):
    """The plain way: every class, every voxel, whole axes."""
    for axis, (count, step, start) in enumerate(zip(shape, steps, origin, strict=True), start=1):
        length = logits.shape[axis]
        matrix = interpolation_matrix(0.5 / step - 0.5 - start, 1 / step, count, length)
        logits = torch.tensordot(matrix, logits, dims=([1], [axis])).movedim(0, axis)
        places = (torch.arange(count, dtype=torch.float64) + 0.5) / step - start
        outside = (places < 0) | (places > length)
        logits[(slice(1, None), *[slice(None)] * (axis - 1), outside)] = -1e9
    return logits.argmax(0).to(torch.uint8).numpy()


@pytest.mark.parametrize(
    ("size", "origin", "shape", "steps"),
    [
        ((12, 14, 16), (0, 0, 0), (24, 42, 40), (2.0, 3.0, 2.5)),
        ((12, 14, 16), (0, 3, 2), (24, 60, 60), (2.0, 3.0, 2.5)),
        ((12, 14, 16), (-2, -1, -3), (9, 20, 25), (1.1, 1.6, 2.5)),
        ((12, 14, 16), (0, 0, 0), (6, 9, 11), (0.5, 0.6, 0.7)),
        ((1, 14, 16), (0, 0, 0), (3, 42, 40), (3.0, 3.0, 2.5)),
    ],
    ids=["finer", "cropped", "padded", "coarser", "one slice"],
)
def test_the_quick_way_gives_exactly_the_labels_of_the_plain_way(size, origin, shape, steps):
    logits = smooth_logits(size)
    labels = np.zeros(shape, np.uint8)
    upsample_labels(logits, origin, steps, np.arange(5, dtype=np.uint8), labels)
    expected = dense(logits, shape, steps, origin)
    assert 0 < (expected > 0).mean() < 0.95
    # sums of products in another order may tie differently
    assert (labels != expected).mean() < 1e-4


def test_a_map_is_interpolated_where_its_box_lies_and_zero_elsewhere():
    values = torch.arange(4.0).view(4, 1, 1).expand(4, 3, 3) * 10
    out = np.zeros((16, 10, 10), np.uint8)
    upsample_map(values, (1, 1, 1), (2.0, 2.0, 2.0), out)
    column = out[:, 4, 4].tolist()
    assert column == [0, 0, 0, 2, 8, 12, 18, 22, 28, 30, 0, 0, 0, 0, 0, 0]
    assert not out[:, :2].any() and not out[:, 8:].any()
