"""The engine's uncertainty as a volume beside its input."""

import numpy as np
import slicer


def addUncertainty(snapshot, percent: np.ndarray):
    """A scalar volume of the uncertainty (K, J, I), on the grid of the volume.

    Args:
        percent: entropy of the class probabilities in percent of the largest possible.
    """
    name = slicer.mrmlScene.GenerateUniqueName(f"{snapshot.name} uncertainty")
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    slicer.util.updateVolumeFromArray(node, percent)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(snapshot.ijkToRas))
    node.SetAndObserveTransformNodeID(snapshot.transformId)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(0, 100)
    return node
