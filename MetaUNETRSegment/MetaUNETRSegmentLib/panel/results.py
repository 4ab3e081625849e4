"""The results: table, views, editing, statistics, export."""

import html
import json

import qt
import slicer
import slicer.util
from slicer.i18n import tr as _

from metaunetr.result import CUT_OFF
from MetaUNETRSegmentLib import colortable, colours, ownership, views

from . import labels
from .choices import swatch
from .remember import RememberButton
from .run import NOTICE_STYLE, WARNING, scrollTo
from .tables import fit, header, known, number

EYE, ORGAN, VOLUME, HU, CONFIDENCE, FLAGS = range(6)


class ResultsPanel:
    """Shows the segmentation that is the parameter `result`."""

    def __init__(self, panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self.rows = []
        self.shown, self.coloured = None, False
        self.remember = RememberButton(panel)
        ui, table = self.ui, self.ui.resultsTable
        header(table, (
            ("", _("Click an eye to show or hide an organ.")),
            (_("Organ"), _("Click an organ, or move with the arrow keys, to jump to its centre. "
                           "Double-click to show it alone, and again to show all.")),
            (_("mL"), _("Volume in millilitres.")),
            (_("HU"), _("Mean CT number inside the organ; its tooltip has the deviation.")),
            (_("Conf."), _("Confidence: the expected Dice if the model is calibrated, else the "
                           "mean probability over the organ's voxels.")),
            (_("Flags"), _("What looks wrong and should be looked at; ↻ was "
                           "segmented again with Correct, ✎ is edited by hand.")),
        ), widest=ORGAN)
        table.cellClicked.connect(self._clicked)
        table.cellDoubleClicked.connect(self._isolate)
        table.currentCellChanged.connect(self._moved)
        ui.opacitySlider.valueChanged.connect(self._setOpacity)
        ui.nextFlagButton.clicked.connect(self.nextFlagged)
        ui.show3DButton.toggled.connect(self._turnCameras)
        ui.editButton.clicked.connect(self.edit)
        ui.tableButton.clicked.connect(self.makeTable)
        ui.csvButton.clicked.connect(self._chooseCsv)
        # "Use color table values": the numbers of the table that `update` presets
        if box := ui.exportWidget.findChild(qt.QCheckBox, "UseColorTableValuesCheckBox"):
            box.checked = True
        ui.dicomButton.clicked.connect(self.exportDicom)

    def show(self, node) -> None:
        """Makes `node` the result and the input of Correct and Compare, and shows its organs."""
        parameters = self.panel.parameters
        parameters.result = parameters.correctSegmentation = parameters.compareFirst = node
        self.update()
        self.panel.screen.jumpTo(node)
        scrollTo(self.ui.resultsTable)

    def enter(self) -> None:
        self.update()  # segments may have been edited in another module
        self.ui.resultsCollapsible.collapsed = self.shown is None

    def refresh(self) -> None:
        parameters = self.panel.parameters
        if (parameters.result, parameters.terminologyColours) != (self.shown, self.coloured):
            self.update()

    def update(self) -> None:
        """Measures the segments again and fills the table."""
        parameters = self.panel.parameters
        self.panel.layOut()
        node = self.shown = parameters.result
        self.ui.show3DButton.setSegmentationNode(node)
        self.coloured = parameters.terminologyColours
        if node and ownership.ofModule(node):
            colours.recolour(node, self.coloured)
            colortable.preset(node)
        self.rows = self._measure(node) if node else []
        self._fill()
        self.ui.exportWidget.setSegmentationNode(node)
        self._allow(node)
        self.remember.update(node, {row.segmentId for row in self.rows if row.edited})
        if node:
            self.ui.resultsCollapsible.collapsed = False
        from MetaUNETRSegmentLib.segmentation import RECORD

        record = node.GetAttribute(RECORD) if node else None
        self.panel.log.record = json.loads(record) if record else None

    def volume(self):
        """The volume that the result belongs to, or None."""
        node = self.panel.parameters.result
        return views.volumeOf(node) if node else None

    def _measure(self, node) -> list:
        from MetaUNETRSegmentLib import statistics

        self.panel.say("")
        try:
            return statistics.rows(node, self.volume())
        except ValueError as error:
            self.panel.say(str(error))
            return []

    def _fill(self) -> None:
        table = self.ui.resultsTable
        table.blockSignals(True)  # else the row that is current now would be jumped to
        table.rowCount = len(self.rows)
        table.setCurrentCell(-1, -1)
        table.blockSignals(False)
        for index, row in enumerate(self.rows):
            table.setItem(index, EYE, qt.QTableWidgetItem())
            name = qt.QTableWidgetItem(row.name)
            name.setIcon(swatch([round(255 * part) for part in row.colour]))
            table.setItem(index, ORGAN, name)
            table.setItem(index, VOLUME, number(row.volumeMl, "{:.1f}"))
            hu = number(row.meanHu, "{:.0f}")
            if known(row.sdHu):
                hu.setToolTip(_("{mean} ± {deviation} HU").format(
                    mean=f"{row.meanHu:.0f}", deviation=f"{row.sdHu:.0f}"))
            table.setItem(index, HU, hu)
            table.setItem(index, CONFIDENCE, number(
                None if row.confidence is None else 100 * row.confidence, "{:.0f} %"))
            remarks = [*row.flags, *([_("segmented again with Correct")] if row.corrected else []),
                       *([_("edited since")] if row.edited else [])]
            flag = qt.QTableWidgetItem(" ".join(
                ["⚠"] * doubtful(row) + ["↻"] * row.corrected + ["✎"] * row.edited))
            flag.setTextAlignment(qt.Qt.AlignCenter)
            flag.setToolTip("\n".join(remarks))
            table.setItem(index, FLAGS, flag)
        self._showEyes()
        fit(table)
        flagged = {}  # organs of which the same is said share a line
        for row in self.rows:
            if row.flags:
                flagged.setdefault("; ".join(row.flags), []).append(row.name)
        sentences = [f"<b>{html.escape(', '.join(names))}</b>: {html.escape(flags)}"
                     for flags, names in flagged.items()]
        self.ui.flagsLabel.styleSheet = NOTICE_STYLE.format(WARNING)
        labels.show(self.ui.flagsLabel, "<br>".join(sentences))

    def _allow(self, node) -> None:
        ui = self.ui
        nothing = "" if node else _("There is no result yet: press Segment, or choose one above.")
        dicom = nothing
        if not nothing and not hasattr(slicer, "qSlicerDICOMExportDialog"):
            dicom = _("This Slicer was built without DICOM.")
        for control, reason in (
            (ui.show3DButton, nothing), (ui.editButton, nothing), (ui.tableButton, nothing),
            (ui.csvButton, nothing), (ui.dicomButton, dicom), (ui.opacitySlider, nothing),
            (ui.nextFlagButton, nothing or self._noFlags()),
        ):
            self.panel.allow(control, reason)

    def _noFlags(self) -> str:
        return "" if any(map(doubtful, self.rows)) else _("No organ is marked with ⚠.")

    def _display(self):
        node = self.panel.parameters.result
        return node.GetDisplayNode() if node else None

    def _clicked(self, row, column) -> None:
        if column == EYE and (display := self._display()) and 0 <= row < len(self.rows):
            segmentId = self.rows[row].segmentId
            display.SetSegmentVisibility(segmentId, not display.GetSegmentVisibility(segmentId))
            self._showEyes()
        else:
            self._jump(row)

    def _moved(self, row, column, rowBefore, columnBefore) -> None:
        if row != rowBefore and column != EYE:
            self._jump(row)

    def _jump(self, row) -> None:
        node = self.panel.parameters.result
        if node is not None and 0 <= row < len(self.rows):
            views.jumpTo(node, self.rows[row].segmentId)

    def _isolate(self, row, column) -> None:
        """Shows one organ alone, or all again if it is alone already."""
        display = self._display()
        if column == EYE or display is None:
            return
        visible = [each for each in self.rows if display.GetSegmentVisibility(each.segmentId)]
        alone = visible == [self.rows[row]]
        with slicer.util.NodeModify(display):
            for index, each in enumerate(self.rows):
                display.SetSegmentVisibility(each.segmentId, alone or index == row)
        self._showEyes()

    def nextFlagged(self) -> None:
        """Jumps to the next organ that should be looked at, after the last one to the first."""
        table = self.ui.resultsTable
        flagged = [index for index, row in enumerate(self.rows) if doubtful(row)]
        later = [index for index in flagged if index > table.currentRow()]
        table.setCurrentCell((later or flagged)[0], ORGAN)

    def _showEyes(self) -> None:
        display = self._display()
        for index, row in enumerate(self.rows):
            visible = bool(display and display.GetSegmentVisibility(row.segmentId))
            item = self.ui.resultsTable.item(index, EYE)
            eye = qt.QPixmap(f":/Icons/Visible{'On' if visible else 'Off'}.png")  # Slicer's own
            item.setIcon(qt.QIcon(eye))
            item.setText("" if not eye.isNull() else "●" if visible else "○")
            item.setToolTip(_("shown") if visible else _("hidden"))
        if display:
            self.ui.opacitySlider.value = round(100 * display.GetOpacity())

    def _setOpacity(self, percent) -> None:
        if display := self._display():
            display.SetOpacity(percent / 100)

    def _turnCameras(self, on) -> None:
        if on:
            qt.QTimer.singleShot(0, views.turnCameras)  # once the surfaces are in the view

    def edit(self) -> None:
        """Opens Segment Editor on the result, with its volume as source."""
        node, volume = self.panel.parameters.result, self.volume()
        slicer.util.selectModule("SegmentEditor")
        editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
        editor.setSegmentationNode(node)
        if volume:
            editor.setSourceVolumeNode(volume)

    def makeTable(self) -> None:
        from MetaUNETRSegmentLib import statistics

        table = statistics.toTable(self.rows, self._volumeName())
        layouts, logic = slicer.app.layoutManager(), slicer.app.applicationLogic()
        layouts.setLayout(slicer.modules.tables.logic().GetLayoutWithTable(layouts.layout))
        logic.GetSelectionNode().SetActiveTableID(table.GetID())
        logic.PropagateTableSelection()
        self.panel.say(_("The statistics are in the table “{name}”.").format(name=table.GetName()))

    def _volumeName(self) -> str:
        volume = self.volume()
        return volume.GetName() if volume else ""

    def _chooseCsv(self) -> None:
        name = f"{self.panel.parameters.result.GetName()}.csv"
        path = qt.QFileDialog.getSaveFileName(
            slicer.util.mainWindow(), _("Save statistics"), name, _("Table (*.csv)"))
        path = path[0] if isinstance(path, tuple) else path  # PySide; PythonQt
        if path:
            self.writeCsv(path)

    def writeCsv(self, path: str) -> None:
        from MetaUNETRSegmentLib import statistics

        try:
            statistics.writeCsv(self.rows, path, self._volumeName())
        except OSError as error:
            self.panel.say(_("{path} cannot be written: {reason}. Choose another folder.").format(
                path=path, reason=error.strerror))
        else:
            self.panel.say(_("The statistics are in {path}.").format(path=path))

    def exportDicom(self) -> None:
        """Slicer's own export dialog with the result selected; it offers DICOM SEG."""
        hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
        item = hierarchy.GetItemByDataNode(self.panel.parameters.result)
        dialog = slicer.qSlicerDICOMExportDialog(None)
        dialog.setMRMLScene(slicer.mrmlScene)
        dialog.execDialog(item)


def doubtful(row) -> bool:
    """Whether somebody should look at the organ; being cut off is no reason."""
    return bool(set(row.flags) - {CUT_OFF})
