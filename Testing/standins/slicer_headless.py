"""A scene as in 3D Slicer, on slicer-core: Slicer's own C++ classes, without the application.

`slicer.mrmlScene` and `slicer.modules.<name>.logic()` are what the functions of `slicer.util`
ask the application for; with these, volumes and segments become arrays and back as in Slicer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import slicer
import slicer.util
import vtk

LOGICS = {
    "colors": "vtkSlicerColorLogic",
    "markups": "vtkSlicerMarkupsLogic",
    "models": "vtkSlicerModelsLogic",
    "segmentations": "vtkSlicerSegmentationsModuleLogic",
    "sequences": "vtkSlicerSequencesLogic",
    "subjecthierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "tables": "vtkSlicerTablesLogic",
    "terminologies": "vtkSlicerTerminologiesModuleLogic",
    "texts": "vtkSlicerTextsLogic",
    "transforms": "vtkSlicerTransformLogic",
    "units": "vtkSlicerUnitsLogic",
    "volumes": "vtkSlicerVolumesLogic",
}
IN_HIERARCHY = ("vtkMRMLVolumeNode", "vtkMRMLSegmentationNode", "vtkMRMLMarkupsNode",
                "vtkMRMLTableNode", "vtkMRMLTransformNode", "vtkMRMLModelNode",
                "vtkMRMLSequenceBrowserNode", "vtkMRMLTextNode")


@contextmanager
def fresh_scene() -> Iterator[object]:
    """`slicer.mrmlScene` is a new scene and `slicer.modules` has its logics, until the end.

    Modules that another stand-in has put into `slicer.modules` stay.
    """
    missing = object()
    before = {name: getattr(slicer, name, missing) for name in ("mrmlScene", "modules")}
    slicer.mrmlScene = scene = slicer.vtkMRMLScene()
    others = {} if before["modules"] is missing else vars(before["modules"])
    slicer.modules = SimpleNamespace(**others)
    application = slicer.vtkMRMLApplicationLogic()  # the logics do not keep it alive
    logics = _logics(scene, application)
    for name, logic in logics.items():
        setattr(slicer.modules, name, SimpleNamespace(name=name, logic=lambda logic=logic: logic))
    tags = _follow_in_hierarchy(scene)
    try:
        with TemporaryDirectory() as folder:
            _unpack_scenes_in(folder, scene)
            yield scene
    finally:
        for tag in tags:
            scene.RemoveObserver(tag)
        scene.Clear(True)
        for name, value in before.items():
            delattr(slicer, name) if value is missing else setattr(slicer, name, value)


def _logics(scene, application) -> dict[str, object]:
    """The logics, which register their nodes' classes; their data files are not in slicer-core."""
    shown = vtk.vtkObject.GetGlobalWarningDisplay()
    vtk.vtkObject.SetGlobalWarningDisplay(0)
    try:
        application.SetMRMLScene(scene)
        logics = {name: getattr(slicer, kind)() for name, kind in LOGICS.items()}
        application.SetColorLogic(logics["colors"])
        for name, logic in logics.items():
            application.SetModuleLogic(name.title(), logic)
            logic.SetMRMLApplicationLogic(application)
            logic.SetMRMLScene(scene)
    finally:
        vtk.vtkObject.SetGlobalWarningDisplay(shown)
    return logics


def _unpack_scenes_in(folder: str, scene) -> None:
    cache, files = slicer.vtkCacheManager(), slicer.vtkDataIOManager()
    cache.SetRemoteCacheDirectory(folder)
    scene.SetCacheManager(cache)
    files.SetCacheManager(cache)
    scene.SetDataIOManager(files)


def _follow_in_hierarchy(scene) -> list[int]:
    """Nodes get and lose their items as by the application's qSlicerSubjectHierarchyPluginLogic."""
    hierarchy = scene.GetSubjectHierarchyNode

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def added(caller, event, node):
        if (not scene.IsImporting() and not node.GetHideFromEditors()
                and any(node.IsA(kind) for kind in IN_HIERARCHY)
                and not hierarchy().GetItemByDataNode(node)):
            hierarchy().CreateItem(hierarchy().GetSceneItemID(), node)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def removed(caller, event, node):
        if scene.IsClosing() or node.IsA("vtkMRMLSubjectHierarchyNode"):
            return
        if item := hierarchy().GetItemByDataNode(node):
            hierarchy().RemoveItem(item, False)

    return [scene.AddObserver(scene.NodeAddedEvent, added),
            scene.AddObserver(scene.NodeAboutToBeRemovedEvent, removed)]
