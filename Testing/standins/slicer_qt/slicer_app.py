"""`slicer.app` and those functions of `slicer.util` that need a main window."""

from __future__ import annotations

import tempfile
from types import SimpleNamespace

import slicer
from PySide6 import QtWidgets

from __feature__ import true_property  # noqa: F401  isort: skip


class Signals:
    """Connections by signature, as `object.connect("signal()", slot)` of PythonQt."""

    def __init__(self) -> None:
        self.slots = []

    def connect(self, signature: str, slot) -> None:
        self.slots.append((signature, slot))

    def disconnect(self, signature: str, slot) -> None:
        self.slots.remove((signature, slot))


class ThreeDView:
    """Notes when its camera was moved."""

    def __init__(self) -> None:
        self.calls = []

    def resetFocalPoint(self) -> None:
        self.calls.append("focal point")

    def resetCamera(self, rotation: bool, translation: bool, distance: bool) -> None:
        self.calls.append((rotation, translation, distance))

    def ResetCamera(self, bounds: list[float]) -> None:
        self.calls.append(list(bounds))

    def threeDView(self) -> ThreeDView:  # the widget, its view, window and renderer in one
        return self

    renderWindow = GetRenderers = GetFirstRenderer = threeDView


class LayoutManager:
    layout = 3  # four-up
    threeDViewCount = 1

    def __init__(self) -> None:
        self._view = ThreeDView()

    def setLayout(self, layout: int) -> None:
        self.layout = layout

    def threeDWidget(self, index: int) -> ThreeDView:
        return self._view


class Settings(dict):
    """The user's settings, for this process only."""

    def value(self, name: str, default=None):
        return self.get(name, default)

    def setValue(self, name: str, value) -> None:
        self[name] = value


class Application(Signals):
    """What the module asks of qSlicerApplication."""

    applicationVersion = "5.13.0-standin"

    def __init__(self) -> None:
        super().__init__()
        self._modules = Signals()
        self._layouts = LayoutManager()
        self._settings = Settings()

    @property
    def temporaryPath(self) -> str:
        return tempfile.gettempdir()

    def moduleManager(self) -> Signals:
        return self._modules

    def layoutManager(self) -> LayoutManager:
        return self._layouts

    def applicationLogic(self):
        return slicer.modules.colors.logic().GetMRMLApplicationLogic()

    def userSettings(self) -> Settings:
        return self._settings

    def processEvents(self) -> None:
        QtWidgets.QApplication.processEvents()

    def clipboard(self):
        return QtWidgets.QApplication.clipboard()

    def translate(self, context: str, text: str) -> str:
        return text

    def testingEnabled(self) -> bool:
        return True


def equip(util) -> None:
    """Functions that need a main window note their calls in `slicer.util.calls` instead."""
    util.calls = SimpleNamespace(selected=[], layers=[])
    util.mainWindow = lambda: None
    util.selectModule = util.calls.selected.append
    util.setSliceViewerLayers = lambda **layers: util.calls.layers.append(layers)
    util.settingsValue = lambda key, default, **more: default
    util.modulePath = lambda name: slicer.modulePaths[name]
    slicer.modulePaths = {}
