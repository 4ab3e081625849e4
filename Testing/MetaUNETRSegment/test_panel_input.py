"""The inputs and options of the panel, and the arguments that reach the engine."""

from __future__ import annotations

import json
import shutil

import pytest

from metaunetr import bundle
from slicer_qt.open_panel import ROOT


@pytest.fixture
def broken_model(tmp_path, monkeypatch):
    """A folder of the user with a model whose card lacks the labels."""
    model = tmp_path / "broken"
    shutil.copytree(ROOT / "Resources" / "Models" / bundle.DEFAULT_MODEL, model)
    card = json.loads((model / "card.json").read_text(encoding="utf-8"))
    del card["labels"]
    (model / "card.json").write_text(json.dumps(card), encoding="utf-8")
    monkeypatch.setenv("METAUNETR_MODELS", str(tmp_path))


def tips(combo):
    import qt

    return [combo.itemData(row, qt.Qt.ToolTipRole) for row in range(combo.count)]


def test_label_maps_are_no_inputs(scene, open_panel):
    scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    panel = open_panel()
    assert panel.parameters.inputVolume is None
    assert not panel.ui.segmentButton.enabled


def no_volume(panel, scene):
    scene.RemoveNode(panel.parameters.inputVolume)


def no_organ(panel, scene):
    panel.ui.noOrgansButton.click()


def broken(panel, scene):
    panel.parameters.model = "broken"


@pytest.mark.parametrize(("prepare", "reason"), [
    (no_volume, "Choose a volume first."),
    (no_organ, "Tick at least one organ."),
    (broken, "the card lacks 'labels'"),
])
def test_a_disabled_button_says_why(
        prepare, reason, scene, add_volume, broken_model, open_panel):
    add_volume()
    panel = open_panel()
    assert panel.ui.segmentButton.enabled
    prepare(panel, scene)
    panel.settle()
    assert not panel.ui.segmentButton.enabled
    assert reason in panel.ui.segmentButton.toolTip
    assert reason in panel.ui.segmentHint.text


def test_a_model_tells_organs_dice_spacing_and_licence(open_panel):
    tip = tips(open_panel().ui.modelCombo)[0]
    for text in ("liver (0.96)", "2 × 2 × 2 mm", "0.80", "Apache-2.0", "Not for diagnosis"):
        assert text in tip


def test_a_broken_model_is_shown_disabled_with_its_reason(broken_model, open_panel):
    panel = open_panel()
    combo = panel.ui.modelCombo
    labels = [combo.itemText(row) for row in range(combo.count)]
    row = labels.index("broken (cannot be used)")
    assert not combo.model().item(row).isEnabled()
    assert "the card lacks 'labels'" in tips(combo)[row]
    assert panel.parameters.model == bundle.DEFAULT_MODEL


def test_organs_can_be_ticked_all_and_none(add_volume, open_panel):
    import qt

    add_volume()
    panel = open_panel()
    assert panel.ui.organsCollapsible.text == "Organs: all 13"
    panel.ui.organList.item(0).setCheckState(qt.Qt.Unchecked)
    assert panel.ui.organsCollapsible.text == "Organs: 12 of 13"
    assert panel.parameters.skippedOrgans == ["spleen"]
    panel.ui.noOrgansButton.click()
    assert panel.ui.organsCollapsible.text == "Organs: 0 of 13"
    panel.ui.allOrgansButton.click()
    assert panel.parameters.skippedOrgans == []


def test_choices_reach_the_engine(add_volume, open_panel, engines):
    add_volume()
    panel = open_panel()
    panel.parameters.skippedOrgans = [
        organ.name for organ in bundle.find().classes if organ.name not in ("liver", "pancreas")]
    panel.ui.deviceCombo.currentIndex = 1
    panel.ui.overlapSpin.value = 0.5
    panel.ui.precisionCombo.currentIndex = 1
    panel.ui.largestComponentCheck.checked = True
    panel.ui.uncertaintyCheck.checked = True
    panel.ui.segmentButton.click()
    arguments = " ".join(engines.last("segment").arguments)
    for option in ("--organs liver pancreas", "--device cpu", "--overlap 0.5",
                   "--precision float32", "--largest-component", "--uncertainty"):
        assert option in arguments


def test_by_default_the_model_decides(add_volume, open_panel, engines):
    add_volume()
    open_panel().ui.segmentButton.click()
    arguments = engines.last("segment").arguments
    assert arguments[arguments.index("--device") + 1] == "auto"
    assert not {"--organs", "--overlap", "--largest-component", "--uncertainty"} & set(arguments)


def test_a_new_region_begins_inside_the_volume(add_volume, open_panel):
    volume = add_volume()
    panel = open_panel()
    roi = panel.ui.roiSelector.create()
    bounds, inner = [0.0] * 6, [0.0] * 6
    volume.GetRASBounds(bounds)
    roi.GetRASBounds(inner)
    assert all(low < high for low, high in zip(inner[::2], inner[1::2], strict=True))
    assert all(a < b for a, b in zip(bounds[::2], inner[::2], strict=True))
    assert all(a > b for a, b in zip(bounds[1::2], inner[1::2], strict=True))
    assert panel.parameters.roi is roi


def test_every_control_has_a_tooltip_and_every_selector_the_scene_and_a_parameter(open_panel):
    import qt
    import slicer

    controls = (qt.QAbstractButton, qt.QComboBox, qt.QAbstractSpinBox, qt.QAbstractItemView)
    panel = open_panel()
    ours = [widget for name, widget in vars(panel.ui).items()  # Qt's own parts are called otherwise
            if isinstance(widget, controls) and name[0].islower() and not name.startswith("qt_")]
    ours += [widget for name, widget in vars(panel.ui).items() if name.endswith("Selector")]
    assert len(ours) > 25
    assert not [widget.objectName for widget in ours if not widget.toolTip]
    for widget in vars(panel.ui).values():
        if isinstance(widget, slicer.qMRMLNodeComboBox):
            assert widget.enabled, widget.objectName
            assert widget.property("SlicerParameterName"), widget.objectName


def test_the_panel_says_that_nothing_is_uploaded(open_panel):
    assert open_panel().ui.noteLabel.text.startswith(
        "Nothing is uploaded. Research use only, not for diagnosis. <a href=")


def test_the_first_use_is_explained_until_something_was_segmented(
        add_volume, open_panel, monkeypatch):
    import slicer

    from slicer_qt.slicer_app import Settings

    monkeypatch.setattr(slicer.app, "_settings", Settings())
    panel = open_panel()
    assert panel.ui.firstUseLabel.visible
    add_volume()
    panel.widget.enter()
    panel.ui.segmentButton.click()
    panel.finish()
    assert not panel.ui.firstUseLabel.visible
    assert not open_panel().ui.firstUseLabel.visible


def test_stages_of_the_command_line_have_names(open_panel):
    from metaunetr.cli.progress import STAGES
    from MetaUNETRSegmentLib.panel import progress

    open_panel()
    assert progress.STAGE_SHARES.keys() == STAGES.keys()
    assert all(progress.stageText(stage) != stage for stage in STAGES)


def test_names_of_organs_are_not_cut_off(panel):
    """Two columns, in the width of Slicer's module panel."""
    for organs in (panel.ui.organList, panel.ui.correctOrganList):
        items = [organs.item(row) for row in range(organs.count)]
        assert len(items) == 13
        widths = [item.sizeHint().width() for item in items]
        for item, width in zip(items, widths, strict=True):
            assert width >= organs.fontMetrics().horizontalAdvance(item.text()) + 55  # box, colour
        assert len(set(widths)) == 2
        assert sum(set(widths)) < 380
