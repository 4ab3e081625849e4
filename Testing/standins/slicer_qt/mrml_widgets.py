"""The MRML widgets that the panel uses, on a real scene."""

from __future__ import annotations

import vtk
from PySide6 import QtCore, QtWidgets

from __feature__ import true_property  # noqa: F401  isort: skip

__all__ = ["qMRMLNodeComboBox", "qMRMLRangeWidget", "qMRMLSegmentationFileExportWidget",
           "qMRMLSegmentationShow3DButton", "qMRMLSliderWidget", "qMRMLSpinBox", "qMRMLWidget"]


class qMRMLWidget(QtWidgets.QWidget):
    mrmlSceneChanged = QtCore.Signal(object)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._scene = None

    def mrmlScene(self):
        return self._scene

    def setMRMLScene(self, scene) -> None:
        self._scene = scene
        self.mrmlSceneChanged.emit(scene)


def _stored(kind, name, default):
    """A Qt property that only keeps its value, and tells the widget to look again."""
    def get(self):
        return self._values.get(name, default)

    def put(self, value):
        self._values[name] = value
        self._refresh()

    return QtCore.Property(kind, get, put)


class qMRMLNodeComboBox(QtWidgets.QWidget):
    """The nodes of a scene that have one of the types; disabled until there is a scene."""

    currentNodeChanged = QtCore.Signal(object)
    nodeAddedByUserAction = QtCore.Signal(object)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._values, self._scene, self._nodes, self._tags = {}, None, [], []
        layout = QtWidgets.QHBoxLayout(self)
        layout.contentsMargins = QtCore.QMargins(0, 0, 0, 0)
        self._combo = QtWidgets.QComboBox()
        self._combo.sizeAdjustPolicy = QtWidgets.QComboBox.AdjustToMinimumContentsLengthWithIcon
        self._combo.sizePolicy = QtWidgets.QSizePolicy(
            QtWidgets.QSizePolicy.Expanding, QtWidgets.QSizePolicy.Fixed)
        layout.addWidget(self._combo)
        self._combo.currentIndexChanged.connect(self._chosen)
        self._current = None
        self._filling = False
        self.enabled = False

    nodeTypes = _stored("QStringList", "nodeTypes", [])
    showChildNodeTypes = _stored(bool, "showChildNodeTypes", True)
    noneEnabled = _stored(bool, "noneEnabled", False)
    noneDisplay = _stored(str, "noneDisplay", "None")
    addEnabled = _stored(bool, "addEnabled", True)
    removeEnabled = _stored(bool, "removeEnabled", True)
    renameEnabled = _stored(bool, "renameEnabled", False)
    baseName = _stored(str, "baseName", "")

    def setMRMLScene(self, scene) -> None:
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        self._scene, self._tags = scene, []
        self.enabled = scene is not None
        if scene:
            self._tags = [
                scene.AddObserver(event, self._scene_changed)
                for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent,
                              scene.EndBatchProcessEvent)
            ]
        self._refresh()

    def currentNode(self):
        return self._current

    def setCurrentNode(self, node) -> None:
        if node not in self._nodes:
            node = None if self.noneEnabled or not self._nodes else self._nodes[0]
        self._select(node)

    def addNode(self):
        """Adds a node of the first type and makes it the current one."""
        name = self._scene.GenerateUniqueName(self.baseName or "Node")
        node = self._scene.AddNewNodeByClass(next(iter(self.nodeTypes)), name)
        self.setCurrentNode(node)
        return node

    def create(self):
        """The menu item "Create new …", which Slicer's widget has no function for."""
        node = self.addNode()
        self.nodeAddedByUserAction.emit(node)
        return node

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _scene_changed(self, caller, event, node=None) -> None:
        if not caller.IsBatchProcessing():
            self._refresh()

    def _matches(self, node) -> bool:
        if node.GetHideFromEditors():
            return False
        same = node.IsA if self.showChildNodeTypes else node.GetClassName().__eq__
        return any(same(kind) for kind in self.nodeTypes)

    def _refresh(self) -> None:
        if not hasattr(self, "_combo"):
            return
        nodes = []
        if self._scene:
            every = [self._scene.GetNthNode(i) for i in range(self._scene.GetNumberOfNodes())]
            nodes = [node for node in every if self._matches(node)]
        self._nodes = nodes
        self.setCurrentNode(self._current)

    def _select(self, node) -> None:
        self._filling = True
        self._combo.clear()
        if self.noneEnabled:
            self._combo.addItem(self.noneDisplay)
        for entry in self._nodes:
            self._combo.addItem(entry.GetName())
        row = self._nodes.index(node) + self.noneEnabled if node else 0 if self.noneEnabled else -1
        self._combo.currentIndex = row
        self._filling = False
        if node is not self._current:
            self._current = node
            self.currentNodeChanged.emit(node)

    def _chosen(self, row) -> None:
        if not self._filling:
            row -= self.noneEnabled
            self._select(self._nodes[row] if row >= 0 else None)


class qMRMLSegmentationShow3DButton(QtWidgets.QPushButton):
    """Makes the closed surface of a segmentation when it is pressed; enabled when there is one."""

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._node = None
        self.checkable = True
        self.enabled = False
        self.toggled.connect(self._toggled)

    def segmentationNode(self):
        return self._node

    def setSegmentationNode(self, node) -> None:
        self._node = node
        self.enabled = node is not None

    def _toggled(self, on) -> None:
        if on and self._node:
            self._node.CreateClosedSurfaceRepresentation()


class qMRMLSegmentationFileExportWidget(qMRMLWidget):
    exportToFilesDone = QtCore.Signal()

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._node, self._key = None, ""
        form = QtWidgets.QFormLayout(self)
        form.addRow("Destination folder:", QtWidgets.QPushButton("/home/user"))
        form.addRow("Visible segments only:", QtWidgets.QCheckBox())
        formats = QtWidgets.QComboBox()
        formats.addItems(["STL", "OBJ", "NRRD", "NIFTI"])
        form.addRow("File format:", formats)
        box = QtWidgets.QCheckBox()
        box.objectName = "UseColorTableValuesCheckBox"
        form.addRow("Use color table values:", box)
        form.addRow(QtWidgets.QPushButton("Export"))
        self.enabled = False

    def segmentationNode(self):
        return self._node

    def setSegmentationNode(self, node) -> None:
        self._node = node
        self.enabled = node is not None

    def _get_key(self):
        return self._key

    def _set_key(self, key):
        self._key = key

    settingsKey = QtCore.Property(str, _get_key, _set_key)


class qMRMLSliderWidget(QtWidgets.QWidget):
    """Only compared with by Slicer's parameter nodes, as the next two."""


class qMRMLSpinBox(QtWidgets.QWidget):
    pass


class qMRMLRangeWidget(QtWidgets.QWidget):
    pass
