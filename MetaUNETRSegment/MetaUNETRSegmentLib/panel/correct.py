"""The tab Correct: segments some organs again, everywhere or inside a region."""

from slicer.i18n import tr as _

from MetaUNETRSegmentLib import views
from MetaUNETRSegmentLib.statistics import showsOtherFrame

from .choices import OrganList
from .roi import aroundSegments, inVolume
from .run import Strip, scrollTo, tookText


class CorrectPanel:
    def __init__(self, panel) -> None:
        self.panel, ui = panel, panel.ui
        self.region = None  # that was chosen last
        self.strip = Strip(ui, "correct")
        self.organs = OrganList(
            ui.correctOrganList, ui.allCorrectButton, ui.noCorrectButton, self._chose)
        ui.correctButton.clicked.connect(self._clicked)
        ui.undoButton.clicked.connect(self.undo)
        ui.correctRoiSelector.nodeAddedByUserAction.connect(self._place)
        ui.roiSelector.nodeAddedByUserAction.connect(self._placeInVolume)
        ui.tabs.currentChanged.connect(self._showRegion)

    def refresh(self) -> None:
        self.organs.offer(
            self.panel.input.organs.names, self.panel.parameters.terminologyColours)
        self.organs.tick(self.panel.parameters.correctOrgans)
        self.panel.allowRun(self.strip, self.reason())
        self.panel.allow(self.panel.ui.undoButton, self._undoReason())
        if self.panel.parameters.correctRoi is not self.region:
            self._showRegion(self.panel.ui.tabs.currentIndex)

    def volume(self):
        """The volume that the segmentation belongs to; else the chosen one, if it may be that."""
        node, chosen = self.panel.parameters.correctSegmentation, self.panel.parameters.inputVolume
        own = node and views.volumeOf(node)
        return own or (chosen if node is None or views.mayBelongTo(node, chosen) else None)

    def reason(self) -> str:
        parameters = self.panel.parameters
        if parameters.correctSegmentation is None:
            return _("Choose the segmentation to correct.")
        if self.volume() is None:
            return _("Its volume is not in the scene: load it, and choose it under Segment.")
        if showsOtherFrame(parameters.correctSegmentation, self.volume()):
            return _("Its volume shows another frame of a sequence: go to the one that was "
                     "segmented.")
        if not self.organs.ticked():
            return _("Tick the organs to segment again.")
        return ""

    def _clicked(self) -> None:
        self.panel.press(self.strip, self.run)

    def run(self) -> None:
        parameters = self.panel.parameters
        options = self.panel.input.options()
        options["organs"] = self.organs.ticked()
        self.panel.segment.estimate.stop()

        def makeJob(progress):
            return self.panel.logic.correct(
                self.volume(), parameters.correctSegmentation, roiNode=parameters.correctRoi,
                wait=False, progress=progress, **options)

        self.panel.runner.start(self.strip, makeJob, self._finished)

    def _finished(self, job) -> str:
        self._show(job.result)
        changes = changesText(self.panel.logic.correction.millilitres)
        return f"{tookText(job.seconds)} {changes}"

    def undo(self) -> None:
        """Brings back what the last correction has replaced."""
        correction, self.panel.logic.correction = self.panel.logic.correction, None
        try:
            correction.undo()
        except (RuntimeError, ValueError) as error:
            self.strip.fail(str(error))
        else:
            self.strip.clear()
            self.strip.end(_("The correction was undone."))
            self._show(correction.node)
        self.panel.refresh()

    def _undoReason(self) -> str:
        correction = self.panel.logic.correction
        if correction is None or correction.node.GetScene() is None:
            return _("There is no correction to undo.")
        if self.panel.runner.running:
            return _("Wait until the run is done.")
        return ""

    def _show(self, node) -> None:
        self.panel.parameters.result = node
        self.panel.results.update()
        scrollTo(self.panel.ui.correctStatus)

    def _chose(self, names: list) -> None:
        self.panel.parameters.correctOrgans = names

    def _place(self, roi) -> None:
        """A new region begins around the ticked organs, for the user to drag."""
        node = self.panel.parameters.correctSegmentation
        if not (node and aroundSegments(roi, node, self.organs.ticked())) and self.volume():
            inVolume(roi, self.volume())

    def _showRegion(self, tab: int) -> None:
        """In other tabs the region is hidden, unless that of Segment is the same."""
        parameters, ui = self.panel.parameters, self.panel.ui
        if parameters is None:
            return
        before, self.region = self.region, parameters.correctRoi
        for roi in filter(None, (before, self.region)):
            if roi.GetScene() and roi.GetDisplayNode() and roi is not parameters.roi:
                roi.GetDisplayNode().SetVisibility(
                    roi is self.region and tab == ui.tabs.indexOf(ui.correctTab))

    def _placeInVolume(self, roi) -> None:
        if self.panel.parameters.inputVolume:
            inVolume(roi, self.panel.parameters.inputVolume)


def changesText(millilitres: dict) -> str:
    """Such as "left kidney: 150.2 → 171.3 mL." of each organ."""
    changes = (_("{organ}: {before} → {after} mL").format(
        organ=organ, before=f"{before:.1f}", after=f"{after:.1f}")
        for organ, (before, after) in millilitres.items())
    return "; ".join(changes) + "." if millilitres else _("Nothing was found.")
