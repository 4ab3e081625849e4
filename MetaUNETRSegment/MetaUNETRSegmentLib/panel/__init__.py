"""The panel: one concept per file, assembled here.

    run, progress       the run that is going on, its button, bar and sentences
    choices, labels, tables     combo boxes and checklists, labels that wrap, tables
    input, models       what is segmented, with which model
    segment, estimate   the one button, and what it will take
    screen              panel and views show the same volume and its result
    results             the organs that were found
    correct, roi        some organs again inside a region
    compare, batch      two segmentations; many volumes
    adapt, adaptcases, adaptmodels    a model learns from corrections; which; the results
    remember            remembers the corrections of the result
    log                 what happened
    firstuse            what to do first, and the link to the documentation
"""

import qt
from slicer.i18n import tr as _

from MetaUNETRSegmentLib.install import InstallPanel

from . import labels
from .adapt import AdaptPanel
from .batch import BatchPanel
from .compare import ComparePanel
from .correct import CorrectPanel
from .firstuse import FirstUse
from .input import InputPanel
from .log import LogPanel
from .results import ResultsPanel
from .run import Runner
from .screen import Screen
from .segment import SegmentPanel

LAY_OUT_MS, LAY_OUT_ROUNDS = 50, 20


class Panel:
    """Shared by all parts of the panel.

    Args:
        ui: the widgets of the .ui file, by their names.
        logic: MetaUNETRSegmentLogic.

    Attributes:
        parameters: those of the scene; None while there is no scene.
    """

    def __init__(self, ui, logic) -> None:
        self.ui, self.logic = ui, logic
        self.parameters = None
        self.tips = {}
        self.refreshing = False
        self.pages = (ui.segmentPage, ui.correctPage, ui.comparePage, ui.batchPage, ui.adaptPage)
        self.layingOut = qt.QTimer()
        self.layingOut.interval = LAY_OUT_MS
        self.layingOut.timeout.connect(self._layOut)
        self.heights = labels.Heights(
            [each for each in vars(ui).values() if isinstance(each, qt.QLabel) and each.wordWrap])
        self.log = LogPanel(ui)
        self.firstUse = FirstUse(ui)
        self.runner = Runner(self.log, self.refresh)
        self.install = InstallPanel(ui, self.log.write, self._installed)
        self.input = InputPanel(self)
        self.screen = Screen(self)
        self.segment = SegmentPanel(self)
        self.results = ResultsPanel(self)
        self.correct = CorrectPanel(self)
        self.compare = ComparePanel(self)
        self.batch = BatchPanel(self)
        self.adapt = AdaptPanel(self)
        ui.tabs.currentChanged.connect(self._fitTabs)
        self._fitTabs()

    def current(self):
        return self.parameters

    def setParameters(self, parameters, isEntered: bool = True) -> None:
        """Takes those of a scene, or None.

        Args:
            isEntered: whether this module is the one that is open.
        """
        self.parameters = parameters
        if parameters is None:
            self.segment.close()
            self.screen.close()
            return
        self.install.enter()
        self.input.enter()
        if isEntered:
            self.screen.enter()
        self.results.enter()
        self.adapt.enter()
        self.refresh()

    def refresh(self) -> None:
        """Updates all parts from the parameters."""
        if self.parameters is None or self.refreshing:
            return
        self.refreshing = True  # parts may set parameters, which calls us
        try:
            for part in (self.screen, self.input, self.segment, self.results, self.correct,
                         self.compare, self.batch, self.adapt):
                part.refresh()
        finally:
            self.refreshing = False

    def leave(self) -> None:
        """Another module is opened."""
        self.screen.close()

    def sceneClosing(self) -> None:
        self.clearStrips()
        self.compare.clear()
        self.runner.cancel(_("Stopped: the scene was closed."))
        self.setParameters(None)

    def close(self) -> None:
        """The panel is closed: stops the run."""
        self.runner.cancel()
        self.adapt.close()
        self.results.remember.close()
        self.segment.close()
        self.screen.close()
        self.layingOut.stop()
        self.parameters = None

    def clearStrips(self) -> None:
        """Removes what is said about runs that have ended."""
        for part in (self.segment, self.correct, self.compare, self.batch):
            if part.strip is not self.runner.strip:
                part.strip.clear()

    def press(self, strip, run, cancelled: str = "") -> None:
        """Cancels a run, or starts one once everything is installed."""
        if self.runner.running:
            self.runner.cancel(cancelled)
        elif self.install.ensure(strip.fail):
            run()

    def _installed(self) -> None:
        """Also removes what was said when packages were missing."""
        self.clearStrips()
        self.segment.strip.end(_("Everything is installed."))
        self.refresh()

    def allowRun(self, strip, reason: str) -> None:
        """Enables a button that starts runs, or gives the reason; Cancel is always enabled."""
        if self.runner.strip is strip:
            return
        if self.runner.running:
            reason = _("Another run is going on: wait until it is done, or cancel it.")
        strip.allow(reason)

    def allow(self, control, reason: str) -> None:
        """Enables a control, or gives the reason in its tooltip."""
        tip = self.tips.setdefault(control.objectName, control.toolTip)
        control.enabled = not reason
        control.toolTip = reason or tip

    def say(self, sentence: str) -> None:
        """A remark below the results."""
        labels.show(self.ui.resultsStatus, sentence)

    def layOut(self) -> None:
        """Call it before the tabs change their height: they are painted when it is done.

        Slicer's module panel takes some rounds of the event loop; widgets overlap meanwhile.
        """
        self.ui.tabs.updatesEnabled, self.rounds = False, 0
        self.layingOut.start()

    def _layOut(self) -> None:
        """Paints the tabs once the page that is shown is as high as it must be."""
        self.rounds += 1
        page = self.pages[self.ui.tabs.currentIndex]
        if page.height >= page.minimumSizeHint.height() or self.rounds == LAY_OUT_ROUNDS:
            self.layingOut.stop()
            self.ui.tabs.updatesEnabled = True

    def _fitTabs(self) -> None:
        """Makes the tabs as high as the one that is shown, not as the highest."""
        self.layOut()
        for index, page in enumerate(self.pages):
            page.visible = index == self.ui.tabs.currentIndex
