"""Organs anew; outside the region, and in every other segment, each voxel stays."""

from __future__ import annotations

import json

import numpy as np
import pytest
import slicer
from numpy.testing import assert_array_equal

from metaunetr.organs import BY_NUMBER
from MetaUNETRSegmentLib import correction, exchange, ownership, segmentation

OFFSET = (3, 2, 4)


@pytest.fixture
def known(add_volume):
    return exchange.snapshot(add_volume())


@pytest.fixture
def node(known, labels, entries, record):
    return segmentation.writeSegmentation(known, labels, entries(labels), record)


@pytest.fixture
def inside():
    """A ball in the box at OFFSET."""
    k, j, i = np.indices((7, 12, 14))
    return (k - 3) ** 2 / 9 + (j - 6) ** 2 / 30 + (i - 7) ** 2 / 36 <= 1


@pytest.fixture
def merge(node, known, entries, record, inside):
    def merge(labels, numbers, region=None):
        region = inside if region is None else region
        return correction.mergeInside(node, known, labels, OFFSET, region,
                                      [BY_NUMBER[n] for n in numbers],
                                      entries(labels, numbers), record)

    return merge


def masks(node, scene) -> dict[str, np.ndarray]:
    volume = scene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
    return {key: slicer.util.arrayFromSegmentBinaryLabelmap(node, key, volume) > 0
            for key in node.GetSegmentation().GetSegmentIDs()}


def paint(node, key, scene, where, value=1):
    volume = scene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
    array = slicer.util.arrayFromSegmentBinaryLabelmap(node, key, volume)
    array[where] = value
    slicer.util.updateSegmentBinaryLabelmapFromArray(array, node, key, volume)


def whole(inside, labels) -> np.ndarray:
    out = np.zeros(labels.shape, bool)
    out[3:10, 2:14, 4:18] = inside
    return out


def test_new_inside_old_outside_and_nothing_else_changes(scene, node, merge, labels, inside):
    before = masks(node, scene)
    new = np.full(inside.shape, 6, np.uint8)
    new[:, :, 5:] = 1  # a spleen that was not asked for
    merge(new, [6])
    after, region = masks(node, scene), whole(inside, labels)
    assert list(after) == list(before)
    others = before["spleen"] | before["left_kidney"] | before["portal_and_splenic_vein"]
    wanted = np.zeros(labels.shape, bool)
    wanted[3:10, 2:14, 4:18] = new == 6
    assert_array_equal(after["liver"],
                       np.where(region, wanted & ~others, before["liver"]))
    assert (after["liver"] != before["liver"]).any()
    for key in set(before) - {"liver"}:
        assert_array_equal(after[key], before[key], key)
    record = json.loads(node.GetAttribute("MetaUNETR.CorrectionRecord"))
    assert record["model"] == "abdomen13-2mm"


def test_an_organ_may_vanish_in_the_region_or_wholly(scene, node, merge, labels, inside):
    before = masks(node, scene)["liver"]
    merge(np.zeros(inside.shape, np.uint8), [6])
    assert_array_equal(masks(node, scene)["liver"], before & ~whole(inside, labels))
    merge(np.zeros(inside.shape, np.uint8), [10], np.ones_like(inside))
    assert not masks(node, scene)["portal_and_splenic_vein"].any()
    assert ownership.isUntouched(node, "portal_and_splenic_vein")


def test_an_organ_without_a_segment_gets_one(scene, node, merge, labels, inside):
    new = np.zeros(inside.shape, np.uint8)
    new[:, 9:, :] = 7
    merge(new, [7, 5])  # no esophagus was found
    after = masks(node, scene)
    assert list(after)[-1] == "stomach" and "esophagus" not in after
    taken = np.any([mask for key, mask in after.items() if key != "stomach"], axis=0)
    wanted = np.zeros(labels.shape, bool)
    wanted[3:10, 2:14, 4:18] = (new == 7) & inside
    assert_array_equal(after["stomach"], wanted & ~taken)
    assert ownership.isUntouched(node, "stomach")


def test_untouched_stays_untouched_and_edited_stays_edited(scene, node, merge, inside):
    paint(node, "spleen", scene, np.s_[0, 0, 0])
    new = np.ones(inside.shape, np.uint8)
    new[:, :, :6] = 6
    merge(new, [1, 6])
    assert [ownership.isUntouched(node, key) for key in ("liver", "spleen")] == [True, False]
    assert masks(node, scene)["spleen"][0, 0, 0]
    liver = node.GetSegmentation().GetSegment("liver")
    assert ownership.tagOf(liver, "MetaUNETR.Confidence") == ""  # of a part it is not known
    assert ownership.tagOf(liver, "MetaUNETR.Model") == "abdomen13-2mm"


