"""Slicer's typed parameter node, for the types and widgets that the panel uses."""

from __future__ import annotations

import json
import typing
from dataclasses import dataclass

import qt
import slicer
import vtk

PROPERTY = "SlicerParameterName"


@dataclass(frozen=True)
class WithinRange:
    minimum: float
    maximum: float


def parameterNodeWrapper(cls):
    """Makes the annotated attributes of a class parameters of the node that it is given."""
    hints = typing.get_type_hints(cls)
    defaults = {name: getattr(cls, name, None) for name in hints}
    for name, kind in hints.items():
        setattr(cls, name, property(_reader(name, kind, defaults[name]), _writer(name, kind)))
    cls.__init__ = _initialize
    cls.parameterNames = tuple(hints)
    for method in (connectGui, disconnectGui, AddObserver, RemoveObserver):
        setattr(cls, method.__name__, method)
    return cls


def _initialize(self, node) -> None:
    self.parameterNode, self._connections, self._updating = node, {}, False


def _is_node(kind) -> bool:
    return isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode)


def _reader(name, kind, default):
    if _is_node(kind):
        return lambda self: self.parameterNode.GetNodeReference(name)

    def read(self):
        text = self.parameterNode.GetParameter(name)
        return json.loads(text) if text else kind() if default is None else default

    return read


def _writer(name, kind):
    if _is_node(kind):
        def write(self, node):
            self.parameterNode.SetNodeReferenceID(name, node.GetID() if node else None)
    else:
        def write(self, value):
            self.parameterNode.SetParameter(name, json.dumps(value))
    return write


def connectGui(self, ui) -> int:
    widgets = {widget.property(PROPERTY): widget for widget in vars(ui).values()
               if widget.property(PROPERTY)}
    tag = self.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *args: _show(self, widgets))
    _show(self, widgets)
    slots = []
    for name, widget in widgets.items():
        signal = _accessors(widget)[2]

        def changed(*args, name=name, widget=widget):
            if not self._updating:
                setattr(self, name, _accessors(widget)[0]())

        signal.connect(changed)
        slots.append((signal, changed))
    self._connections[tag] = slots
    return tag


def disconnectGui(self, tag) -> None:
    self.RemoveObserver(tag)
    for signal, slot in self._connections.pop(tag):
        signal.disconnect(slot)


def _show(self, widgets) -> None:
    if self._updating:
        return
    self._updating = True
    try:
        for name, widget in widgets.items():
            _accessors(widget)[1](getattr(self, name))
    finally:
        self._updating = False


def _accessors(widget) -> tuple:
    """Reading, writing and the signal of a change."""
    if isinstance(widget, slicer.qMRMLNodeComboBox):
        return widget.currentNode, widget.setCurrentNode, widget.currentNodeChanged
    name = "checked" if isinstance(widget, qt.QCheckBox) else "value"
    signal = widget.stateChanged if name == "checked" else widget.valueChanged
    return lambda: getattr(widget, name), lambda value: setattr(widget, name, value), signal


def AddObserver(self, event, callback, priority=0.0) -> int:
    return self.parameterNode.AddObserver(event, callback, priority)


def RemoveObserver(self, tag) -> None:
    self.parameterNode.RemoveObserver(tag)
