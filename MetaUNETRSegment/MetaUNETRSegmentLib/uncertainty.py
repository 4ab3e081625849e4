"""The engine's uncertainty as a volume beside its input."""

import numpy as np
import slicer


def addUncertainty(snapshot, percent: np.ndarray, offset: tuple[int, int, int]):
    """A scalar volume of the uncertainty (K, J, I), on the grid of its voxels.

    Args:
        percent: entropy of the class probabilities in percent of the largest possible.
        offset: its first voxel (k, j, i) in the snapshot's grid.
    """
    ijkToRas = np.array(snapshot.ijkToRas, float)
    ijkToRas[:, 3] = ijkToRas @ [*reversed(offset), 1]
    name = slicer.mrmlScene.GenerateUniqueName(f"{snapshot.name} uncertainty")
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    slicer.util.updateVolumeFromArray(node, percent)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(ijkToRas))
    node.SetAndObserveTransformNodeID(snapshot.transformId)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(0, 100)
    return node
