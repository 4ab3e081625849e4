"""Cells and heights of the panel's tables."""

import math
from contextlib import suppress

import qt


def known(value) -> bool:
    return value is not None and not math.isnan(value)


def number(value, pattern: str):
    """A cell aligned to the right; a dash for what is not known."""
    cell = qt.QTableWidgetItem(pattern.format(value) if known(value) else "–")
    cell.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
    return cell


def header(table, columns, widest: int = 0) -> None:
    """Columns as (title, tooltip); the widest takes the room that the others leave."""
    table.setHorizontalHeaderLabels([title for title, tip in columns])
    for index, (_title, tip) in enumerate(columns):
        table.horizontalHeaderItem(index).setToolTip(tip)
        mode = qt.QHeaderView.Stretch if index == widest else qt.QHeaderView.ResizeToContents
        table.horizontalHeader().setSectionResizeMode(index, mode)
    table.visible = False


def fit(table, most: int = 420) -> None:
    """As high as its rows, without a scroll bar of its own as far as that is sensible."""
    def again() -> None:
        with suppress(ValueError):  # the table was destroyed meanwhile, with the application
            _fit(table, most)

    table.visible = table.rowCount > 0
    _fit(table, most)
    # again once it is laid out: header and rows may become higher when they are first shown
    qt.QTimer.singleShot(0, again)


def _fit(table, most: int) -> None:
    height = table.horizontalHeader().sizeHint.height() + 2 * table.frameWidth + 2
    height += sum(table.rowHeight(index) for index in range(table.rowCount))
    table.minimumHeight = table.maximumHeight = min(height, most)
