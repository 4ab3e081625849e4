"""The thumbnail shows the organs in both planes, is small, and holds nothing but the picture."""

from __future__ import annotations

import io

import numpy as np
import pytest

from metaunetr.batch.thumbnail import SIZE, write_thumbnail
from metaunetr.image import Grid, Image
from metaunetr.organs import find
from metaunetr.report.palette import shown_colour
from metaunetr.result import Result

PIL = pytest.importorskip("PIL.Image")
LIVER = find("liver")


def ball(shape, spacing, direction=None) -> tuple[Image, Result]:
    """A ball of liver of 12 cm in the middle of soft tissue."""
    grid = Grid(shape, spacing, (0, 0, 0), np.eye(3) if direction is None else direction)
    axes = [(np.arange(n) - n / 2) * s for n, s in zip(shape, spacing[::-1], strict=True)]
    distance = sum(a**2 for a in np.meshgrid(*axes, indexing="ij"))
    labels = np.where(distance < 60**2, LIVER.number, 0).astype(np.uint8)
    hu = np.full(shape, 40, np.int16)
    return Image(hu, grid), Result(Image(labels, grid), (), {"patient": "Doe^Jane"})


@pytest.mark.parametrize(("shape", "spacing"), [
    ((60, 100, 100), (3.0, 3.0, 4.0)),
    ((40, 512, 512), (0.7, 0.7, 5.0)),
    ((200, 120, 90), (3.0, 3.0, 1.0)),
])
def test_the_organ_is_in_both_planes(tmp_path, shape, spacing):
    image, result = ball(shape, spacing)
    write_thumbnail(tmp_path / "a.png", result, image)
    data = (tmp_path / "a.png").read_bytes()
    assert b"Doe" not in data
    assert not {b"tEXt", b"iTXt", b"zTXt", b"eXIf", b"tIME"} & {
        data[n : n + 4] for n in range(len(data))}
    picture = np.array(PIL.open(io.BytesIO(data)).convert("RGB"))
    assert max(picture.shape) <= 2 * SIZE + 16
    outlined = (picture == shown_colour(LIVER)).all(axis=2).any(axis=0)
    middle = len(outlined) // 2
    assert outlined[:middle].any()
    assert outlined[middle:].any()


def test_nothing_found_is_a_picture_as_well(tmp_path):
    image, result = ball((20, 40, 40), (5.0, 5.0, 5.0))
    result.labels.array[:] = 0
    write_thumbnail(tmp_path / "a.png", result, image)
    assert PIL.open(tmp_path / "a.png").size[0] > SIZE
