"""The table of results, and the buttons below it."""

from __future__ import annotations

import csv
from types import SimpleNamespace

import numpy as np
import pytest

from slicer_qt.open_panel import FOUND

EYE, ORGAN, VOLUME, HU, CONFIDENCE, FLAGS = range(6)


@pytest.fixture
def panel(segmented):
    return segmented


def cells(panel, column):
    table = panel.ui.resultsTable
    return [table.item(row, column).text() for row in range(table.rowCount)]


def voxels(panel, row):
    """Mask of a row's segment on the volume's grid."""
    import slicer

    return slicer.util.arrayFromSegmentBinaryLabelmap(
        panel.parameters.result, panel.panel.results.rows[row].segmentId,
        panel.parameters.inputVolume) > 0


def test_the_table_has_confidence_volume_and_hu_of_each_organ(panel):
    import slicer

    from metaunetr.organs import BY_NUMBER

    assert cells(panel, ORGAN) == [BY_NUMBER[number].name for number in FOUND]
    assert cells(panel, CONFIDENCE) == [f"{100 * found[3]:.0f} %" for found in FOUND.values()]
    hu = slicer.util.arrayFromVolume(panel.parameters.inputVolume)
    matrix = slicer.util.arrayFromVTKMatrix(ijk_to_ras(panel.parameters.inputVolume))
    ml = abs(np.linalg.det(matrix[:3, :3])) / 1000
    for row in (0, 4):
        inside = voxels(panel, row)
        assert cells(panel, VOLUME)[row] == f"{inside.sum() * ml:.1f}"
        assert cells(panel, HU)[row] == f"{hu[inside].mean():.0f}"


def ijk_to_ras(volume):
    import vtk

    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return matrix


def test_flags_are_marked_and_listed_below(panel):
    marked = [row for row, text in enumerate(cells(panel, FLAGS)) if "⚠" in text]
    assert marked == [3]  # a liver that is cut off is listed, but not marked
    assert "<b>gallbladder</b>: 2 separate parts" in panel.ui.flagsLabel.text
    assert "<b>liver</b>: touches the border" in panel.ui.flagsLabel.text
    assert panel.ui.flagsLabel.visible
    segmentation = panel.parameters.result.GetSegmentation()
    for segment in ("liver", "spleen"):
        segmentation.GetSegment(segment).SetTag("MetaUNETR.Flags", "restricted to a region")
    panel.panel.results.update()
    assert "<b>spleen, liver</b>: restricted to a region" in panel.ui.flagsLabel.text


def test_a_click_jumps_to_the_organ(panel, scene):
    slice_node = scene.AddNewNodeByClass("vtkMRMLSliceNode")
    panel.ui.resultsTable.cellClicked.emit(4, ORGAN)
    segment = panel.panel.results.rows[4].segmentId
    centre = panel.parameters.result.GetSegmentCenterRAS(segment)
    to_ras = slice_node.GetSliceToRAS()
    position = [to_ras.GetElement(axis, 3) for axis in range(3)]
    assert np.allclose(position, centre, atol=1e-3)


def test_an_organ_edited_by_hand_is_marked_when_the_panel_is_entered_again(panel):
    import slicer

    segment = panel.panel.results.rows[0].segmentId
    mask = voxels(panel, 0).astype(np.uint8)
    mask[:6] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        mask, panel.parameters.result, segment, panel.parameters.inputVolume)
    before = cells(panel, VOLUME)[0]
    panel.widget.enter()
    assert "✎" in cells(panel, FLAGS)[0]
    assert float(cells(panel, VOLUME)[0]) < float(before)


def test_edit_opens_segment_editor_on_the_result(panel):
    import slicer

    calls = []
    editor = SimpleNamespace(
        setSegmentationNode=lambda node: calls.append(node),
        setSourceVolumeNode=lambda node: calls.append(node))
    widget = SimpleNamespace(self=lambda: SimpleNamespace(editor=editor))
    slicer.modules.segmenteditor = SimpleNamespace(widgetRepresentation=lambda: widget)
    panel.ui.editButton.click()
    assert slicer.util.calls.selected[-1] == "SegmentEditor"
    assert calls == [panel.parameters.result, panel.parameters.inputVolume]


def test_surfaces_are_made_only_when_they_are_asked_for(panel):
    segmentation = panel.parameters.result.GetSegmentation()
    assert not segmentation.ContainsRepresentation("Closed surface")
    panel.ui.show3DButton.click()
    assert segmentation.ContainsRepresentation("Closed surface")


def test_the_statistics_go_into_a_table_node_or_a_file(panel, scene, tmp_path):
    import slicer

    layout = slicer.app.layoutManager().layout
    panel.ui.tableButton.click()
    assert slicer.app.layoutManager().layout != layout  # one with a table view
    table = scene.GetFirstNodeByClass("vtkMRMLTableNode")
    assert table.GetNumberOfRows() == len(FOUND)
    assert table.GetName() in panel.ui.resultsStatus.text
    panel.panel.results.writeCsv(str(tmp_path / "organs.csv"))
    with open(tmp_path / "organs.csv", encoding="utf-8-sig") as file:
        assert len(list(csv.reader(file))) == len(FOUND) + 1
    panel.panel.results.writeCsv(str(tmp_path / "nowhere" / "organs.csv"))
    assert "Choose another folder" in panel.ui.resultsStatus.text


