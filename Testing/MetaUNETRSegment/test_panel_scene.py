"""The state of the panel is kept in the scene."""

from __future__ import annotations

import sys

from slicer_qt.open_panel import OpenPanel


def choose(panel):
    parameters = panel.parameters
    parameters.skippedOrgans = ["aorta"]
    parameters.device = "cpu"
    parameters.overlap = 0.5
    parameters.precision = "float32"
    parameters.largestComponent = True
    parameters.batchInput = "/data/CT"
    parameters.correctOrgans = ["liver"]


def shown(panel):
    """What a person sees."""
    ui = panel.ui
    return {
        "volume": ui.inputSelector.currentNode().GetName(),
        "organs": ui.organsCollapsible.text,
        "device": ui.deviceCombo.currentText,
        "overlap": round(ui.overlapSpin.value, 2),
        "precision": ui.precisionCombo.currentText,
        "largest": ui.largestComponentCheck.checked,
        "batch": ui.batchInputPath.currentPath,
        "result": ui.resultSelector.currentNode().GetName(),
        "rows": ui.resultsTable.rowCount,
    }


def test_a_saved_scene_brings_the_panel_back(panel, scene, tmp_path):
    choose(panel)
    panel.ui.segmentButton.click()
    panel.finish()
    before = shown(panel)
    text = saved(scene)
    scene.Clear(False)
    panel.settle()
    assert panel.ui.organsCollapsible.text == "Organs: all 13"
    load(scene, text)
    panel.widget.enter()
    after = shown(panel)
    # voxels are not in a scene without its data files, so neither is the table of results
    before.pop("rows"), after.pop("rows")
    assert after == before


def saved(scene):
    scene.SetSaveToXMLString(1)
    scene.Commit()
    return scene.GetSceneXMLString()


def load(scene, text):
    scene.SetLoadFromXMLString(1)
    scene.SetSceneXMLString(text)
    scene.Connect()


def test_closing_the_scene_brings_the_defaults_back(panel, scene):
    choose(panel)
    scene.Clear(False)
    panel.settle()
    assert panel.ui.deviceCombo.currentText == "Automatic"
    assert not panel.ui.largestComponentCheck.checked
    assert panel.parameters.inputVolume is None


def test_the_module_can_be_reloaded(panel, engines):
    """As slicer.util.reloadScriptedModule does: clean up, read the files again, set up anew."""
    panel.parameters.device = "cpu"
    panel.widget.cleanup()
    again = OpenPanel()
    assert again.ui.deviceCombo.currentText == "CPU"
    again.ui.segmentButton.click()
    again.finish()
    assert again.ui.resultsTable.rowCount == 8
    again.close()


def test_reload_reads_the_library_again(panel, monkeypatch):
    import slicer

    before = dict(sys.modules)
    monkeypatch.setattr(slicer.util, "reloadScriptedModule", lambda name: name)
    panel.widget.onReload()
    left = [name for name in sys.modules if name.startswith("MetaUNETRSegmentLib")]
    sys.modules.update(before)
    assert left == []


def test_a_device_of_another_computer_stays_chosen(panel):
    panel.parameters.device = "cuda:3"
    assert panel.ui.deviceCombo.currentText == "cuda:3"
