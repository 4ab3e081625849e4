"""The panel as Slicer shows it, for tests: module widget, scene and a scripted engine."""

from __future__ import annotations

import importlib
import time
from pathlib import Path

import slicer_qt
from fake_engine import FakeEngine

ROOT = Path(__file__).parents[3]
MODULE = ROOT / "MetaUNETRSegment" / "MetaUNETRSegment.py"
WIDTH = 420  # of Slicer's module panel
HOLD = [[]] * 100_000  # polls without news: the run goes on until it is stopped


class Engines:
    """Engines that follow a script, one for each command ("segment", "adapt --dry-run" …).

    Put them in place with `monkeypatch.setattr("MetaUNETRSegmentLib.engine.startEngine", engines)`.

    Attributes:
        scripts: by command, see FakeEngine.
        started: the engines, in order.
    """

    def __init__(self, **scripts: list) -> None:
        self.scripts, self.started = {"estimate": [ESTIMATE], **scripts}, []

    def __call__(self, arguments: list[str], folder: Path) -> FakeEngine:
        engine = FakeEngine(*self.scripts[_command(arguments)])
        self.started.append(engine)
        return engine(arguments, folder)

    def last(self, command: str) -> FakeEngine:
        return [engine for engine in self.started if _command(engine.arguments) == command][-1]


def _command(arguments: list[str]) -> str:
    return arguments[0] + " --dry-run" * ("--dry-run" in arguments)


ESTIMATE = [
    {"event": "devices", "devices": [{"name": "cpu", "label": "CPU"},
                                     {"name": "cuda:0", "label": "NVIDIA RTX 4090 (24 GB)"}]},
    {"event": "estimate", "seconds": 8.7, "network_s": 6.1, "memory_mb": 812, "windows": 48},
]
FOUND = {  # organ number: mL, HU, its deviation, confidence, flags
    1: (212.4, 112.0, 18.0, 0.95, []),
    2: (168.0, 158.2, 31.0, 0.93, []),
    3: (171.9, 160.4, 30.0, 0.94, []),
    4: (28.3, 12.0, 9.0, 0.71, ["2 separate parts"]),
    6: (1482.6, 104.1, 17.0, 0.97, ["touches the border of the image: it may be cut off"]),
    7: (241.0, 61.5, 40.0, 0.86, []),
    8: (96.1, 171.3, 25.0, 0.91, []),
    11: (71.5, 88.4, 22.0, 0.78, []),
}
RECORD = {"software": "MetaUNETR", "model": "abdomen13-2mm", "device": "cpu",
          "precision": "float32", "windows": 48}


def stages(*names: str) -> list[dict]:
    return [{"event": "stage", "stage": name} for name in names]


def windows(done: int, total: int = 48) -> list[dict]:
    return [{"event": "windows", "done": done, "total": total}]


def result(folder: Path) -> list[dict]:
    """Writes a slab for each organ, and says what an engine says at its end."""
    import numpy as np
    import SimpleITK as sitk

    image = sitk.ReadImage(str(folder / "ct.nrrd"))
    labels = np.zeros(image.GetSize()[::-1], np.uint8)  # (K, J, I)
    for index, number in enumerate(FOUND):
        step = max(1, labels.shape[2] // (len(FOUND) + 2))
        depth = max(2, round((labels.shape[1] - 6) * min(1.0, FOUND[number][0] / 1500)))
        labels[2:-2, 3:3 + depth, (index + 1) * step:(index + 2) * step] = number
    out = sitk.GetImageFromArray(labels)
    out.CopyInformation(image)
    sitk.WriteImage(out, str(folder / "organs.nrrd"))
    from metaunetr.organs import BY_NUMBER

    organs = [
        {"organ": BY_NUMBER[number].name, "number": number, "voxels": int((labels == number).sum()),
         "volume_ml": ml, "hu_mean": hu, "hu_sd": sd, "confidence": confidence, "flags": flags}
        for number, (ml, hu, sd, confidence, flags) in FOUND.items()
    ]
    return [{"event": "result", "output": "organs.nrrd", "seconds": 8.9, "organs": organs,
             "record": RECORD}]


GOOD_RUN = [stages("read", "model", "check"), windows(1), windows(48), stages("restore"), result]


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
        if self.panel:  # else packages are missing
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
