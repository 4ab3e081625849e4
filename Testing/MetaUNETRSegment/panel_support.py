"""The panel as Slicer shows it, for tests: module widget, scene and a scripted engine."""

from __future__ import annotations

import importlib
import time
from pathlib import Path

import slicer_qt

ROOT = Path(__file__).parents[2]
MODULE = ROOT / "MetaUNETRSegment" / "MetaUNETRSegment.py"
WIDTH = 450  # of Slicer's module panel


class OpenPanel:
    """The module's widget in a window of its own.

    Attributes:
        widget: MetaUNETRSegmentWidget.
        ui, panel: its widgets by name, its parts.
    """

    def __init__(self) -> None:
        self.application = slicer_qt.start()
        import qt
        import slicer

        slicer.modulePaths["MetaUNETRSegment"] = str(MODULE)
        self.parent = slicer.qMRMLWidget()
        self.parent.isEntered = True
        self.parent.setLayout(qt.QVBoxLayout())
        self.parent.setMRMLScene(slicer.mrmlScene)
        module = importlib.import_module("MetaUNETRSegment")
        self.widget = module.MetaUNETRSegmentWidget(self.parent)
        self.widget.setup()
        self.ui, self.panel = self.widget.ui, self.widget.panel
        self.panel.segment.estimate.delay.interval = 0
        self.parent.resize(WIDTH, 900)
        self.parent.show()
        self.settle()

    @property
    def parameters(self):
        return self.panel.parameters

    def settle(self, seconds: float = 0.0) -> None:
        """Lets the event loop do what is due, and what comes within so many seconds."""
        end = time.monotonic() + seconds
        self.application.processEvents()
        while time.monotonic() < end:
            self.application.processEvents()
            time.sleep(0.005)

    def wait(self, condition, seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "the panel did not get there in time"
            self.settle(0.02)

    def finish(self) -> None:
        """Until the run has ended."""
        self.wait(lambda: not self.panel.runner.running)

    def picture(self, path: Path) -> None:
        """The whole panel, as high as it needs to be, after the layouts have settled."""
        for _ in range(3):
            self.parent.resize(WIDTH, max(self.parent.sizeHint.height(), 200))
            self.settle(0.02)
        self.parent.grab().save(str(path))

    def close(self) -> None:
        self.widget.cleanup()
        self.parent.close()
        self.parent.deleteLater()
        self.settle()
