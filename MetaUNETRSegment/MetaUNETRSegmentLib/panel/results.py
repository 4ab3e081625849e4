"""The results: table, views, editing, statistics, export."""

import html
import json

import qt
import slicer
from slicer.i18n import tr as _

from metaunetr.result import CUT_OFF
from MetaUNETRSegmentLib import colortable, ownership, views

from .choices import swatch
from .run import NOTICE_STYLE, WARNING
from .tables import fit, header, known, number

ORGAN, VOLUME, HU, CONFIDENCE, FLAGS = range(5)


class ResultsPanel:
    """Shows the segmentation that is the parameter `result`."""

    def __init__(self, panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self.rows = []
        self.shown = None
        ui, table = self.ui, self.ui.resultsTable
        header(table, (
            (_("Organ"), _("Click an organ to jump to its centre in the slice views.")),
            (_("mL"), _("Volume in millilitres.")),
            (_("HU"), _("Mean CT number inside the organ; its tooltip has the deviation.")),
            (_("Confidence"), _("The expected Dice if the model is calibrated, else the mean "
                                "probability over the organ's voxels.")),
            (_("Flags"), _("What looks wrong and should be looked at; ↻ was "
                         "segmented again in a region, ✎ is edited by hand.")),
        ))
        table.cellClicked.connect(self._jump)
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
        if volume := self.volume():
            views.windowSoftTissue(volume)
        views.jumpTo(node)
        scrollTo(self.ui.resultsCollapsible)

    def enter(self) -> None:
        self.update()  # segments may have been edited in another module
        self.ui.resultsCollapsible.collapsed = self.shown is None

    def refresh(self) -> None:
        if self.panel.parameters.result is not self.shown:
            self.update()

    def update(self) -> None:
        """Measures the segments again and fills the table."""
        parameters = self.panel.parameters
        node = self.shown = parameters.result
        self.rows = self._measure(node) if node else []
        self._fill()
        self.ui.show3DButton.setSegmentationNode(node)
        if node and ownership.ofModule(node):
            colortable.preset(node)
        self.ui.exportWidget.setSegmentationNode(node)
        self._allow(node)
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
        table.rowCount = len(self.rows)
        for index, row in enumerate(self.rows):
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
            remarks = [*row.flags, *([_("segmented again in a region")] if row.corrected else []),
                       *([_("edited since")] if row.edited else [])]
            doubtful = bool(set(row.flags) - {CUT_OFF})
            flag = qt.QTableWidgetItem(" ".join(
                ["⚠"] * doubtful + ["↻"] * row.corrected + ["✎"] * row.edited))
            flag.setTextAlignment(qt.Qt.AlignCenter)
            flag.setToolTip("\n".join(remarks))
            table.setItem(index, FLAGS, flag)
        fit(table)
        flagged = {}  # organs of which the same is said share a line
        for row in self.rows:
            if row.flags:
                flagged.setdefault("; ".join(row.flags), []).append(row.name)
        sentences = [f"<b>{html.escape(', '.join(names))}</b>: {html.escape(flags)}"
                     for flags, names in flagged.items()]
        self.ui.flagsLabel.styleSheet = NOTICE_STYLE.format(WARNING)
        self.ui.flagsLabel.text = "<br>".join(sentences)
        self.ui.flagsLabel.visible = bool(sentences)

    def _allow(self, node) -> None:
        ui = self.ui
        nothing = "" if node else _("There is no result yet: press Segment, or choose one above.")
        dicom = nothing
        if not nothing and not hasattr(slicer, "qSlicerDICOMExportDialog"):
            dicom = _("This Slicer was built without DICOM.")
        for control, reason in (
            (ui.show3DButton, nothing), (ui.editButton, nothing), (ui.tableButton, nothing),
            (ui.csvButton, nothing), (ui.dicomButton, dicom),
        ):
            self.panel.allow(control, reason)

    def _jump(self, row) -> None:
        node = self.panel.parameters.result
        if node is None or not 0 <= row < len(self.rows):
            return
        views.jumpTo(node, self.rows[row].segmentId)

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

        table = statistics.toTable(self.rows)
        layouts, logic = slicer.app.layoutManager(), slicer.app.applicationLogic()
        layouts.setLayout(slicer.modules.tables.logic().GetLayoutWithTable(layouts.layout))
        logic.GetSelectionNode().SetActiveTableID(table.GetID())
        logic.PropagateTableSelection()
        self.panel.say(_("The statistics are in the table “{name}”.").format(name=table.GetName()))

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
            statistics.writeCsv(self.rows, path)
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


def scrollTo(widget) -> None:
    """Scrolls the module panel until a widget is visible."""
    area = widget.parentWidget()
    while area is not None and not hasattr(area, "ensureWidgetVisible"):
        area = area.parentWidget()
    if area is not None:
        qt.QTimer.singleShot(0, lambda: area.ensureWidgetVisible(widget))  # once it is laid out
