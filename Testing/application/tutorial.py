"""Drives 3D Slicer through the tutorial on two patients, and asserts what is visible.

    Slicer --python-script Testing/application/tutorial.py -- FOLDER [CT CT]

The window gets 1280 × 720 pixels, as on a small laptop. FOLDER receives a picture of the window
after each step, and the files that are exported; without two CTs, two phantoms are segmented.
Slicer ends with 0 if everything was as it should be. The module must be among Slicer's modules, and
what it needs installed.
"""

from __future__ import annotations

import shutil
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np

EYE, ORGAN, VOLUME, HU, CONFIDENCE, FLAGS = range(6)


class Tutorial:
    """Each method is a step that a person would take, with what is then seen.

    Args:
        widget: MetaUNETRSegmentWidget.
        settle: lets the application do what is due.
        seconds: for which a run is waited.
    """

    def __init__(self, widget, settle, seconds: float = 600) -> None:
        self.widget, self.settle, self.seconds = widget, settle, seconds
        self.ui, self.panel = widget.ui, widget.panel
        self.unspoilt = {}  # masks before they were edited, by organ

    @property
    def parameters(self):
        return self.panel.parameters

    # what is seen

    def shown(self) -> set[str]:
        """Names of the volumes in the backgrounds of the slice views."""
        import slicer

        nodes = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
        return {slicer.mrmlScene.GetNodeByID(node.GetBackgroundVolumeID()).GetName()
                for node in nodes if node.GetBackgroundVolumeID()}

    def visible(self) -> set[str]:
        """Names of the segmentations that are visible."""
        import slicer

        return {node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
                if node.GetDisplayNode() and node.GetDisplayNode().GetVisibility()}

    def on_screen(self, volume, *segmentations) -> None:
        """One patient: volume, panel and segmentations agree."""
        equal(self.shown(), {volume.GetName()})
        equal(self.parameters.inputVolume.GetName(), volume.GetName())
        equal(self.visible(), {node.GetName() for node in segmentations})

    def centre_of_views(self) -> np.ndarray:
        """RAS of the place where the slices cross."""
        import slicer

        place = np.zeros(3)
        for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
            matrix = slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS())
            place[np.abs(matrix[:3, 2]).argmax()] = matrix[np.abs(matrix[:3, 2]).argmax(), 3]
        return place

    def table(self, name: str = "resultsTable") -> dict[str, list[str]]:
        """The cells of a row by its organ."""
        table, first = getattr(self.ui, name), ORGAN if name == "resultsTable" else 0
        cells = [[table.item(row, column).text() for column in range(table.columnCount)]
                 for row in range(table.rowCount)]
        return {row[first]: row for row in cells}

    def mask(self, organ: str) -> np.ndarray:
        """Voxels of an organ in the result, on the grid of its volume."""
        import slicer

        segment = next(row for row in self.panel.results.rows if row.name == organ)
        return slicer.util.arrayFromSegmentBinaryLabelmap(
            self.parameters.result, segment.segmentId, self.parameters.inputVolume) > 0

    # steps

    def load(self, image, name: str):
        """A CT comes into the scene and the views, as after Add Data."""
        import slicer

        volume = slicer.util.addVolumeFromArray(
            image.array, np.diag([-1.0, -1, 1, 1]) @ image.grid.affine, name)
        logic = slicer.app.applicationLogic()
        logic.GetSelectionNode().SetActiveVolumeID(volume.GetID())
        logic.PropagateVolumeSelection(1)
        self.settle()
        self.on_screen(volume)
        true(self.ui.segmentButton.enabled, "Segment can be pressed")
        true(self.ui.segmentHint.text.startswith(name), "its name is beside the button")
        return volume

    def segment(self):
        volume = self.parameters.inputVolume
        self.ui.segmentButton.click()
        self._finish(self.ui.segmentNotice)
        result = self.parameters.result
        self.on_screen(volume, result)
        display = volume.GetDisplayNode()
        equal((display.GetWindow(), display.GetLevel()), (400, 40))
        bounds = np.zeros(6)
        result.GetRASBounds(bounds)
        low, high = bounds[::2], bounds[1::2]
        true((self.centre_of_views() > low).all() and (self.centre_of_views() < high).all(),
             "the slices cross between the organs")
        true(len(self.table()) == result.GetSegmentation().GetNumberOfSegments() > 0,
             "a row for each segment")
        return result

    def jump(self, organ: str) -> None:
        row = list(self.table()).index(organ)
        self.ui.resultsTable.setCurrentCell(-1, -1)
        self.ui.resultsTable.setCurrentCell(row, ORGAN)
        self.settle()
        centre = self.parameters.result.GetSegmentCenterRAS(self.panel.results.rows[row].segmentId)
        near(self.centre_of_views(), centre, 0.01)

    def surfaces(self) -> None:
        self.ui.show3DButton.checked = True  # click() opens the menu of a ctkMenuButton
        self.settle()
        self.surfaces_in_view()

    def surfaces_in_view(self) -> None:
        """All surfaces of the result lie in the 3-D view."""
        import slicer

        bounds = np.zeros(6)
        self.parameters.result.GetRASBounds(bounds)
        size = bounds[1::2] - bounds[::2]
        view = slicer.app.layoutManager().threeDWidget(0).threeDView()
        camera = view.cameraNode().GetCamera()
        near(camera.GetFocalPoint(), bounds[::2] + size / 2, 0.2 * np.linalg.norm(size))
        true(camera.GetDistance() > np.linalg.norm(size) / 2, "the camera is outside")

    def edit(self, organ: str) -> None:
        """Half of an organ is erased in Segment Editor."""
        import slicer

        self.ui.editButton.click()
        self.settle()
        editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
        equal(editor.segmentationNode(), self.parameters.result)
        equal(editor.sourceVolumeNode(), self.parameters.inputVolume)
        self.erase_half(organ)
        slicer.util.selectModule("MetaUNETRSegment")
        self.settle()
        true("✎" in self.table()[organ][FLAGS], "the edit is marked")

    def erase_half(self, organ: str) -> None:
        import slicer

        segment = next(row for row in self.panel.results.rows if row.name == organ)
        self.unspoilt[organ] = self.mask(organ)
        array = self.unspoilt[organ].astype(np.uint8)
        filled = np.flatnonzero(array.any(axis=(1, 2)))
        array[filled[len(filled) // 2]:] = 0
        slicer.util.updateSegmentBinaryLabelmapFromArray(
            array, self.parameters.result, segment.segmentId, self.parameters.inputVolume)

    def correct(self, organ: str, region: bool) -> None:
        """A spoilt organ is segmented again; in a region around what is left, that is undone."""
        import slicer

        before = self.mask(organ)
        self.ui.tabs.currentIndex = 1
        self.parameters.correctOrgans = [organ]
        self.parameters.correctRoi = None
        if region:
            self.new_region()
        self.ui.correctButton.click()
        self._finish(self.ui.correctNotice)
        true(f"{organ}: " in self.ui.correctStatus.text, "mL before and after")
        true("↻" in self.table()[organ][FLAGS], "the correction is marked")
        if region:
            self.ui.undoButton.click()
            self.settle()
            true(np.array_equal(self.mask(organ), before), "undone to the voxel")
        else:
            true("✎" not in self.table()[organ][FLAGS], "and no longer edited")
            true(np.array_equal(self.mask(organ), self.unspoilt[organ]), "as it was found")
        self.ui.tabs.currentIndex = 0
        true(not any(node.GetDisplayNode().GetVisibility() for node in
                     slicer.util.getNodesByClass("vtkMRMLMarkupsROINode")), "no region is shown")

    def new_region(self) -> None:
        selector = self.ui.correctRoiSelector
        selector.addNode()
        added = selector.nodeAddedByUserAction  # which only its menu emits
        getattr(added, "emit", added)(selector.currentNode())

    def choose(self, volume, result) -> None:
        """A volume that is chosen in the panel is shown with its result."""
        self.ui.inputSelector.setCurrentNode(volume)
        self.settle()
        self.on_screen(volume, result)
        if result.GetSegmentation().ContainsRepresentation("Closed surface"):
            self.surfaces_in_view()

    def compare(self, first, second) -> None:
        self.ui.tabs.currentIndex = 2
        self.parameters.compareFirst, self.parameters.compareSecond = first, second
        self.ui.compareButton.click()
        self._finish(self.ui.compareNotice)
        true(any(name.startswith("mean of") for name in self.table("compareTable")), "a mean row")
        self.ui.differenceButton.click()
        self.settle()
        equal(self.visible(), {f"{first.GetName()} against {second.GetName()}"})
        self.ui.differenceButton.click()
        self.settle()
        true(f"{first.GetName()} against {second.GetName()}" not in self.visible(), "hidden again")
        self.ui.tabs.currentIndex = 0

    def batch(self, source: Path, output: Path) -> None:
        """A folder of CTs; a click on a finished case shows it and nothing else."""
        self.ui.tabs.currentIndex = 3
        self.parameters.batchInput, self.parameters.batchOutput = str(source), str(output)
        self.ui.batchButton.click()
        self._finish(self.ui.batchNotice)
        true((output / "organs.csv").is_file(), "organs.csv")
        true(not (output / "statistics.csv").exists(), "and no second table")
        true(self.ui.batchOverviewButton.enabled, "the overview can be opened")
        self.ui.batchTable.cellClicked(0, 0) if callable(
            self.ui.batchTable.cellClicked) else self.ui.batchTable.cellClicked.emit(0, 0)
        self.settle()
        self.on_screen(self.parameters.inputVolume, self.parameters.result)
        equal(self.ui.tabs.currentIndex, 3)
        self.ui.tabs.currentIndex = 0

    def export(self, folder: Path) -> None:
        """A label map with the organ numbers of the command line."""
        import slicer

        from metaunetr.io import read_image
        from metaunetr.organs import BY_NAME

        node = self.parameters.result
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        true(logic.ExportSegmentsBinaryLabelmapRepresentationToFiles(
            str(folder), node, None, "nii.gz", True, self.parameters.inputVolume,
            slicer.vtkSegmentation.EXTENT_REFERENCE_GEOMETRY,
            node.GetLabelmapConversionColorTableNode()), "the export")
        labels = read_image(folder / f"{node.GetName()}.nii.gz").array
        wanted = {BY_NAME[row.name].number for row in self.panel.results.rows if row.volumeMl}
        equal(set(np.unique(labels).tolist()) - {0}, wanted)

    def save_and_reload(self, path: Path) -> None:
        import slicer

        volume, rows = self.parameters.inputVolume.GetName(), self.table()
        slicer.util.saveScene(str(path))
        slicer.mrmlScene.Clear(False)
        self.settle()
        equal(self.ui.segmentStatus.text, "")
        slicer.util.loadScene(str(path))
        self.settle()
        equal(self.shown(), {volume})
        equal(self.parameters.inputVolume.GetName(), volume)
        equal(self.table(), rows)

    def _finish(self, notice) -> None:
        end = time.monotonic() + self.seconds
        while self.panel.runner.running:
            true(time.monotonic() < end, "the run ends in time")
            self.settle()
        true("report it" not in notice.text, notice.text)


def true(found, what: str) -> None:
    if not found:
        raise AssertionError(f"not so: {what}")


def equal(found, wanted) -> None:
    true(found == wanted, f"{found!r} is {wanted!r}")


def near(found, wanted, most: float) -> None:
    away = float(np.abs(np.subtract(found, wanted)).max())
    true(away <= most, f"{np.round(found, 2)} is {np.round(wanted, 2)}, within {most:g}")


def open_module(width: int, height: int) -> tuple:
    """Opens the module in a window of so many pixels.

    Returns:
        MetaUNETRSegmentWidget, and a function that lets the application do what is due.
    """
    import slicer

    slicer.util.mainWindow().resize(width, height)
    slicer.util.selectModule("MetaUNETRSegment")

    def settle() -> None:
        slicer.app.processEvents()
        slicer.util.forceRenderAllViews()
        time.sleep(0.02)
        slicer.app.processEvents()

    return slicer.modules.metaunetrsegment.widgetRepresentation().self(), settle


def main(folder: Path, paths: list[Path]) -> None:
    import slicer

    widget, settle = open_module(1280, 720)
    from metaunetr import phantom
    from metaunetr.io import read_image, write_image

    folder.mkdir(parents=True, exist_ok=True)
    images = ([read_image(path) for path in paths]
              or [phantom.make(seed, spacing=(2, 2, 3)).image for seed in (0, 1)])

    tutorial = Tutorial(widget, settle)
    nodes, results, number = [], [], 0

    def step(name: str, *arguments):
        nonlocal number
        number += 1
        answer = getattr(tutorial, name)(*arguments)
        for _ in range(10):  # the panel takes some rounds of the event loop to be laid out
            settle()
        slicer.util.mainWindow().grab().save(str(folder / f"{number:02d}_{name}.png"))
        print(f"{number:2d} {name}: good", flush=True)
        return answer

    for image, name in zip(images, ("patient A", "patient B"), strict=True):
        nodes.append(step("load", image, name))
        results.append(step("segment"))
        step("jump", "liver")
        step("surfaces")
    step("choose", nodes[0], results[0])
    step("edit", "spleen")
    step("correct", "spleen", True)
    step("correct", "spleen", False)
    again = step("segment")
    step("compare", again, results[0])
    step("choose", nodes[1], results[1])
    step("export", folder)
    step("save_and_reload", folder / "scene.mrb")
    shutil.rmtree(folder / "CTs", ignore_errors=True)
    (folder / "CTs").mkdir()
    for index, image in enumerate(images):
        write_image(folder / "CTs" / f"{index}.nrrd", image)
    step("batch", folder / "CTs", folder / "organs")


def run(main: Callable[..., None], *arguments) -> None:
    """Ends 3D Slicer after `main(*arguments)`, with exit code 1 if it raised."""
    import slicer

    try:
        main(*arguments)
    except BaseException:
        traceback.print_exc()
        slicer.util.exit(1)
    else:
        slicer.util.exit(0)


if __name__ == "__main__":
    run(main, Path(sys.argv[1]), [Path(path) for path in sys.argv[2:4]])
