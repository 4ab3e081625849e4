"""The effect "MetaUNETR" of Segment Editor: a click segments the selected organ there.

In a folder of its own, because Slicer loads the file as a module with the name of the folder.
"""

from pathlib import Path

import qt
import slicer
import vtk
from SegmentEditorEffects import AbstractScriptedSegmentEditorEffect
from slicer.i18n import tr as _

SIZE = "Size"  # parameter: edge of the cube in mm
DEFAULT_MM = 150
ICON = Path(__file__).resolve().parents[1] / "Resources" / "Icons" / "MetaUNETRSegment.png"


class SegmentEditorEffect(AbstractScriptedSegmentEditorEffect):
    def __init__(self, scriptedEffect):
        scriptedEffect.name = "MetaUNETR"  # not translated: modules find effects by it
        scriptedEffect.title = _("MetaUNETR")
        scriptedEffect.perSegment = True
        AbstractScriptedSegmentEditorEffect.__init__(self, scriptedEffect)
        self.job = None

    def clone(self):
        import qSlicerSegmentationsEditorEffectsPythonQt as effects

        effect = effects.qSlicerSegmentEditorScriptedEffect(None)
        effect.setPythonSource(Path(__file__).as_posix())
        return effect

    def icon(self):
        return qt.QIcon(str(ICON))

    def helpText(self):
        return _("Click an organ in a slice view: MetaUNETR segments the organ that the selected "
                 "segment means (by its terminology or name) again in a cube around that point. "
                 "Other segments and the rest of this one stay. Research use only.")

    def setupOptionsFrame(self):
        self.size = qt.QSpinBox()
        self.size.minimum, self.size.maximum, self.size.singleStep = 20, 500, 10
        self.size.suffix = " mm"
        self.size.toolTip = _("Edge of the cube in mm. Default: {default} mm.").format(
            default=DEFAULT_MM)
        self.size.valueChanged.connect(self.updateMRMLFromGUI)
        self.scriptedEffect.addLabeledOptionsWidget(_("Size:"), self.size)
        self.status = qt.QLabel()
        self.status.wordWrap = True
        self.scriptedEffect.addOptionsWidget(self.status)
        self.cancelButton = qt.QPushButton(_("Cancel"))
        self.cancelButton.toolTip = _("Stop the run. The segment stays as it was.")
        self.cancelButton.visible = False
        self.cancelButton.clicked.connect(self.cancel)
        self.scriptedEffect.addOptionsWidget(self.cancelButton)

    def createCursor(self, widget):
        return slicer.util.mainWindow().cursor

    def setMRMLDefaults(self):
        self.scriptedEffect.setParameterDefault(SIZE, DEFAULT_MM)

    def updateGUIFromMRML(self):
        self.size.value = self.scriptedEffect.integerParameter(SIZE)

    def updateMRMLFromGUI(self):
        self.scriptedEffect.setParameter(SIZE, self.size.value)

    def deactivate(self):
        self.cancel()

    def cleanup(self):
        self.cancel()

    def processInteractionEvents(self, callerInteractor, eventId, viewWidget):
        keys = (callerInteractor.GetShiftKey, callerInteractor.GetControlKey,
                callerInteractor.GetAltKey)
        if (eventId != vtk.vtkCommand.LeftButtonPressEvent or any(key() for key in keys)
                or viewWidget.className() != "qMRMLSliceWidget"):
            return False
        if self.scriptedEffect.confirmCurrentSegmentVisible() == self.scriptedEffect.NotConfirmed:
            return True
        self.segmentAt(self.xyToRas(callerInteractor.GetEventPosition(), viewWidget))
        return True

    def segmentAt(self, centre) -> None:
        """Starts a run around a point (RAS, mm), unless one is going on."""
        from MetaUNETRSegment import MetaUNETRSegmentLogic
        from MetaUNETRSegmentLib import dependencies
        from MetaUNETRSegmentLib.parameters import optionsOf

        if self.job is not None:
            return
        if dependencies.missing():
            self._say(_("Open the module MetaUNETR Segment first and press Segment: it "
                        "installs what is missing."))
            return
        editor = self.scriptedEffect.parameterSetNode()
        segmentation, segmentId = editor.GetSegmentationNode(), editor.GetSelectedSegmentID()
        if segmentation is None or not segmentId:
            self._say(_("Select a segment first."))
            return

        def fill(cube, organ):
            effect = slicer.qSlicerSegmentEditorAbstractEffect
            self.scriptedEffect.saveStateForUndo()
            for image, mode in ((cube, effect.ModificationModeRemove),
                                (organ, effect.ModificationModeAdd)):
                self.scriptedEffect.modifySegmentByLabelmap(segmentation, segmentId, image, mode)

        logic = MetaUNETRSegmentLogic()
        try:
            self.job = logic.segmentHere(
                editor.GetSourceVolumeNode(), segmentation, segmentId, centre,
                self.scriptedEffect.integerParameter(SIZE), fill, wait=False, progress=self._take,
                **optionsOf(logic.getParameterNode()))
        except RuntimeError as error:
            self._say(str(error))
        self.cancelButton.visible = self.job is not None

    def cancel(self) -> None:
        if self.job is not None:
            self.job.cancel(_("Cancelled. The segment is as it was before."))

    def _take(self, event) -> None:
        from MetaUNETRSegmentLib.panel.progress import Progress

        kind = event["event"]
        if kind in ("finished", "failed", "cancelled"):
            self.job = self.progress = None
            self.cancelButton.visible = False
            self._say(event.get("text") or _("Done. Undo brings the segment back as it was."))
            return
        if getattr(self, "progress", None) is None:
            self.progress = Progress()
        if self.progress.take(event):
            self._say(self.progress.text())

    def _say(self, text: str) -> None:
        """Below the options and, since they may be out of sight, in the window's status bar."""
        self.status.text = text
        slicer.util.showStatusMessage(text)
