"""Writes a picture of every state of the panel.

    python Testing/MetaUNETRSegment/screenshots.py FOLDER

Needs what the tests of the panel need; the engine is scripted, the scene is real.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / name) for name in ("Testing/standins", "MetaUNETRSegment", "Training")]

import numpy as np  # noqa: E402

import slicer_headless  # noqa: E402
import slicer_qt  # noqa: E402
from slicer_qt.open_panel import (  # noqa: E402
    GOOD_RUN,
    HOLD,
    Engines,
    OpenPanel,
    stages,
    windows,
)

STATES: list[Callable] = []


def state(function: Callable) -> Callable:
    STATES.append(function)
    return function


@state
def no_volume(panel, engines):
    import slicer

    slicer.mrmlScene.RemoveNode(panel.parameters.inputVolume)


@state
def ready(panel, engines):
    panel.wait(lambda: panel.ui.segmentHint.text.startswith("CT liver arterial: about"))


@state
def first_run(panel, engines):
    panel.ui.installFrame.visible = True
    panel.ui.installLabel.text = ("Before the first run, this must be installed: torch>=2.4, "
                                  "safetensors>=0.4. You will be asked first, with the sizes.")


@state
def choices(panel, engines):
    ready(panel, engines)
    panel.ui.organsCollapsible.collapsed = False
    panel.ui.advancedCollapsible.collapsed = False
    panel.parameters.skippedOrgans = ["aorta", "stomach"]


@state
def running(panel, engines):
    run(panel, engines, stages("read", "model"), windows(1), [], windows(13), *HOLD)


@state
def finished(panel, engines):
    run(panel, engines, [{"event": "warning", "text": "The slices are 5 mm apart: small organs "
                          "may be missed."}], *GOOD_RUN)
    panel.finish()


@state
def export(panel, engines):
    finished(panel, engines)
    panel.ui.exportCollapsible.collapsed = False
    panel.ui.logCollapsible.collapsed = False


@state
def failed(panel, engines):
    run(panel, engines, [{"event": "error", "text": "The values of CT lie between 0 and 255: these "
                          "are no Hounsfield units. Load the original DICOM series."}], 3)
    panel.finish()
    panel.ui.logCollapsible.collapsed = False


@state
def cancelled(panel, engines):
    run(panel, engines, windows(20), *HOLD)
    panel.ui.segmentButton.click()


@state
def correct(panel, engines):
    import slicer

    finished(panel, engines)
    panel.parameters.correctSegmentation = panel.parameters.result
    panel.parameters.correctOrgans = ["pancreas", "gallbladder"]
    panel.ui.correctRoiSelector.create().SetName("Region around the pancreas")
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode").SetName("other")
    panel.ui.tabs.currentIndex = 1


@state
def compare(panel, engines):
    import slicer

    finished(panel, engines)
    panel.parameters.compareFirst = panel.parameters.result
    panel.parameters.compareSecond = slicer.mrmlScene.AddNewNodeByClass(
        "vtkMRMLSegmentationNode", "Manual")
    panel.ui.tabs.currentIndex = 2
    scores = (("spleen", 0.951, 0.972, 2.3), ("liver", 0.962, 0.934, 4.1),
              ("portal and splenic vein", 0.0, None, None))
    panel.panel.compare.show([
        {"organ": organ, "dice": dice, "nsd": nsd, "hd95": hd95, "volumeA": 1, "volumeB": 1,
         "note": ""} for organ, dice, nsd, hd95 in scores])


@state
def batch(panel, engines):
    panel.parameters.batchInput, panel.parameters.batchOutput = "/tmp", "/tmp/organs"
    panel.ui.tabs.currentIndex = 3
    names = ["1.2.840 Liver arterial", "Patient 2", "Patient 3", "broken", "Patient 5"]
    cases = [{"name": name, "input": f"/tmp/{name}"} for name in names]

    def case(index, kind, **more):
        return {"event": "case", "index": index, "name": names[index], "state": kind, "line": "",
                **more}

    engines.scripts["batch"] = [
        [{"event": "cases", "total": 5, "cases": cases},
         case(0, "skipped"), case(1, "running"), case(1, "done", seconds=8.9, flags=[]),
         case(2, "done", seconds=71.2, flags=["liver: touches the border", "x"], doubts=["x"]),
         case(3, "failed", seconds=0.4, text="broken/ct.nii.gz: is not a NIfTI file."),
         case(4, "running"), *stages("read"), *windows(1)], [], windows(19), *HOLD]
    panel.ui.batchButton.click()
    panel.wait(lambda: panel.ui.batchStatus.text.endswith("left"))


def run(panel, engines, *script):
    engines.scripts["segment"] = list(script)
    panel.ui.segmentButton.click()
    panel.settle(0.5)


def main(folder: Path) -> None:
    slicer_qt.start()
    import slicer

    from MetaUNETRSegmentLib import engine

    folder.mkdir(parents=True, exist_ok=True)
    for number, prepare in enumerate(STATES, 1):
        with slicer_headless.fresh_scene():
            engine.startEngine = engines = Engines()
            voxels = np.random.default_rng(0).normal(50, 20, (40, 64, 64)).astype(np.int16)
            slicer.util.addVolumeFromArray(voxels, np.diag([5, 5, 5, 1.0]), "CT liver arterial")
            panel = OpenPanel()
            prepare(panel, engines)
            panel.picture(folder / f"{number:02d}_{prepare.__name__}.png")
            panel.close()
    print(f"{len(STATES)} pictures in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
