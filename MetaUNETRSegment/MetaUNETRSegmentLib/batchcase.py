"""A case of a batch in the scene: its CT as the engine read it, and its segmentation."""

from pathlib import Path

import numpy as np
import slicer
import slicer.util

from metaunetr.io import read_image
from metaunetr.organs import BY_NUMBER
from MetaUNETRSegmentLib import ownership
from MetaUNETRSegmentLib.colours import colourOf
from MetaUNETRSegmentLib.exchange import LPS


def loadCase(name: str, source: str, labels: str | None):
    """The volume node of `source`, and the segmentation node of the file `labels`.

    The core reads the CT, so that it lies exactly where its segmentation does. The segmentation
    is None when there is none, or in DICOM SEG, which the DICOM module loads.

    Raises:
        InputError: the CT cannot be read any more.
        RuntimeError: the segmentation cannot be loaded.
    """
    image = read_image(source)
    volume = slicer.util.addVolumeFromArray(
        np.ascontiguousarray(image.array), LPS @ image.grid.affine, name)
    if not labels or labels.endswith(".dcm"):
        return volume, None
    segmentation = slicer.util.loadSegmentation(labels)
    segmentation.SetName(f"{name} organs")
    ownership.markNode(segmentation)
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    if not labels.endswith(".seg.nrrd"):
        _nameSegments(segmentation.GetSegmentation())
    return volume, segmentation


def _nameSegments(segmentation) -> None:
    """Label maps hold numbers only."""
    for index in range(segmentation.GetNumberOfSegments()):
        segment = segmentation.GetNthSegment(index)
        organ = BY_NUMBER.get(segment.GetLabelValue())
        if organ:
            segment.SetName(organ.name)
            segment.SetColor(*(part / 255 for part in colourOf(organ)))


def nameOf(case: dict) -> str:
    """What to call a case in the scene: the last part of its name."""
    return Path(case["name"]).name
