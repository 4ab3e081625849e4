"""Wrong cases are refused, odd ones are reported, and good ones pass in silence."""

from dataclasses import replace

import numpy as np
import pytest

from metaunetr.errors import InputError
from metaunetr.image import Image
from metaunetr_training.data import checks
from tiny_dataset import small_case


def swap(labels, a, b):
    table = np.arange(256, dtype=np.uint8)
    table[[a, b]] = b, a
    return table[labels]


def dilute(labels, number, keep):
    """Only a small share of an organ's voxels."""
    places = np.flatnonzero(labels == number)
    labels.ravel()[places[keep:]] = 0
    return labels


def test_a_good_case_passes():
    warnings, volumes = checks.inspect_case(*small_case())
    assert warnings == []
    assert volumes.keys() == {1, 2, 3, 6}
    assert volumes[6] == pytest.approx(4 / 3 * np.pi * 7**3, rel=0.03)  # mL of a ball of 7 cm


def with_fat(hu):
    """The back of the body becomes fat."""
    behind = np.arange(hu.shape[1])[:, None] > hu.shape[1] // 2
    return np.where(behind & (hu < 60), hu - np.int16(130), hu)


@pytest.mark.parametrize("change, text", [
    (lambda hu, labels: (hu, labels * 0), "No organ is labelled"),
    (lambda hu, labels: (hu, swap(labels, 2, 3)), "right kidney lies left of the left kidney"),
    (lambda hu, labels: (hu[:, :, ::-1], labels[:, :, ::-1]), "right kidney lies left"),
    (lambda hu, labels: (hu[:, :, ::-1], swap(labels[:, :, ::-1], 2, 3)),
     "liver lies left of the spleen"),
    (lambda hu, labels: (hu, swap(labels, 6, 1)), "spleen has 14"),
    (lambda hu, labels: (hu, dilute(labels, 6, 200)), "liver has 43 mL, expected are 541 to 2974"),
    (lambda hu, labels: (hu[::-1], swap(labels, 6, 11) * (labels == 6)), "pancreas has 14"),
    (lambda hu, labels: (np.where(labels == 6, -500, hu), labels), "liver has -500 HU on average"),
    (lambda hu, labels: (np.roll(hu, 24, 1), labels), "are these the labels of this image?"),
    (lambda hu, labels: (with_fat(hu).clip(-160, 240), labels), "HU are clipped"),
])
def test_what_is_odd_is_told(change, text):
    image, labels = small_case()
    hu, drawn = change(image.array, labels.array)
    warnings, _ = checks.inspect_case(Image(hu, image.grid), Image(drawn, labels.grid))
    assert any(text in warning for warning in warnings), warnings


def test_an_organ_that_is_cut_off_may_be_small():
    image, labels = small_case()
    above = np.s_[30:]
    grid = replace(image.grid, shape=image.array[above].shape)
    warnings, volumes = checks.inspect_case(
        Image(image.array[above], grid), Image(labels.array[above], grid))
    assert volumes[6] < 541
    assert not [text for text in warnings if "mL" in text]


@pytest.mark.parametrize("change, text", [
    ({"origin": (-168.0, -144.0, 0.2)}, "must lie on one grid"),
    ({"spacing": (6.0, 6.0, 6.1)}, "must lie on one grid"),
    ({"direction": np.diag([-1.0, 1.0, 1.0])}, "must lie on one grid"),
])
def test_labels_of_another_geometry_are_refused(change, text):
    image, labels = small_case()
    with pytest.raises(InputError, match=text):
        checks.inspect_case(image, replace(labels, grid=replace(labels.grid, **change)))


def test_rounding_in_headers_is_no_other_geometry():
    image, labels = small_case()
    rounded = replace(labels.grid, origin=(-168.01, -144.0, 0.0))
    assert checks.inspect_case(image, replace(labels, grid=rounded))[0] == []


@pytest.mark.parametrize("scale, shift", [(1, 1024), (1 / 20, 60)])
def test_images_that_are_not_in_hu_are_refused(scale, shift):
    image, labels = small_case()
    hu = np.maximum(image.array, -1000) * scale + shift
    with pytest.raises(InputError, match=r"must be (a CT )?in HU|is a label map"):
        checks.inspect_case(replace(image, array=hu.astype(np.int16)), labels)


@pytest.mark.parametrize("swapped, warned", [(0, False), (1, False), (2, True), (3, True)])
def test_a_mirrored_data_set_is_reported(swapped, warned):
    image, labels = small_case()
    mirrored, _ = checks.inspect_case(image, Image(swap(labels.array, 2, 3), labels.grid))
    found = checks.inspect_dataset("ours", [mirrored] * swapped + [["odd"]] * (3 - swapped))
    assert any("ours: the data set looks mirrored" in text for text in found) == warned
