"""Surfaces are drawn in their colours where they lie, the nearest in front."""

import numpy as np
import pytest

from metaunetr.image import Grid, Image
from metaunetr.organs import find
from metaunetr.report.overlay import Scene
from metaunetr.report.palette import shown_colour
from metaunetr.report.surfaces import surface_pictures

LIVER, SPLEEN, AORTA = map(find, ("liver", "spleen", "aorta"))
SHAPE, SPACING = (24, 60, 60), (2.0, 2.0, 5.0)  # (D, H, W); mm along (i, j, k)


def pictures(*boxes, turned=False):
    """Of boxes in canonical axes: (organ, D, H, W) with slices; `turned` stores them as RAS."""
    labels = np.zeros(SHAPE, np.uint8)
    for organ, *box in boxes:
        labels[tuple(box)] = organ.number
    grid = Grid(SHAPE, SPACING, (0, 0, 0), np.diag([-1, -1, 1]) if turned else np.eye(3))
    labels = Image(np.ascontiguousarray(labels[:, ::-1, ::-1] if turned else labels), grid)
    return surface_pictures(Scene.of(Image(labels.array.astype(np.int16), grid), labels))


def shown(picture, organ):
    """Where the hue of a picture is that of an organ: rows and columns as shares of its size."""
    hue = picture / np.maximum(np.linalg.norm(picture, axis=-1, keepdims=True), 40)
    colour = np.array(shown_colour(organ)) / np.linalg.norm(shown_colour(organ))
    return np.argwhere(hue @ colour > 0.99) / picture.shape[:2]


RIGHT, LEFT = slice(5, 20), slice(40, 55)
LOW, HIGH = slice(2, 8), slice(15, 22)


@pytest.mark.parametrize("turned", [False, True])
def test_right_and_left_and_superior_are_where_the_marks_say(turned):
    views = pictures((LIVER, HIGH, slice(20, 40), RIGHT), (SPLEEN, LOW, slice(20, 40), LEFT),
                     turned=turned)
    for view, liver_is_left in (("anterior", True), ("posterior", False)):
        liver, spleen = (shown(views[view], organ).mean(axis=0) for organ in (LIVER, SPLEEN))
        assert liver[0] < 0.4 and spleen[0] > 0.6  # superior up
        assert (liver[1] < 0.4, spleen[1] > 0.6) == (liver_is_left, liver_is_left)


def test_the_nearest_organ_hides_the_others():
    views = pictures((AORTA, slice(4, 20), slice(40, 50), slice(25, 35)),
                     (LIVER, slice(2, 22), slice(5, 20), slice(10, 50)))
    assert len(shown(views["anterior"], AORTA)) == 0
    assert len(shown(views["posterior"], AORTA)) > 1000 < len(shown(views["posterior"], LIVER))


def test_edges_are_smooth_and_surfaces_shaded():
    d, h, w = np.ogrid[:24, :60, :60]
    ball = ((d - 12) * 5) ** 2 + ((h - 30) * 2) ** 2 + ((w - 30) * 2) ** 2 < 45 ** 2
    labels = np.where(ball, LIVER.number, 0).astype(np.uint8)
    grid = Grid(SHAPE, SPACING, (0, 0, 0))
    scene = Scene.of(Image(labels.astype(np.int16), grid), Image(labels, grid))
    red = surface_pictures(scene)["anterior"][..., 0].astype(int)
    rows, columns = red.shape
    assert np.abs(np.diff(red[rows // 2])).max() < 130  # black to orange in several pixels
    assert np.abs(np.diff(red[rows // 4 : 3 * rows // 4, columns // 2])).max() < 20  # slices
    assert red[rows // 3, columns // 3] > red[2 * rows // 3, 2 * columns // 3] + 30  # light above


@pytest.mark.parametrize("box", [
    (slice(3, 4), slice(7, 8), slice(9, 10)), (slice(None), slice(None), slice(None)),
    (slice(0, 1), slice(None), slice(0, 1)),
], ids=["a voxel", "the image", "a row at the edge"])
def test_organs_of_any_size_and_place_are_shown(box):
    for picture in pictures((LIVER, *box)).values():
        assert len(shown(picture, LIVER)) > 3 and max(picture.shape) <= 400
