"""One segment anew around a point, for the effect in Segment Editor."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer

from metaunetr.organs import BY_NUMBER
from MetaUNETRSegmentLib.correction import freeVoxels
from MetaUNETRSegmentLib.i18n import tr as _
from MetaUNETRSegmentLib.job import Job, SegmentationError
from MetaUNETRSegmentLib.masks import gridToEdit, ijkToNode, labelmapOf, maskIn
from MetaUNETRSegmentLib.segmentation import organOf
from MetaUNETRSegmentLib.segmenting import Settings, segmentationJob

EFFECT = Path(__file__).resolve().parents[1] / "SegmentEditorMetaUNETRLib/SegmentEditorEffect.py"


def register() -> None:
    """Offers the effect in Segment Editor."""
    try:
        import qSlicerSegmentationsEditorEffectsPythonQt as effects
    except ImportError:  # Segmentations was left out of this Slicer
        return
    effect = effects.qSlicerSegmentEditorScriptedEffect(None)
    effect.setPythonSource(EFFECT.as_posix())
    effect.self().register()


def organHereJob(
    volumeNode, segmentationNode, segmentId: str, centre, sizeMm: float,
    fill: Callable[[Any, Any], None], progress=None, **settings,
) -> Job:
    """A job that finds the organ of a segment in a cube, and does not take other segments' voxels.

    Args:
        centre, sizeMm: of the cube; RAS of the world.
        fill: called with two vtkOrientedImageData of 0 and 1: the cube, and the organ in it, on
            the grid on which Slicer edits the segmentation.
        settings: those of `Settings`, besides the organs.

    Raises:
        SegmentationError: the segment means no organ, or the volume or the place cannot be used.
    """
    segmentation = segmentationNode.GetSegmentation()
    organ = organOf(segmentation, segmentId)
    if organ is None:
        raise SegmentationError(
            _("Name the segment “{name}” after its organ, or choose its terminology (double-click "
              "its colour). Organs are {organs}.").format(
                name=segmentation.GetSegment(segmentId).GetName(),
                organs=", ".join(each.name for each in BY_NUMBER.values())))
    if volumeNode is None:
        raise SegmentationError(_("Choose the source volume above the table of segments."))
    cube = slicer.vtkMRMLMarkupsROINode()  # not in the scene
    cube.SetName(_("the place that was clicked"))
    cube.SetCenter(*centre)
    cube.SetSize(sizeMm, sizeMm, sizeMm)

    def write(labels) -> None:
        if segmentation.GetSegment(segmentId) is None:
            raise ValueError(_("The segment was removed meanwhile."))
        before = ijkToNode(labels.snapshot, segmentationNode)
        grid = gridToEdit(segmentationNode, labels.snapshot)
        matrix = ijkToNode(grid, segmentationNode)
        inside, found = (
            maskIn(labelmapOf(voxels, before, labels.offset), 1, matrix, grid.shape)
            for voxels in (labels.inside, labels.array == organ.number))
        free = freeVoxels(segmentationNode, grid, [segmentId], inside.offset, inside.voxels)
        new = found.within(inside.offset, free.shape) & free
        fill(*(labelmapOf(voxels, matrix, inside.offset) for voxels in (inside.voxels, new)))

    return segmentationJob(volumeNode, Settings((organ.name,), **settings), write, cube,
                           (segmentationNode,), progress)
