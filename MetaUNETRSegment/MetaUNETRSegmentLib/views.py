"""What the slice and 3-D views show: one volume, and the result that belongs to it."""

import slicer
import slicer.util
import vtk

from MetaUNETRSegmentLib import ownership
from MetaUNETRSegmentLib.exchange import snapshot
from MetaUNETRSegmentLib.masks import isSameGrid, referenceGeometryOf
from MetaUNETRSegmentLib.statistics import showsOtherFrame

SOFT_TISSUE = (400, 40)  # window and level, HU
CT = "vtkMRMLScalarVolumeNode"


def composites() -> list:
    """The nodes that say which volumes each slice view shows."""
    return slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")


def shownVolume():
    """The scalar volume in the background of the first slice view that has one, or None."""
    ids = [composite.GetBackgroundVolumeID() for composite in composites()]
    nodes = [slicer.mrmlScene.GetNodeByID(volumeId) for volumeId in ids if volumeId]
    return next(filter(isCandidate, nodes), None)


def firstVolume():
    """The first scalar volume of the scene, or None."""
    return next(filter(isCandidate, slicer.util.getNodesByClass(CT)), None)


def isCandidate(node) -> bool:
    """Whether a node may be a CT; label maps are scalar volumes, too."""
    return node is not None and node.GetClassName() == CT


def isShown(volume) -> bool:
    """Whether a slice view has the volume in its background."""
    return any(composite.GetBackgroundVolumeID() == volume.GetID() for composite in composites())


def showVolume(volume) -> None:
    """Shows a volume in all slice views, unless one of them shows it already."""
    if not isShown(volume):
        logic = slicer.app.applicationLogic()
        logic.GetSelectionNode().SetActiveVolumeID(volume.GetID())
        logic.PropagateBackgroundVolumeSelection(1)


def volumeOf(segmentation):
    """The volume that a segmentation belongs to; None if it is not known or not in the scene.

    Files do not name it: a segmentation without its volume belongs to the only one with its grid.
    """
    own = segmentation.GetNodeReference(segmentation.GetReferenceImageGeometryReferenceRole())
    if own is not None or referenceGeometryOf(segmentation) is None:
        return own
    found = [volume for volume in filter(isCandidate, slicer.util.getNodesByClass(CT))
             if mayBelongTo(segmentation, volume)]
    return found[0] if len(found) == 1 else None


def mayBelongTo(segmentation, volume) -> bool:
    """Whether a segmentation whose volume is not known has the grid and voxels of this one.

    What is not known of the segmentation is not compared.
    """
    grid = referenceGeometryOf(segmentation)
    try:
        known = snapshot(volume)
        return ((grid is None or isSameGrid(grid, known, segmentation))
                and not showsOtherFrame(segmentation, volume))
    except ValueError:  # it is no CT, or a non-linear transform lies between the two
        return False


def results() -> list:
    """The segmentations that this module made or loaded, the newest last."""
    return [node for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
            if ownership.ofModule(node)]


def resultOf(volume):
    """The newest result of a volume; None without one."""
    found = [node for node in results() if volumeOf(node) is volume and
             not ownership.isDifference(node)]
    return found[-1] if found else None


def showOnly(*segmentations) -> None:
    """Shows these segmentations and hides the others of this module; those of users stay."""
    for node in {*results(), *segmentations}:
        if display := node.GetDisplayNode():
            display.SetVisibility(node in segmentations)


def windowSoftTissue(volume) -> None:
    """The window of the abdomen, unless somebody has chosen another one."""
    display = volume.GetDisplayNode()
    if display and display.IsA("vtkMRMLScalarVolumeDisplayNode") and display.GetAutoWindowLevel():
        display.SetAutoWindowLevel(False)
        display.SetWindowLevel(*SOFT_TISSUE)


def jumpTo(segmentation, segmentId: str = "") -> None:
    """Moves all slices to the centre of a segment, or of all segments together."""
    if segmentId:
        centre = segmentation.GetSegmentCenterRAS(segmentId)
    else:
        bounds = [0.0] * 6
        segmentation.GetRASBounds(bounds)
        centre = [(low + high) / 2 for low, high in zip(bounds[::2], bounds[1::2], strict=True)]
        if any(low > high for low, high in zip(bounds[::2], bounds[1::2], strict=True)):
            return  # no segment has voxels
    if centre:
        slicer.vtkMRMLSliceNode.JumpAllSlices(
            slicer.mrmlScene, *centre, slicer.vtkMRMLSliceNode.CenteredJumpSlice)


def hasSurfaces(segmentation) -> bool:
    """Whether 3-D views show the segmentation."""
    return segmentation.GetSegmentation().ContainsRepresentation("Closed surface")


def turnCameras() -> None:
    """Moves the camera of each 3-D view to what is shown of segmentations, seen from the front.

    The view's own reset includes its box, which is as large as all of the scene.
    """
    box = vtk.vtkBoundingBox()
    for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
        display, bounds = node.GetDisplayNode(), [0.0] * 6
        node.GetRASBounds(bounds)
        if display and display.GetVisibility() and bounds[0] <= bounds[1]:
            box.AddBounds(bounds)
    bounds = [0.0] * 6
    box.GetBounds(bounds)
    layout = slicer.app.layoutManager()
    for index in range(layout.threeDViewCount if layout else 0):
        view = layout.threeDWidget(index).threeDView()
        view.resetFocalPoint()  # of the box and its labels
        view.resetCamera(True, False, False)
        if box.IsValid():
            view.renderWindow().GetRenderers().GetFirstRenderer().ResetCamera(bounds)
