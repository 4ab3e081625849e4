"""The table says what the segments are now."""

from __future__ import annotations

import csv
import math
from dataclasses import replace

import numpy as np
import pytest
import slicer

from MetaUNETRSegmentLib import exchange, segmentation, statistics


@pytest.fixture
def volume(add_volume, add_transform):
    return add_volume(transform=add_transform(15, (1, 2, 3)))


@pytest.fixture
def node(volume, labels, entries, record):
    return segmentation.writeSegmentation(
        exchange.snapshot(volume), labels, entries(labels), record)


def erase_half_the_liver(node, volume):
    array = slicer.util.arrayFromSegmentBinaryLabelmap(node, "liver", volume)
    array[6:] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(array, node, "liver", volume)


def test_numbers_are_those_of_a_direct_computation(node, volume, labels):
    erase_half_the_liver(node, volume)
    labels = labels.copy()
    labels[6:][labels[6:] == 6] = 0
    voxels, voxelMl = slicer.util.arrayFromVolume(volume), np.prod(volume.GetSpacing()) / 1000
    rows = statistics.rows(node, volume)
    assert [row.segmentId for row in rows] == list(node.GetSegmentation().GetSegmentIDs())
    for row, number in zip(rows, (1, 2, 3, 6, 10), strict=True):
        values = voxels[labels == number]
        assert row.volumeMl == pytest.approx(len(values) * voxelMl)
        assert row.meanHu == pytest.approx(values.mean(dtype=float))
        assert row.sdHu == pytest.approx(values.std(dtype=float))
        assert row.confidence == 0.938
        assert row.flags == ("touches the border / of the image: top",)
    assert [row.edited for row in rows] == [False, False, False, True, False]


def test_segments_of_the_user_are_measured_too(node, volume):
    node.GetSegmentation().AddEmptySegment("mine", "mine")
    row = statistics.rows(node, volume)[-1]
    assert (row.volumeMl, row.confidence, row.flags, row.edited) == (0, None, (), False)
    assert math.isnan(row.meanHu)


def test_without_a_volume_there_are_volumes_only(node, volume):
    for row, full in zip(statistics.rows(node), statistics.rows(node, volume), strict=True):
        assert row.volumeMl == pytest.approx(full.volumeMl)
        assert math.isnan(row.meanHu)


def test_where_the_volume_cannot_be_laid_over_hu_are_unknown(scene, node, volume, bend):
    full = statistics.rows(node, volume)
    node.SetAndObserveTransformNodeID(bend.GetID())
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    for other in (volume, empty):
        rows = statistics.rows(node, other)
        assert [row.volumeMl for row in rows] == pytest.approx([row.volumeMl for row in full])
        assert all(math.isnan(row.meanHu) for row in rows)


def test_a_segmentation_without_voxels_has_rows_too(scene):
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "empty")
    assert statistics.rows(node) == []
    node.GetSegmentation().AddEmptySegment("mine", "mine")
    assert [row.volumeMl for row in statistics.rows(node)] == [0]


def test_the_table_node_has_a_line_for_each_segment(node, volume):
    rows = statistics.rows(node, volume)
    table = statistics.toTable(rows)
    assert table.GetNumberOfRows() == 5
    names = [table.GetColumnName(n) for n in range(table.GetNumberOfColumns())]
    assert tuple(names) == statistics.COLUMNS
    assert table.GetCellText(3, 0) == "liver"
    assert float(table.GetCellText(3, 1)) == pytest.approx(rows[3].volumeMl, abs=5e-3)
    assert statistics.toTable(rows).GetName() != table.GetName()
    assert statistics.toTable([]).GetNumberOfRows() == 0


def test_the_csv_reads_back(node, volume, tmp_path):
    erase_half_the_liver(node, volume)
    node.GetSegmentation().AddEmptySegment("mine", "größer, „mine“")
    rows = statistics.rows(node, volume)
    statistics.writeCsv(rows, tmp_path / "a.csv", "Größe 1")
    with open(tmp_path / "a.csv", encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert lines[3]["Edited"] == "1" and lines[0]["Edited"] == "0"
    assert float(lines[3]["Volume (mL)"]) == pytest.approx(rows[3].volumeMl, abs=5e-3)
    assert lines[0]["Confidence"] == "0.94"
    assert lines[5] == {"Segment": "größer, „mine“", "Volume (mL)": "0.00", "Mean HU": "",
                        "SD HU": "", "Confidence": "", "Flags": "", "Edited": "0",
                        "CT": "Größe 1"}


def test_another_frame_of_a_sequence_has_no_hu(volume, labels, entries, record):
    known = replace(exchange.snapshot(volume), voxels=exchange.fingerprint(volume))
    node = segmentation.writeSegmentation(known, labels, entries(labels), record)
    mean = statistics.rows(node, volume)[0].meanHu
    slicer.util.arrayFromVolume(volume)[:] += 9
    assert math.isnan(statistics.rows(node, volume)[0].meanHu)
    slicer.util.arrayFromVolume(volume)[:] -= 9
    assert statistics.rows(node, volume)[0].meanHu == mean
