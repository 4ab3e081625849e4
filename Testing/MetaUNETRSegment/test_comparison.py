"""Two segmentations are matched organ by organ, scored, and their difference shown."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from numpy.testing import assert_allclose, assert_array_equal

from metaunetr.evaluation import as_json, evaluate
from metaunetr.io import read_labels
from MetaUNETRSegmentLib import comparison, exchange, segmentation


@pytest.fixture
def result(add_volume, labels, entries, record):
    """(volume, node, shifted labels): a result whose organs lie a voxel too far along i."""
    volume, shifted = add_volume(), np.roll(labels, 1, axis=2)
    return volume, segmentation.writeSegmentation(
        exchange.snapshot(volume), shifted, entries(shifted), record), shifted


@pytest.fixture
def manual(scene, result, labels):
    """Segments with plain names: Liver, Spleen and something that is no organ."""
    volume, node = result[0], scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "by hand")
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    for name, mask in (("Liver", labels == 6), ("Spleen", labels == 1), ("tumour", labels == 10)):
        key = node.GetSegmentation().AddEmptySegment("", name)
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype(np.uint8), node, key, volume)
    return node


def test_the_files_hold_organ_numbers_on_one_grid(result, manual, labels, tmp_path):
    volume, node, shifted = result
    a, b = comparison.exportPair(node, manual, tmp_path)
    assert_array_equal(read_labels(a).array, shifted)
    assert_array_equal(read_labels(b).array, np.where(np.isin(labels, [1, 6]), labels, 0))
    assert_allclose(np.diag([-1, -1, 1, 1]) @ read_labels(b).grid.affine,
                    exchange.snapshot(volume).ijkToRas, atol=1e-9)


def test_scores_are_those_of_the_command_line(result, manual, labels, tmp_path):
    a, b = comparison.exportPair(result[1], manual, tmp_path)
    (tmp_path / "scores.json").write_text(as_json(evaluate(a, b)), encoding="utf-8")
    rows = {row["organ"]: row for row in comparison.rows(tmp_path / "scores.json")}
    liver, moved = labels == 6, result[2] == 6
    dice = 2 * (liver & moved).sum() / (liver.sum() + moved.sum())
    assert rows["liver"]["dice"] == pytest.approx(dice)
    assert 0 < rows["liver"]["nsd"] <= 1 and rows["liver"]["hd95"] > 0
    assert rows["right kidney"]["dice"] is None
    assert "not in the reference" in rows["right kidney"]["note"]


def test_the_difference_has_what_only_one_of_them_has(result, manual, labels):
    volume, node, shifted = result
    difference = comparison.differenceNode(node, manual)
    assert difference.GetName() == "CT organs against by hand"
    only = [slicer.util.arrayFromSegmentBinaryLabelmap(difference, key, volume) > 0
            for key in difference.GetSegmentation().GetSegmentIDs()]
    a, b = (np.where(np.isin(array, [1, 6]), array, 0) for array in (shifted, labels))
    assert_array_equal(only[0], (a > 0) & (a != b))
    assert_array_equal(only[1], (b > 0) & (a != b))
    first, second = (difference.GetSegmentation().GetNthSegment(n) for n in (0, 1))
    assert (first.GetName(), second.GetName()) == ("only in CT organs", "only in by hand")
    assert first.GetColor() != second.GetColor()


def test_identical_segmentations_differ_nowhere(result):
    difference = comparison.differenceNode(result[1], result[1], result[0])
    for key in difference.GetSegmentation().GetSegmentIDs():
        assert not slicer.util.arrayFromSegmentBinaryLabelmap(difference, key, result[0]).any()


def test_another_grid_and_transform_are_resampled(result, manual, add_transform, scene, tmp_path):
    """The manual one drawn on a finer grid, and moved along with the result."""
    volume, node, shifted = result
    fine = exchange.snapshot(volume)
    matrix = fine.ijkToRas @ np.diag([0.5, 0.5, 0.5, 1])
    finer = slicer.util.addVolumeFromArray(np.zeros((24, 40, 48), np.int16), matrix, "fine")
    drawn = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "drawn")
    drawn.SetReferenceImageGeometryParameterFromVolumeNode(finer)
    key = drawn.GetSegmentation().AddEmptySegment("", "LIVER")
    mask = np.kron(shifted == 6, np.ones((2, 2, 2), np.uint8)).astype(np.uint8)
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, drawn, key, finer)
    transform = add_transform(30, (5, 0, 0))
    drawn.SetAndObserveTransformNodeID(transform.GetID())
    node.SetAndObserveTransformNodeID(transform.GetID())
    a, _ = comparison.exportPair(drawn, node, tmp_path)
    assert read_labels(a).array.shape == fine.shape
    found, wanted = read_labels(a).array == 6, shifted == 6
    assert 2 * (found & wanted).sum() / (found.sum() + wanted.sum()) > 0.85  # half-voxel corners


def test_nothing_in_common_is_said_in_a_sentence(scene, result):
    other = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "other")
    key = other.GetSegmentation().AddEmptySegment("", "tumour")
    other.SetReferenceImageGeometryParameterFromVolumeNode(result[0])
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        np.ones((12, 20, 24), np.uint8), other, key, result[0])
    with pytest.raises(ValueError, match="must have an organ in common"):
        comparison.differenceNode(result[1], other)


def test_a_segmentation_without_voxels_is_said_in_a_sentence(scene, result, tmp_path):
    empty = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "empty")
    with pytest.raises(ValueError, match="empty has no voxels"):
        comparison.exportPair(result[1], empty, tmp_path)
