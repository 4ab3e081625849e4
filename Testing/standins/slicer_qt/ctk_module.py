"""The widgets of CTK that Slicer's parameter nodes and the panel use."""

from __future__ import annotations

from PySide6 import QtCore, QtWidgets

from __feature__ import true_property  # noqa: F401  isort: skip

__all__ = ["ctkCollapsibleButton", "ctkPathLineEdit"]
HEADER = 26  # height of the title of a collapsible button


class ctkCollapsibleButton(QtWidgets.QWidget):
    """A title that shows or hides what is below it."""

    contentsCollapsed = QtCore.Signal(bool)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._text, self._collapsed, self._hidden = "", False, []
        self.setContentsMargins(0, HEADER, 0, 0)

    def _get_text(self):
        return self._text

    def _set_text(self, text):
        self._text = text
        self.update()

    def _get_collapsed(self):
        return self._collapsed

    def _set_collapsed(self, collapsed):
        if collapsed == self._collapsed:
            return
        self._collapsed = collapsed
        self._show_contents()
        self.contentsCollapsed.emit(collapsed)

    text = QtCore.Property(str, _get_text, _set_text)
    collapsed = QtCore.Property(bool, _get_collapsed, _set_collapsed)

    def _show_contents(self) -> None:
        children = [child for child in self.children() if isinstance(child, QtWidgets.QWidget)]
        if self._collapsed:
            self._hidden += [child for child in children if not child.isHidden()]
            for child in self._hidden:
                child.visible = False
        else:
            for child in self._hidden:
                child.visible = True
            self._hidden = []
        self.maximumHeight = HEADER if self._collapsed else 16777215
        self.updateGeometry()

    def showEvent(self, event) -> None:
        if self._collapsed:  # children that came after the property was set
            self._collapsed = False
            self.collapsed = True

    def minimumSizeHint(self):
        size = super().minimumSizeHint
        return QtCore.QSize(size.width(), HEADER) if self._collapsed else size

    def sizeHint(self):
        size = super().sizeHint
        return QtCore.QSize(size.width(), HEADER) if self._collapsed else size

    def mousePressEvent(self, event) -> None:
        if event.position().y() < HEADER:
            self.collapsed = not self._collapsed

    def paintEvent(self, event) -> None:
        painter = QtWidgets.QStylePainter(self)
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.rect = QtCore.QRect(0, 0, self.width, HEADER - 4)
        painter.drawControl(QtWidgets.QStyle.CE_PushButtonBevel, option)
        arrow = "▸" if self._collapsed else "▾"
        painter.drawText(option.rect.adjusted(8, 0, 0, 0), QtCore.Qt.AlignVCenter,
                         f"{arrow}  {self._text}")
        painter.end()


class ctkPathLineEdit(QtWidgets.QWidget):
    """A path with a button for browsing."""

    currentPathChanged = QtCore.Signal(str)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.contentsMargins = QtCore.QMargins(0, 0, 0, 0)
        self._line = QtWidgets.QLineEdit()
        layout.addWidget(self._line)
        browse = QtWidgets.QToolButton()
        browse.text = "…"
        layout.addWidget(browse)
        self._line.textChanged.connect(self.currentPathChanged)

    def _get_path(self):
        return self._line.text

    def _set_path(self, path):
        self._line.text = path

    currentPath = QtCore.Property(str, _get_path, _set_path)


def __getattr__(name: str):
    """Widgets that are only compared with (`type(widget) == ctk.ctkCheckBox`)."""
    if not name.startswith("ctk"):
        raise AttributeError(name)
    placeholder = type(name, (QtWidgets.QWidget,), {})
    globals()[name] = placeholder
    return placeholder
