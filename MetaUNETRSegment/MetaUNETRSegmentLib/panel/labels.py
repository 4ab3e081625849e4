"""Labels that wrap their words."""

import qt


class Heights(qt.QObject):
    """Keeps labels as high as their text needs at their width.

    Tabs and scroll areas do not ask for that, and widgets below would cover the last lines.
    """

    def __init__(self, labels) -> None:
        qt.QObject.__init__(self)
        for label in labels:
            label.installEventFilter(self)

    def eventFilter(self, label, event):
        if event.type() == qt.QEvent.Resize:
            _fit(label)
        return False


def show(label, text: str) -> None:
    """Sets the text; a label without text is hidden."""
    label.text = text
    _fit(label)
    label.visible = bool(text)


def _fit(label) -> None:
    label.minimumHeight = 0  # else it is included
    label.minimumHeight = max(0, label.heightForWidth(label.width))
