"""Polygons around masks enclose exactly their pixels, whoever fills them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.ndimage import label

from metaunetr.io.contours import outlines
from polygons import alternating, united

MASKS = {
    "a pixel": ["#"],
    "a corner of the image": ["#..", "...", "..."],
    "the whole image": ["###", "###"],
    "a concave part": ["#.#", "###"],
    "two parts": ["#.#", "#.#"],
    "pixels that share a corner": ["#.", ".#"],
    "and the other way": [".#", "#."],
    "a hole": ["###", "#.#", "###"],
    "two holes side by side": ["#####", "#.#.#", "#####"],
    "holes that share a corner": ["####", "#.##", "##.#", "####"],
    "a hole that shares a corner with outside": ["###", "#.#", "##."],
    "an island in a hole": ["#####", "#...#", "#.#.#", "#...#", "#####"],
    "a hole in an island in a hole": [
        "#######", "#.....#", "#.###.#", "#.#.#.#", "#.###.#", "#.....#", "#######"],
    "nothing": ["..", ".."],
}


def area(polygon: np.ndarray) -> float:
    x, y = polygon.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def check(mask: np.ndarray) -> None:
    polygons = outlines(mask)
    assert_array_equal(united(polygons, mask.shape), mask)
    assert_array_equal(alternating(polygons, mask.shape), mask)
    assert len(polygons) == label(mask)[1]
    assert sum(map(area, polygons)) == pytest.approx(mask.sum())


@pytest.mark.parametrize("rows", MASKS.values(), ids=MASKS)
def test_the_pixels_come_back(rows):
    check(np.array([[pixel == "#" for pixel in row] for row in rows]))


def test_the_pixels_of_any_mask_come_back():
    random = np.random.default_rng(0)
    for _ in range(200):
        check(random.random(random.integers(1, 14, 2)) < random.choice([0.3, 0.5, 0.7, 0.9]))


def test_only_corners_are_points():
    mask = np.zeros((5, 9), bool)
    mask[1:3, 2:8] = True
    (polygon,) = outlines(mask)
    assert sorted(map(tuple, polygon.tolist())) == [
        (1.5, 0.5), (1.5, 2.5), (7.5, 0.5), (7.5, 2.5)]
