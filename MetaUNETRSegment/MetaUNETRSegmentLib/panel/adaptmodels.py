"""The adapted models below the tab Adapt: gain, use, rename, export, delete."""

from pathlib import Path

import qt
import slicer
import slicer.util
from slicer.i18n import tr as _

from metaunetr.bundle import user_folder
from metaunetr.errors import MetaUNETRError
from MetaUNETRSegmentLib import ownmodels

from . import models
from .tables import fit, header, number

BETTER, WORSE = "#2e9e4f", "#cd3232"


class AdaptedModels:
    """
    Args:
        say, fail: called with what happened, and with what went wrong.
    """

    def __init__(self, panel, say, fail) -> None:
        self.panel, self.ui, self.say, self.fail = panel, panel.ui, say, fail
        ui = self.ui
        header(ui.gainTable, (
            (_("Organ"), ""), (_("n"), _("Number of held-out CTs.")),
            (_("Dice"), _("Before → after.")), (_("NSD"), _("At 2 mm, before → after.")),
        ))
        ui.adaptModelCombo.currentIndexChanged.connect(lambda *index: self._showModel())
        ui.adaptUseButton.clicked.connect(self.use)
        ui.adaptRenameButton.clicked.connect(self._rename)
        ui.adaptExportButton.clicked.connect(self._export)
        ui.adaptDeleteButton.clicked.connect(self._delete)

    @property
    def name(self) -> str:
        """The model that is shown; "" without any."""
        return self.ui.adaptModelCombo.currentText

    def update(self, name: str = "") -> None:
        """Lists the models and shows one."""
        combo, names = self.ui.adaptModelCombo, ownmodels.adapted()
        name = name or self.name
        combo.clear()
        for each in names:
            combo.addItem(each)
        if name in names:
            combo.currentIndex = names.index(name)
        self.ui.adaptModels.visible = bool(names)
        self._showModel()

    def showGain(self, gains: list) -> None:
        """Shows the scores before and after."""
        table = self.ui.gainTable
        table.rowCount = len(gains)
        for index, gain in enumerate(gains):
            table.setItem(index, 0, qt.QTableWidgetItem(gain.organ or _("mean of organs")))
            table.setItem(index, 1, number(gain.n, "{}"))
            for column, (before, after) in ((2, gain.dice), (3, gain.nsd)):
                cell = number(after, f"{before:.3f} → {{:.3f}}")
                if round(after, 3) != round(before, 3):
                    colour = BETTER if after > before else WORSE
                    cell.setForeground(qt.QBrush(qt.QColor(colour)))
                table.setItem(index, column, cell)
        self.panel.layOut()
        fit(table)

    def _showModel(self) -> None:
        model = models.find(self.name) if self.name else None
        self.ui.adaptModelCombo.toolTip = models.describe(model) if model else ""
        self.showGain(ownmodels.gains(model.card) if model else [])

    def use(self) -> None:
        """Chooses the model for segmentation."""
        self.panel.input.enter()
        self.panel.parameters.model = self.name
        self.ui.tabs.currentIndex = 0

    def _rename(self) -> None:
        new = qt.QInputDialog.getText(slicer.util.mainWindow(), _("Rename model"),
                                      _("New name:"), qt.QLineEdit.Normal, self.name)
        new = new[0] if isinstance(new, tuple) else new  # PySide; PythonQt
        if new and new != self.name:
            self.rename(new)

    def rename(self, new: str) -> None:
        old = self.name
        if self._do(lambda: ownmodels.rename(old, new)):
            self._changed(old, new)

    def _export(self) -> None:
        folder = qt.QFileDialog.getExistingDirectory(
            slicer.util.mainWindow(), _("Folder for the model"))
        if folder:
            self.export(folder)

    def export(self, folder: str) -> None:
        name = self.name
        if self._do(lambda: ownmodels.export(name, Path(folder))):
            self.say(_("The model is in {path}. Somebody who puts this folder into {models} can "
                       "choose it.").format(path=Path(folder) / name, models=user_folder()))

    def _delete(self) -> None:
        if slicer.util.confirmOkCancelDisplay(
                _("Delete the model {name}?").format(name=self.name), _("MetaUNETR")):
            self.delete()

    def delete(self) -> None:
        name = self.name
        if self._do(lambda: ownmodels.delete(name)):
            self._changed(name, "")

    def _changed(self, old: str, new: str) -> None:
        """A model has another name, or none any more."""
        if self.panel.parameters.model == old:
            self.panel.parameters.model = new
        self.panel.input.enter()
        self.update(new)
        self.panel.refresh()

    def _do(self, action) -> bool:
        """Whether it succeeded."""
        try:
            action()
        except (OSError, ValueError, MetaUNETRError) as error:
            self.fail(str(error))
            return False
        self.say("")
        return True
