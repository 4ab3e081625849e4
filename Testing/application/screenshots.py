"""Takes the pictures of docs/slicer.md in 3D Slicer, with phantoms.

    Slicer --python-script Testing/application/screenshots.py -- FOLDER
    .venv/bin/python Testing/pictures.py FOLDER

The second command makes them small and puts them into Resources/Screenshots. The module must be
among Slicer's modules, and what it needs installed. Paths in FOLDER are seen in the pictures;
corrections are remembered there.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from tutorial import Tutorial, open_module, run

WIDTH, HEIGHT = 1280, 800
CORRECTED = (("liver", "spleen"), ("pancreas",), ("left kidney", "stomach"))  # of phantoms 1 to 3


def main(folder: Path) -> None:
    import slicer

    folder.mkdir(parents=True, exist_ok=True)
    os.environ["METAUNETR_MODELS"] = str(folder / "Models")
    widget, settle = open_module(WIDTH, HEIGHT)
    from metaunetr import phantom
    from metaunetr.io import write_image
    from metaunetr.organs import BY_NAME

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

    def arrange(layout: str, organ: str = "") -> None:
        """Shows all of the body, in slices through an organ of the result."""
        slicer.app.layoutManager().setLayout(getattr(slicer.vtkMRMLLayoutNode, layout))
        settle()
        if organ:
            tutorial.jump(organ)
        slicer.util.resetSliceViews()
        if organ:
            node, segment = panel.parameters.result, BY_NAME[organ].key
            slicer.vtkMRMLSliceNode.JumpAllSlices(
                slicer.mrmlScene, *node.GetSegmentCenterRAS(segment),
                slicer.vtkMRMLSliceNode.OffsetJumpSlice)

    for seed, organs in enumerate(CORRECTED, 1):
        made = phantom.make(seed, spacing=(2.5, 2.5, 4))
        volume = tutorial.load(made.image, f"patient {seed}")
        widget.logic.remember(add_truth(volume, made.labels.array, organs))
        slicer.mrmlScene.Clear(False)

    made = phantom.make(0, spacing=(1.5, 1.5, 2.5))
    volume = tutorial.load(made.image, "MetaUNETR phantom")
    volume.GetDisplayNode().SetAutoWindowLevel(False)
    volume.GetDisplayNode().SetWindowLevel(400, 40)
    arrange("SlicerLayoutOneUpRedSliceView")  # there are no surfaces yet
    until(lambda: ":" in ui.segmentHint.text)
    picture("slicer_ready")
    ui.segmentButton.click()
    until(lambda: panel.segment.strip.progress.windows)
    picture("slicer_running")
    tutorial._finish(ui.segmentNotice)
    result = panel.parameters.result
    arrange("SlicerLayoutFourUpView", "pancreas")
    tutorial.surfaces()
    picture("slicer_results")

    ui.tabs.currentIndex = 1
    panel.parameters.correctOrgans = ["right kidney"]
    tutorial.new_region()
    tutorial.erase_half("right kidney")
    ui.correctButton.click()
    tutorial._finish(ui.correctNotice)
    arrange("SlicerLayoutFourUpView", "right kidney")
    tutorial.surfaces()
    picture("panel_correct")

    truth = add_truth(volume, made.labels.array)
    arrange("SlicerLayoutOneUpGreenSliceView", "right kidney")  # differences have no surfaces
    ui.tabs.currentIndex = 2
    panel.parameters.compareFirst, panel.parameters.compareSecond = result, truth
    ui.compareButton.click()
    tutorial._finish(ui.compareNotice)
    ui.differenceButton.click()
    picture("panel_compare")
    ui.differenceButton.click()

    for node in (truth, panel.compare.difference):
        slicer.mrmlScene.RemoveNode(node)
    organ = BY_NAME["pancreas"]
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        (made.labels.array == organ.number).astype("uint8"), result, organ.key, volume)
    arrange("SlicerLayoutFourUpView", "pancreas")
    tutorial.surfaces()
    ui.tabs.currentIndex = 4
    until(lambda: ui.adaptTable.rowCount == 4 and " min " in ui.adaptHint.text)
    picture("panel_adapt")

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


def add_truth(volume, labels, organs: tuple[str, ...] = ()):
    """The phantom's own organs as a segmentation, in place of a manual one; all by default."""
    import numpy as np
    import slicer

    from metaunetr.organs import BY_NAME, BY_NUMBER

    wanted = {BY_NAME[name].number for name in organs} or BY_NUMBER.keys()
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "manual")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    for number in set(np.unique(labels).tolist()) & wanted:
        segment = node.GetSegmentation().AddEmptySegment("", BY_NUMBER[number].name)
        slicer.util.updateSegmentBinaryLabelmapFromArray(
            (labels == number).astype(np.uint8), node, segment, volume)
    node.GetDisplayNode().SetVisibility(False)
    return node


if __name__ == "__main__":
    run(main, Path(sys.argv[1]))
