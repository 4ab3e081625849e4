"""The tab Batch: segments a folder of CTs."""

import os
import traceback

import qt
from slicer.i18n import tr as _

from .choices import Choice, Item
from .progress import duration
from .run import Strip
from .tables import fit, header

NAME, STATE, TIME, FLAGS = range(4)


class BatchPanel:
    """Runs `metaunetr batch`, like the headless script."""

    def __init__(self, panel) -> None:
        self.panel, ui = panel, panel.ui
        self.strip = Strip(ui, "batch")
        self.format = Choice(ui.batchFormatCombo, panel.current, "batchFormat")
        self.format.offer(formatItems())
        self.surfaces = Choice(ui.batchSurfacesCombo, panel.current, "batchSurfaces")
        self.surfaces.offer(surfaceItems())
        self.cases, self.order = [], []  # by index; the indices in the order of the rows
        header(ui.batchTable, (
            (_("Case"), _("Click a case that is done to load it with its result.")),
            (_("State"), _("Why a case failed is in its tooltip.")),
            (_("Time"), ""),
            (_("Flags"), _("What looks wrong and should be looked at.")),
        ))
        ui.batchTable.cellClicked.connect(self._open)
        ui.batchOverviewButton.clicked.connect(lambda: openFile(self._overview()))
        ui.batchFolderButton.clicked.connect(
            lambda: openFile(self.panel.parameters.batchOutput))
        ui.batchInputPath.currentPathChanged.connect(self._pathsChanged)
        ui.batchOutputPath.currentPathChanged.connect(self._pathsChanged)
        ui.batchButton.clicked.connect(self._clicked)

    def refresh(self) -> None:
        parameters, ui = self.panel.parameters, self.panel.ui
        self.format.refresh()
        self.surfaces.refresh()
        if ui.batchInputPath.currentPath != parameters.batchInput:
            ui.batchInputPath.currentPath = parameters.batchInput
        if ui.batchOutputPath.currentPath != parameters.batchOutput:
            ui.batchOutputPath.currentPath = parameters.batchOutput
        self.panel.allowRun(self.strip, self.reason())
        self._allow()

    def _allow(self) -> None:
        output = self.panel.parameters.batchOutput
        for button, path in ((self.panel.ui.batchOverviewButton, self._overview()),
                             (self.panel.ui.batchFolderButton, output)):
            self.panel.allow(button, "" if output and os.path.exists(path) else
                             _("There are no results yet."))

    def _overview(self) -> str:
        return os.path.join(self.panel.parameters.batchOutput, "index.html")

    def _pathsChanged(self) -> None:
        parameters, ui = self.panel.parameters, self.panel.ui
        if parameters is not None:
            parameters.batchInput = ui.batchInputPath.currentPath
            parameters.batchOutput = ui.batchOutputPath.currentPath

    def reason(self) -> str:
        parameters = self.panel.parameters
        if not parameters.batchInput:
            return _("Choose the folder with the CTs.")
        if not os.path.isdir(parameters.batchInput):
            return _("The folder of the CTs does not exist: {folder}").format(
                folder=parameters.batchInput)
        if not parameters.batchOutput:
            return _("Choose the folder for the results.")
        if not self.panel.input.organs.ticked():
            return _("Choose a model and at least one organ under Segment.")
        return ""

    def _clicked(self) -> None:
        self.panel.press(self.strip, self.run, _("Cancelled. The cases that were done are kept."))

    def run(self) -> None:
        arguments = self.arguments()
        self.panel.segment.estimate.stop()
        self._list([])

        def makeJob(progress):
            def take(event):
                self._take(event)
                progress(event)

            return self.panel.logic.batch(arguments, wait=False, progress=take)

        self.panel.runner.start(self.strip, makeJob, self._finished)

    def arguments(self) -> list:
        """The choices as arguments of `metaunetr batch`."""
        parameters, options = self.panel.parameters, self.panel.input.options()
        output = os.path.abspath(parameters.batchOutput)
        arguments = ["--input", os.path.abspath(parameters.batchInput), "--output", output,
                     "--format", parameters.batchFormat,
                     "--device", options["device"]]
        for name in ("model", "organs"):
            if options[name]:
                values = options[name] if isinstance(options[name], list) else [options[name]]
                arguments += [f"--{name}", *values]
        if parameters.batchSurfaces:
            arguments += ["--surfaces", parameters.batchSurfaces]
        return arguments + ["--resume"] * bool(parameters.batchResume)

    def _take(self, event: dict) -> None:
        kind = event["event"]
        self.panel.log.write(event.get("line", ""))
        if kind == "cases":
            self._list([dict(case) for case in event["cases"]])
        elif kind == "case":
            self._update(event)
            if event["state"] == "failed":
                self.strip.warn(f"{event['name']}: {event['text']}")

    def _finished(self, job) -> str:
        self._allow()
        return job.result["line"]

    def _list(self, cases: list) -> None:
        table = self.panel.ui.batchTable
        self.cases, self.order = cases, list(range(len(cases)))
        table.rowCount = len(cases)
        for index, case in enumerate(cases):
            for column, text in ((NAME, case["name"]), (STATE, _("waiting"))):
                table.setItem(index, column, qt.QTableWidgetItem(text))
            table.setItem(index, TIME, qt.QTableWidgetItem(""))
            table.setItem(index, FLAGS, qt.QTableWidgetItem(""))
            table.item(index, NAME).setToolTip(case["input"])
        self.panel.layOut()
        fit(table, 300)

    def _update(self, event: dict) -> None:
        index, table = event["index"], self.panel.ui.batchTable
        if not 0 <= index < len(self.cases):
            return
        self.cases[index].update(event)
        state = event["state"]
        index = self._moveUp(index) if state == "failed" else self.order.index(index)
        table.item(index, STATE).setText(stateText(state))
        table.item(index, STATE).setForeground(qt.QBrush(qt.QColor(STATE_COLOURS[state])))
        if event.get("seconds") is not None and state != "running":
            table.item(index, TIME).setText(duration(event["seconds"]))
        flags = event.get("flags") or []
        doubts = event.get("doubts") or []
        table.item(index, FLAGS).setText(f"⚠ {len(doubts)}" if doubts else "")
        tip = event.get("text") or "\n".join(flags)
        for column in (STATE, FLAGS):
            table.item(index, column).setToolTip(tip)
        table.scrollToItem(table.item(index, NAME))

    def _moveUp(self, index: int) -> int:
        """Moves a failed case below the failed ones at the top, and gives its new row."""
        table, row = self.panel.ui.batchTable, self.order.index(index)
        target = sum(self.cases[case].get("state") == "failed" for case in self.order) - 1
        items = [table.takeItem(row, column) for column in range(table.columnCount)]
        table.removeRow(row)
        table.insertRow(target)
        for column, item in enumerate(items):
            item.setForeground(qt.QBrush(qt.QColor(STATE_COLOURS["failed"])))
            table.setItem(target, column, item)
        self.order.insert(target, self.order.pop(row))
        return target

    def _open(self, row) -> None:
        """Loads a case with its result."""
        from MetaUNETRSegmentLib.batchcase import loadCase, nameOf

        case = self.cases[self.order[row]]
        output = case.get("output")
        if not output:
            return
        try:
            volume, segmentation = loadCase(nameOf(case), case["input"], output)
        except Exception as error:
            self.panel.log.write("".join(traceback.format_exception(error)))
            self.strip.warn(_("{name} cannot be loaded: {error}").format(
                name=case["name"], error=error))
            return
        self.panel.parameters.inputVolume = volume
        if segmentation:
            self.panel.results.show(segmentation)
        else:
            self.strip.warn(_("Load {path} with the DICOM module.").format(path=output))


STATE_COLOURS = {"running": "#2f7fd0", "done": "#2e9e4f", "skipped": "#808080",
                 "failed": "#cd3232"}


def stateText(state: str) -> str:
    return {"running": _("running"), "done": _("done"), "skipped": _("there already"),
            "failed": _("failed")}.get(state, state)


def openFile(path: str) -> None:
    """Opens a file or folder with the program of the system."""
    qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(os.path.abspath(path)))


def formatItems() -> list:
    return [
        Item("seg.nrrd", _("Slicer segmentation (.seg.nrrd)"),
             _("Opens in Slicer with names, colours and terminology.")),
        Item("nii.gz", _("NIfTI label map (.nii.gz)"), _("For most other programs.")),
        Item("dicomseg", _("DICOM SEG (.dcm)"), _("For archives; needs DICOM input.")),
        Item("rtstruct", _("RTSTRUCT (.rtstruct.dcm)"),
             _("For radiotherapy planning; needs DICOM input.")),
    ]


def surfaceItems() -> list:
    return [Item("", _("None")), Item("stl", _("STL"), _("A file for each organ.")),
            Item("obj", _("OBJ"), _("A file for each organ."))]
