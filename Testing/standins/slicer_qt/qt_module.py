"""What Slicer calls `qt`: the classes of QtCore, QtGui and QtWidgets in one module."""

from __future__ import annotations

import ctypes
import sys
import xml.etree.ElementTree as ElementTree

from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets
from PySide6.QtCore import *  # noqa: F403
from PySide6.QtGui import *  # noqa: F403
from PySide6.QtWidgets import *  # noqa: F403

from __feature__ import true_property  # noqa: F401  isort: skip

# PySide6 6.12 takes a reference of None, and sometimes of a bool, too many with each call, which
# ends Python after some ten thousand calls; since Python 3.12 these objects need no references.
if sys.version_info < (3, 12):
    for constant in (None, True, False):
        ctypes.c_ssize_t.from_address(id(constant)).value += 1 << 30

# PythonQt calls the property objectName also `name`
QtCore.QObject.name = property(
    lambda self: self.objectName, lambda self, value: setattr(self, "objectName", value)
)


def application():
    app = QtWidgets.QApplication.instance()
    if app is None:
        app = QtWidgets.QApplication([])
        app.setStyle("Fusion")
        app.setFont(QtGui.QFont("DejaVu Sans", 9))
    return app


class QUiLoader(QtUiTools.QUiLoader):
    """Knows the widgets of CTK and MRML, and makes the connections that the file asks for."""

    def load(self, device):
        from slicer_qt import ctk_module, mrml_widgets

        for module in (ctk_module, mrml_widgets):
            for name in module.__all__:
                self.registerCustomWidget(getattr(module, name))
        root = ElementTree.fromstring(bytes(device.readAll().data()))
        connections = root.find("connections")
        wanted = [[connection.findtext(key) for key in ("sender", "signal", "receiver", "slot")]
                  for connection in connections]
        root.remove(connections)
        for widget in root.iter("widget"):  # flags of C++ classes that have none here
            for flags in widget.findall("property[@name='filters']"):
                widget.remove(flags)
        buffer = QtCore.QBuffer()
        buffer.setData(ElementTree.tostring(root))
        buffer.open(QtCore.QIODevice.ReadOnly)
        widget = super().load(buffer)
        for sender, signal, receiver, slot in wanted:
            source, target = _named(widget, sender), _named(widget, receiver)
            getattr(source, _bare(signal)).connect(getattr(target, _bare(slot)))
        return widget


def _named(root, name: str):
    found = root if root.objectName == name else root.findChild(QtCore.QObject, name)
    if found is None:
        raise RuntimeError(f"the .ui file connects {name!r}, which is not in it")
    return found


def _bare(signature: str) -> str:
    return signature.split("(")[0]