def test_the_result_can_be_exported(panel, monkeypatch, scene):
    import slicer

    assert panel.ui.exportWidget.segmentationNode() is panel.parameters.result
    assert not panel.ui.dicomButton.enabled
    assert "without DICOM" in panel.ui.dicomButton.toolTip
    shown = []

    class Dialog:
        def __init__(self, parent):
            pass

        def setMRMLScene(self, scene):
            pass

        def execDialog(self, item):
            shown.append(item)

    monkeypatch.setattr(slicer, "qSlicerDICOMExportDialog", Dialog, raising=False)
    panel.panel.results.update()
    panel.ui.dicomButton.click()
    hierarchy = scene.GetSubjectHierarchyNode()
    assert hierarchy.GetItemDataNode(shown[0]) is panel.parameters.result


def test_without_a_result_its_controls_are_disabled_with_a_reason(panel):
    panel.parameters.result = None
    for button in (panel.ui.editButton, panel.ui.tableButton, panel.ui.csvButton):
        assert not button.enabled
        assert "There is no result yet" in button.toolTip
    assert not panel.ui.show3DButton.enabled
    assert not panel.ui.resultsTable.visible


def test_an_earlier_result_can_be_shown_until_it_is_removed(panel, scene):
    first = panel.parameters.result
    panel.ui.segmentButton.click()
    panel.finish()
    assert panel.parameters.result is not first
    panel.ui.resultSelector.setCurrentNode(first)
    assert panel.panel.results.shown is first
    assert panel.ui.resultsTable.rowCount == len(FOUND)
    scene.RemoveNode(first)
    panel.settle()
    assert panel.ui.resultsTable.rowCount == 0


def visible(panel):
    display = panel.parameters.result.GetDisplayNode()
    return [display.GetSegmentVisibility(row.segmentId) for row in panel.panel.results.rows]


def test_an_eye_hides_an_organ_and_a_double_click_isolates_it(panel):
    table, count = panel.ui.resultsTable, len(FOUND)
    table.cellClicked.emit(2, EYE)
    assert visible(panel) == [row != 2 for row in range(count)]
    assert [table.item(row, EYE).toolTip() for row in (1, 2)] == ["shown", "hidden"]
    table.cellDoubleClicked.emit(4, ORGAN)
    assert visible(panel) == [row == 4 for row in range(count)]
    table.cellDoubleClicked.emit(4, ORGAN)
    assert all(visible(panel))


def test_keys_and_a_button_step_through_the_organs(panel, scene):
    slice_node = scene.AddNewNodeByClass("vtkMRMLSliceNode")

    def position():
        to_ras = slice_node.GetSliceToRAS()
        return [to_ras.GetElement(axis, 3) for axis in range(3)]

    def centre(row):
        return panel.parameters.result.GetSegmentCenterRAS(panel.panel.results.rows[row].segmentId)

    panel.ui.resultsTable.setCurrentCell(1, ORGAN)  # as the arrow keys do
    assert position() == pytest.approx(centre(1), abs=1e-3)
    segmentation = panel.parameters.result.GetSegmentation()
    segmentation.GetSegment("pancreas").SetTag("MetaUNETR.Flags", "very small")
    panel.panel.results.update()
    for row in (3, 7, 3):  # gallbladder, pancreas, and from the beginning again
        panel.ui.nextFlagButton.click()
        assert position() == pytest.approx(centre(row), abs=1e-3)


def test_the_slider_sets_the_opacity_of_the_result(panel):
    panel.ui.opacitySlider.value = 40
    assert panel.parameters.result.GetDisplayNode().GetOpacity() == pytest.approx(0.4)


def test_the_palette_is_the_default_and_the_terminology_a_choice(panel):
    from metaunetr.organs import BY_NUMBER
    from metaunetr.report.palette import shown_colour
    from MetaUNETRSegmentLib import ownership

    result = panel.parameters.result
    segmentation = result.GetSegmentation()

    def colours():
        return {key: tuple(round(255 * part) for part in segmentation.GetSegment(key).GetColor())
                for key in segmentation.GetSegmentIDs()}

    organs = {BY_NUMBER[number].key: BY_NUMBER[number] for number in FOUND}
    assert colours() == {key: shown_colour(organ) for key, organ in organs.items()}
    segmentation.GetSegment("aorta").SetColor(1, 1, 1)
    for on, wanted in ((True, lambda organ: organ.colour), (False, shown_colour)):
        panel.ui.terminologyColoursCheck.checked = on
        assert colours() == {key: wanted(organ) for key, organ in organs.items()} | {
            "aorta": (255, 255, 255)}
    assert [key for key in organs if not ownership.isUntouched(result, key)] == ["aorta"]


def test_button_progress_and_results_fit_on_a_laptop(panel):
    """1280 × 720: the module panel is 420 px wide, about 560 of its pixels are seen at once."""
    import qt

    panel.parent.resize(420, 560)
    panel.settle(0.05)
    table = panel.ui.resultsTable
    bottom = table.mapTo(panel.parent, qt.QPoint(0, table.height)).y()
    assert bottom < 560
    assert table.horizontalScrollBar().maximum == 0
    flags = panel.ui.flagsLabel
    assert flags.mapTo(panel.parent, qt.QPoint(0, 0)).y() >= bottom  # not over the last row
    assert panel.ui.MetaUNETRSegment.minimumSizeHint.width() <= 420


def test_long_flags_are_as_high_as_their_text_in_a_narrow_panel(panel):
    from MetaUNETRSegmentLib.panel import labels

    label = panel.ui.flagsLabel
    labels.show(label, "the confidence is below 0.7 " * 20)
    for width in (500, 380):
        panel.parent.resize(width, 600)
        panel.settle(0.05)
        lines = label.height / label.fontMetrics().lineSpacing()
        text = label.fontMetrics().horizontalAdvance(label.text) / label.width
        assert lines > text
    labels.show(label, "short")
    assert label.minimumHeight < 40
