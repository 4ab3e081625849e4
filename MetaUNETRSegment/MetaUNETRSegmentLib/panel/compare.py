"""The tab Compare: scores of two segmentations, and their differences."""

import html
import statistics

import qt
from slicer.i18n import tr as _

from MetaUNETRSegmentLib import views

from .run import Strip, tookText
from .tables import fit, header, known, number

COLUMNS = ("dice", "nsd", "hd95")


class ComparePanel:
    def __init__(self, panel) -> None:
        self.panel, ui = panel, panel.ui
        self.strip = Strip(ui, "compare")
        header(ui.compareTable, (
            (_("Organ"), _("Organs of both segmentations, found by their names.")),
            (_("Dice"), _("Overlap: 1 is identical, 0 is apart.")),
            (_("NSD 2 mm"), _("Share of the two surfaces that lie within 2 mm of each other.")),
            (_("HD95 mm"), _("Distance (mm) within which 95 % of the surfaces lie.")),
        ))
        ui.compareButton.clicked.connect(self._clicked)
        ui.differenceButton.clicked.connect(self._toggleDifference)
        self.difference, self.hidden = None, []  # what is shown, and what is hidden meanwhile
        self.pair = None, None  # what the scores are of

    def refresh(self) -> None:
        parameters, reason = self.panel.parameters, self.reason()
        pair = parameters.compareFirst, parameters.compareSecond
        if pair != self.pair and self.panel.runner.strip is not self.strip:
            self.clear()
            self.pair = pair
        self.panel.allowRun(self.strip, reason)
        shown = self._shown()
        self.panel.allow(self.panel.ui.differenceButton, "" if shown else reason)
        self.panel.ui.differenceButton.text = (
            _("Hide differences") if shown else _("Show differences"))
        self.panel.ui.differenceLegend.visible = shown

    def clear(self) -> None:
        """Removes scores and sentences about the pair."""
        self.pair = None, None
        self.strip.clear()
        if self.panel.ui.compareTable.rowCount:
            self.show([])

    def reason(self) -> str:
        parameters = self.panel.parameters
        if parameters.compareFirst is None or parameters.compareSecond is None:
            return _("Choose two segmentations.")
        if parameters.compareFirst is parameters.compareSecond:
            return _("Choose two different segmentations.")
        return ""

    def _clicked(self) -> None:
        self.panel.press(self.strip, self.run)

    def run(self) -> None:
        parameters = self.panel.parameters

        def makeJob(progress):
            return self.panel.logic.compare(
                parameters.compareFirst, parameters.compareSecond, wait=False, progress=progress)

        self.panel.runner.start(self.strip, makeJob, self._finished)

    def _finished(self, job) -> str:
        parameters = self.panel.parameters  # others may have been chosen during the run
        parameters.compareFirst, parameters.compareSecond = self.pair
        self.show(job.result)
        return tookText(job.seconds)

    def show(self, rows: list) -> None:
        """A line for each organ, and the mean of those that both segmentations have."""
        table = self.panel.ui.compareTable
        self.panel.layOut()
        both = [row for row in rows if row["volumeA"] and row["volumeB"]]
        table.rowCount = len(rows) + bool(both)
        for index, row in enumerate(rows):
            self._fill(index, row["organ"], row if row in both else {}, row["note"] or _(
                "{a} mL and {b} mL").format(a=f"{row['volumeA']:.1f}", b=f"{row['volumeB']:.1f}"))
        if both:
            means = {key: statistics.fmean(row[key] for row in both) for key in COLUMNS
                     if all(known(row[key]) for row in both)}
            self._fill(len(rows), _("mean of {count}").format(count=len(both)), means,
                       _("Of the organs that both segmentations have."))
        fit(table)

    def _fill(self, index: int, name: str, values: dict, tip: str) -> None:
        table, organ = self.panel.ui.compareTable, qt.QTableWidgetItem(name)
        organ.setToolTip(tip)
        table.setItem(index, 0, organ)
        for column, key in enumerate(COLUMNS, 1):
            pattern = "{:.1f}" if key == "hd95" else "{:.3f}"
            table.setItem(index, column, number(values.get(key), pattern))

    def _toggleDifference(self) -> None:
        if self._shown():
            self._hideDifference()
        else:
            self.showDifference()
        self.panel.refresh()

    def _shown(self) -> bool:
        """Whether the differences are shown now: they may have been hidden or removed since."""
        return bool(self.difference and self.difference.GetScene()
                    and self.difference.GetDisplayNode().GetVisibility())

    def showDifference(self) -> None:
        """Shows where the two differ, and hides both meanwhile."""
        from MetaUNETRSegmentLib import comparison

        parameters = self.panel.parameters
        pair = parameters.compareFirst, parameters.compareSecond
        try:
            self.difference = comparison.differenceNode(*pair)
        except (RuntimeError, ValueError) as error:
            self.strip.fail(str(error))
            return
        self.hidden = [node for node in pair
                       if node.GetDisplayNode() and node.GetDisplayNode().GetVisibility()]
        views.showOnly(self.difference)
        for node in self.hidden:
            node.GetDisplayNode().SetVisibility(False)
        self.panel.ui.differenceLegend.text = " &nbsp; ".join(
            f'<span style="color: rgb({",".join(str(round(255 * part)) for part in colour)})">■'
            f"</span> {html.escape(_('only in {name}').format(name=node.GetName()))}"
            for colour, node in zip(comparison.COLOURS, pair, strict=True))
        self.strip.end(_("The difference is the segmentation “{name}”.").format(
            name=self.difference.GetName()))

    def _hideDifference(self) -> None:
        self.difference.GetDisplayNode().SetVisibility(False)
        for node in self.hidden:
            if node.GetScene():
                node.GetDisplayNode().SetVisibility(True)
