"""The tab Compare: scores of two segmentations, and their differences."""

import qt
from slicer.i18n import tr as _

from .run import Strip, tookText
from .tables import fit, header, number

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
        ui.differenceButton.clicked.connect(self.showDifference)

    def refresh(self) -> None:
        reason = self.reason()
        self.panel.allowRun(self.strip, reason)
        self.panel.allow(self.panel.ui.differenceButton, reason)

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
        self.show(job.result)
        return tookText(job.seconds)

    def show(self, rows: list) -> None:
        table = self.panel.ui.compareTable
        table.rowCount = len(rows)
        for index, row in enumerate(rows):
            organ = qt.QTableWidgetItem(row["organ"])
            organ.setToolTip(row["note"] or _("{a} mL and {b} mL").format(
                a=f"{row['volumeA']:.1f}", b=f"{row['volumeB']:.1f}"))
            table.setItem(index, 0, organ)
            inBoth = row["volumeA"] and row["volumeB"]  # else there is nothing to measure
            for column, key in enumerate(COLUMNS, 1):
                pattern = "{:.1f}" if key == "hd95" else "{:.3f}"
                table.setItem(index, column, number(row[key] if inBoth else None, pattern))
        fit(table)

    def showDifference(self) -> None:
        from MetaUNETRSegmentLib import comparison

        parameters = self.panel.parameters
        try:
            node = comparison.differenceNode(parameters.compareFirst, parameters.compareSecond)
        except (RuntimeError, ValueError) as error:
            self.strip.fail(str(error))
        else:
            self.strip.end(_("The difference is the segmentation “{name}”.").format(
                name=node.GetName()))