def test_without_a_region_all_of_an_organ_is_new_and_no_longer_edited(
        scene, node, known, labels, entries, record):
    paint(node, "spleen", scene, np.s_[0, 0, 0])
    before, new = masks(node, scene), np.zeros_like(labels)
    new[1:4, 1:5, 1:6] = 1
    found = [entry | {"confidence": 0.5, "flags": ["2 separate parts"]}
             for entry in entries(new, [1])]
    correction.mergeInside(node, known, new, (0, 0, 0), None, [BY_NUMBER[1]], found,
                           record | {"model": "other"})
    after = masks(node, scene)
    others = np.any([mask for key, mask in before.items() if key != "spleen"], axis=0)
    assert_array_equal(after["spleen"], (new == 1) & ~others)
    assert ownership.isUntouched(node, "spleen")
    spleen = node.GetSegmentation().GetSegment("spleen")
    assert [ownership.tagOf(spleen, f"MetaUNETR.{name}") for name in (
        "Confidence", "Flags", "Model")] == ["0.500", "2 separate parts", "other"]


def test_a_segment_of_the_user_is_found_by_its_name(scene, node, merge, labels, inside):
    node.GetSegmentation().RemoveSegment("liver")
    node.GetSegmentation().AddEmptySegment("Segment_9", "Liver")
    paint(node, "Segment_9", scene, np.s_[4:11, 3:13, 2:9])
    merge(np.zeros(inside.shape, np.uint8), [6])
    after = masks(node, scene)
    assert "liver" not in after
    assert not after["Segment_9"][whole(inside, labels)].any() and after["Segment_9"].any()
    assert not ownership.isUntouched(node, "Segment_9")


def test_a_segment_on_another_grid_is_refused(scene, node, merge, inside):
    content = node.GetSegmentation()
    image = content.GetSegment("liver").GetRepresentation("Binary labelmap")
    image.SetOrigin(*(value + 0.4 for value in image.GetOrigin()))
    with pytest.raises(ValueError, match="must lie on the grid of CT"):
        merge(np.zeros(inside.shape, np.uint8), [6])


def test_after_an_exception_everything_is_as_before(scene, node, merge, inside, monkeypatch):
    before, whole_function = masks(node, scene), correction._corrected
    calls = []

    def fail(*args):
        calls.append(args)
        if len(calls) == 2:
            raise RuntimeError("injected")
        return whole_function(*args)

    monkeypatch.setattr(correction, "_corrected", fail)
    with pytest.raises(RuntimeError, match="injected"):
        merge(np.zeros(inside.shape, np.uint8), [1, 6])
    after = masks(node, scene)
    assert list(after) == list(before)
    for key, mask in before.items():
        assert_array_equal(after[key], mask)
        assert ownership.isUntouched(node, key)
    assert node.GetAttribute("MetaUNETR.CorrectionRecord") is None


# Undo


@pytest.fixture
def new(inside):
    """More liver, some stomach, no spleen."""
    labels = np.full(inside.shape, 6, np.uint8)
    labels[:, 9:, :] = 7
    return labels


def test_a_correction_says_what_it_changed_and_can_be_undone(scene, node, merge, new, inside):
    paint(node, "spleen", scene, np.s_[0, 0, 0])
    before = masks(node, scene)
    tags = [ownership.isUntouched(node, key) for key in before]
    done = merge(new, [1, 6, 7])
    after, voxelMl = masks(node, scene), 0.8 * 0.9 * 2.5 / 1000
    assert list(done.millilitres) == ["spleen", "liver", "stomach"]
    for name, pair in done.millilitres.items():
        counts = [found[name].sum() if name in found else 0 for found in (before, after)]
        assert pair == pytest.approx([count * voxelMl for count in counts])
    assert [ownership.tagOf(node.GetSegmentation().GetSegment(key), correction.CORRECTED)
            for key in after] == ["1", "", "", "1", "", "1"]
    paint(node, "left_kidney", scene, np.s_[:, :2, :2])  # others may be edited meanwhile
    done.undo()
    again = masks(node, scene)
    assert list(again) == list(before)
    for key in ("spleen", "liver", "portal_and_splenic_vein"):
        assert_array_equal(again[key], before[key], key)
    assert [ownership.isUntouched(node, key) for key in before] == [
        *tags[:2], False, *tags[3:]]
    assert node.GetAttribute("MetaUNETR.CorrectionRecord") is None


def test_what_was_edited_after_a_correction_is_not_undone(scene, node, merge, new):
    done = merge(new, [6, 7])
    paint(node, "stomach", scene, np.s_[0, 0, 0])
    edited = masks(node, scene)
    with pytest.raises(ValueError, match="Nothing was undone: the stomach was changed since"):
        done.undo()
    for key, mask in masks(node, scene).items():
        assert_array_equal(mask, edited[key])
