"""Slicer's Qt side for tests: `qt`, `ctk`, MRML widgets and the application, on PySide6 offscreen.

Small, and faithful where the panel touches it. PySide6's `true_property` makes properties
attributes, as PythonQt does in Slicer; signals are attributes with `.connect` in both. (It does so
only in modules that ask for it and in those whose source does not contain the word PySide6.)

`start()` puts everything in place, once for the process; a scene comes from `slicer_headless`.
With the environment variable METAUNETR_SLICER_SOURCE (the folder Base/Python of Slicer's sources)
the real parameterNodeWrapper, i18n, packaging and ScriptedLoadableModule are used.
"""

from __future__ import annotations

import importlib
import os
import sys
from contextlib import contextmanager
from types import ModuleType

SOURCE = os.environ.get("METAUNETR_SLICER_SOURCE")
PYTHON_FILES = ("i18n", "parameterNodeWrapper", "ScriptedLoadableModule")


def start():
    """Returns the QApplication; `slicer`, `qt` and `ctk` can be used from then on."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with _only_true_modules():
        from slicer_qt import qt_module

    application = qt_module.application()
    if getattr(sys.modules.get("slicer"), "app", None) is None:
        sys.modules["qt"] = qt_module
        from slicer_qt import ctk_module

        sys.modules["ctk"] = ctk_module
        _equip_slicer()
    return application


@contextmanager
def _only_true_modules():
    """PySide6's features read the source of all modules; `torch.classes` and the like have none."""
    others = {name: module for name, module in sys.modules.items()
              if type(module) is not ModuleType and name.startswith("torch.")}
    for name in others:
        del sys.modules[name]
    try:
        yield
    finally:
        sys.modules.update(others)


def _equip_slicer() -> None:
    import slicer
    import slicer.util

    from slicer_qt import mrml_widgets, slicer_app

    for name in mrml_widgets.__all__:
        setattr(slicer, name, getattr(mrml_widgets, name))
    slicer.app = slicer_app.Application()
    slicer_app.equip(slicer.util)
    if SOURCE:
        slicer.__path__.append(os.path.join(SOURCE, "slicer"))
    for name in PYTHON_FILES:
        if not SOURCE:
            module = importlib.import_module(f"slicer_qt.{name}")
            sys.modules[f"slicer.{name}"] = module
        setattr(slicer, name, importlib.import_module(f"slicer.{name}"))
