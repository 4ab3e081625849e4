"""Takes the pictures of docs/slicer.md in 3D Slicer, with phantoms.

    Slicer --python-script Testing/application/screenshots.py -- FOLDER
    .venv/bin/python Testing/pictures.py FOLDER

The second command makes them small and puts them into Resources/Screenshots. The module must be
among Slicer's modules, and what it needs installed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from tutorial import Tutorial, open_module, run

WIDTH, HEIGHT = 1280, 800


def main(folder: Path) -> None:
    import slicer

    widget, settle = open_module(WIDTH, HEIGHT)
    from metaunetr import phantom
    from metaunetr.io import write_image

    folder.mkdir(parents=True, exist_ok=True)
    slicer.util.findChild(slicer.util.mainWindow(), "DataProbeCollapsibleWidget").collapsed = True
    tutorial, ui, panel = Tutorial(widget, settle), widget.ui, widget.panel

    def until(condition, seconds: float = 600) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError
            settle()

    def picture(name: str) -> None:
        shown = time.monotonic() + 2
        until(lambda: time.monotonic() > shown)
        slicer.util.mainWindow().grab().save(str(folder / f"{name}.png"))
        print(name, flush=True)

    made = phantom.make(0, spacing=(1.5, 1.5, 2.5))
    volume = tutorial.load(made.image, "MetaUNETR phantom")
    until(lambda: ":" in ui.segmentHint.text)
    picture("slicer_ready")
    ui.segmentButton.click()
    until(lambda: panel.segment.strip.progress.windows)
    picture("slicer_running")
    tutorial._finish(ui.segmentNotice)
    result = panel.parameters.result
    tutorial.jump("pancreas")
    tutorial.surfaces()
    picture("slicer_results")

    ui.tabs.currentIndex = 1
    panel.parameters.correctOrgans = ["right kidney"]
    tutorial.new_region()
    tutorial.jump("right kidney")
    ui.correctButton.click()
    tutorial._finish(ui.correctNotice)
    picture("panel_correct")

    truth = add_truth(volume, made.labels.array)
    ui.tabs.currentIndex = 2
    panel.parameters.compareFirst, panel.parameters.compareSecond = result, truth
    ui.compareButton.click()
    tutorial._finish(ui.compareNotice)
    ui.differenceButton.click()
    picture("panel_compare")
    ui.differenceButton.click()

    (folder / "CTs").mkdir(exist_ok=True)
    for seed in (1, 2, 3):
        write_image(folder / "CTs" / f"patient {seed}.nrrd",
                    phantom.make(seed, spacing=(2.5, 2.5, 4)).image)
    (folder / "CTs" / "broken.nii.gz").write_text("half a download", encoding="utf-8")
    ui.tabs.currentIndex = 3
    panel.parameters.batchInput = str(folder / "CTs")
    panel.parameters.batchOutput = str(folder / "organs")
    ui.batchButton.click()
    until(lambda: ui.batchTable.rowCount and panel.batch.strip.progress.ended >= 3
          and panel.batch.strip.progress.windows)
    picture("panel_batch")


def add_truth(volume, labels):
    """The phantom's own organs as a segmentation, in place of a manual one."""
    import numpy as np
    import slicer

    from metaunetr.organs import BY_NUMBER

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "manual")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    for number in set(np.unique(labels).tolist()) & BY_NUMBER.keys():
        name = BY_NUMBER[number].name
        segment = node.GetSegmentation().AddEmptySegment("", name)
        slicer.util.updateSegmentBinaryLabelmapFromArray(
            (labels == number).astype(np.uint8), node, segment, volume)
    node.GetDisplayNode().SetVisibility(False)
    return node


if __name__ == "__main__":
    run(main, Path(sys.argv[1]))
