"""Combo boxes and checklists whose items have a text and a stored value."""

from dataclasses import dataclass

import qt

ROW, BESIDE = 22, 64  # pixels: height of an organ's row; box, colour and margins beside its name
FLAGS_ROLE = qt.Qt.UserRole - 1  # where an item of a combo box keeps whether it can be chosen


@dataclass(frozen=True)
class Item:
    """An item; `reason` says why it cannot be chosen."""

    value: str
    label: str
    tip: str = ""
    reason: str = ""


class Choice:
    """A combo box for one text parameter.

    Args:
        parameters: () -> the parameters, or None when there is no scene.
        name: of the parameter.
    """

    def __init__(self, combo, parameters, name: str) -> None:
        self.combo, self.parameters, self.name = combo, parameters, name
        self.tip = combo.toolTip
        self.items = []
        self.updating = False
        combo.currentIndexChanged.connect(self._changed)

    def offer(self, items: list) -> None:
        if items == self.items:
            return
        self.updating = True
        self.items = items
        self.combo.clear()
        for index, item in enumerate(items):
            self.combo.addItem(item.label)
            self.combo.setItemData(index, item.reason or item.tip, qt.Qt.ToolTipRole)
            if item.reason:
                self.combo.setItemData(index, 0, FLAGS_ROLE)
        self.updating = False
        self.refresh()

    def refresh(self) -> None:
        """Shows the parameter; one that is not offered (a scene from elsewhere) is added."""
        parameters = self.parameters()
        if parameters is None or not self.items:
            return
        value = getattr(parameters, self.name)
        values = [item.value for item in self.items]
        if value not in values:
            self.offer([*self.items, Item(value, value)])
            return
        self.updating = True
        self.combo.currentIndex = values.index(value)
        self.updating = False
        item = self.items[values.index(value)]
        self.combo.toolTip = item.reason or item.tip or self.tip

    def _changed(self) -> None:
        parameters, index = self.parameters(), self.combo.currentIndex
        if not self.updating and parameters is not None and 0 <= index < len(self.items):
            setattr(parameters, self.name, self.items[index].value)
            self.refresh()


class OrganList:
    """A checklist of organs with the buttons All and None.

    Args:
        changed: called with the list of the names that are ticked, after the user's click.
    """

    def __init__(self, widget, allButton, noneButton, changed) -> None:
        self.widget, self.changed = widget, changed
        self.names, self.terminology = [], False
        self.updating = False
        widget.viewport().autoFillBackground = False
        widget.itemChanged.connect(self._ticked)
        allButton.clicked.connect(self._tickAll)
        noneButton.clicked.connect(self._tickNone)

    def offer(self, names: list, terminology: bool = False) -> None:
        """Shows these organs with their colours, in two columns."""
        if (names, terminology) == (self.names, self.terminology):
            return
        from metaunetr.organs import BY_NAME
        from MetaUNETRSegmentLib.colours import colourOf

        self.updating = True
        self.names, self.terminology = names, terminology
        self.widget.clear()
        rows = (len(names) + 1) // 2
        width = self.widget.fontMetrics().horizontalAdvance
        widths = [max(map(width, column), default=0) + BESIDE
                  for column in (names[:rows], names[rows:])]
        for index, name in enumerate(names):
            item = qt.QListWidgetItem(name)
            if name in BY_NAME:
                item.setIcon(swatch(colourOf(BY_NAME[name], terminology)))
            item.setSizeHint(qt.QSize(widths[index // rows], ROW))
            item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsUserCheckable)
            self.widget.addItem(item)
        self.widget.minimumHeight = self.widget.maximumHeight = rows * ROW + 6
        self.updating = False

    def tick(self, chosen: list) -> None:
        self.updating = True
        for row, name in enumerate(self.names):
            state = qt.Qt.Checked if name in chosen else qt.Qt.Unchecked
            self.widget.item(row).setCheckState(state)
        self.updating = False

    def ticked(self) -> list:
        return [name for row, name in enumerate(self.names)
                if self.widget.item(row).checkState() == qt.Qt.Checked]

    def _ticked(self, item) -> None:
        if not self.updating:
            self.changed(self.ticked())

    def _tickAll(self) -> None:
        self.changed(list(self.names))

    def _tickNone(self) -> None:
        self.changed([])


def swatch(colour) -> object:
    """An icon of one colour (RGB, 0 to 255)."""
    pixmap = qt.QPixmap(14, 14)
    pixmap.fill(qt.QColor(*colour))
    return qt.QIcon(pixmap)
