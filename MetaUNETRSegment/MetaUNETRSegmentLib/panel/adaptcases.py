"""The list of the cases that a model can learn from."""

import os
from dataclasses import dataclass

import qt
from slicer.i18n import tr as _

from MetaUNETRSegmentLib import corrections, views

from . import labels
from .remember import forget, sizeText
from .tables import fit, header

CASE, ORGANS = range(2)
PICTURE, WIDEST = (96, 44), 250  # pixels; the latter of the column Case


@dataclass
class Row:
    """A candidate.

    Attributes:
        path: the argument of `adapt`; "" for a segmentation of the scene that is not remembered.
        picture: a file, or the bytes of one.
        node, correction: the segmentation of the scene, or what is remembered.
    """

    name: str
    organs: tuple
    path: str = ""
    picture: object = None
    node: object = None
    correction: object = None
    tip: str = ""
    ticked: bool = False


class CaseList:
    """Corrected segmentations of the scene, remembered corrections, edited results of a batch.

    A segmentation of the scene is remembered when it is ticked.

    Args:
        changed: called without arguments when other cases are ticked, or the list is another.
        say: called with what happens.
    """

    def __init__(self, panel, changed, say) -> None:
        self.panel, self.ui, self.changed, self.say = panel, panel.ui, changed, say
        self.rows, self.batch, self.unticked = [], [], set()
        self.filling = False
        table = self.ui.adaptTable
        header(table, (
            (_("Case"), _("Tick the cases to learn from. One of the scene is remembered when you "
                          "tick it.")),
            (_("Corrected organs"), _("What is not corrected stays as the model knows it.")),
        ), widest=ORGANS)
        table.horizontalHeader().setSectionResizeMode(CASE, qt.QHeaderView.Interactive)
        table.iconSize = qt.QSize(*PICTURE)
        table.itemChanged.connect(self._clicked)
        table.currentCellChanged.connect(lambda *cells: self.allow())
        self.ui.adaptForgetButton.clicked.connect(self._forget)

    def update(self) -> None:
        """Lists the candidates again."""
        known = corrections.remembered()
        new = [_ofScene(*pair) for pair in corrections.inScene()
               if not corrections.isRemembered(*pair)]
        self.rows = [*new, *map(_ofRemembered, known), *self.batch]
        for row in self.rows:
            row.ticked = bool(row.path) and row.path not in self.unticked
        self._fill()
        where = _("{count} remembered, {size}, in {folder}").format(
            count=len(known), size=sizeText(sum(item.size for item in known)),
            folder=corrections.folder())
        labels.show(self.ui.adaptFolderLabel, where if known else "")
        self.changed()

    def showBatch(self, cases: list) -> None:
        """Adds edited results of a batch, as the event `cases` of `adapt` lists them."""
        self.batch = [_ofBatch(case) for case in cases]
        self.update()

    def paths(self) -> list:
        """The ticked cases, as arguments of `adapt`."""
        return [row.path for row in self.rows if row.ticked]

    def ofBatch(self) -> bool:
        """Whether a result of the batch is ticked."""
        return any(row.ticked and not row.correction for row in self.rows)

    def allow(self) -> None:
        index = self.ui.adaptTable.currentRow()
        chosen = 0 <= index < len(self.rows) and self.rows[index].correction
        self.panel.allow(self.ui.adaptForgetButton,
                         "" if chosen else _("Select a remembered case in the list."))

    def _fill(self) -> None:
        table = self.ui.adaptTable
        self.filling = True
        table.rowCount = len(self.rows)
        for index, row in enumerate(self.rows):
            case = qt.QTableWidgetItem(row.name)
            case.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable | qt.Qt.ItemIsUserCheckable)
            case.setCheckState(qt.Qt.Checked if row.ticked else qt.Qt.Unchecked)
            case.setIcon(icon(row.picture))
            table.setItem(index, CASE, case)
            table.setItem(index, ORGANS, qt.QTableWidgetItem(", ".join(row.organs)))
            for column in range(table.columnCount):
                table.item(index, column).setToolTip(row.tip)
            table.setRowHeight(index, PICTURE[1] + 6)
        self.filling = False
        table.resizeColumnToContents(CASE)
        table.setColumnWidth(CASE, min(WIDEST, table.columnWidth(CASE)))
        self.panel.layOut()
        fit(table)

    def _clicked(self, item) -> None:
        if self.filling or item.column() != CASE:
            return
        row, ticked = self.rows[item.row()], item.checkState() == qt.Qt.Checked
        if row.node is None:
            row.ticked = ticked
            (self.unticked.discard if ticked else self.unticked.add)(row.path)
            self.changed()
            return
        if ticked and self.panel.install.ensure(self.say):
            self.panel.results.remember.remember(row.node, self.say)
        self._fill()  # ticked once it is remembered

    def _forget(self) -> None:
        self.say(forget(self.panel, self.rows[self.ui.adaptTable.currentRow()].correction))


def _ofScene(node, corrected) -> Row:
    tip = _("{name}. Tick it to remember it: CT and corrected organs are copied to {folder}."
            ).format(name=node.GetName(), folder=corrections.folder())
    return Row(_("{name} (scene)").format(name=views.volumeOf(node).GetName()),
               tuple(organ.name for organ in corrected), node=node, tip=tip,
               picture=corrections.picture(node, corrected))


def _ofRemembered(item) -> Row:
    tip = _("{size} in {folder}; results of {model}").format(
        size=sizeText(item.size), folder=item.folder, model=item.model or _("no model"))
    return Row(item.date, item.organs, str(item.folder), item.picture, correction=item, tip=tip)


def _ofBatch(case: dict) -> Row:
    path = case["labels"]
    base = path.removesuffix(".seg.nrrd")
    return Row(_("{name} (batch)").format(name=os.path.basename(base)), tuple(case["organs"]),
               path, base + ".png", tip=path)


def icon(picture):
    """From a file or the bytes of one; an empty icon without a picture."""
    pixmap = qt.QPixmap()
    if isinstance(picture, bytes):
        pixmap.loadFromData(qt.QByteArray(picture))
    elif picture is not None:
        pixmap.load(str(picture))
    return qt.QIcon(pixmap)
