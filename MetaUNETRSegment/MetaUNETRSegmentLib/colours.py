"""Colours of the segments: a palette that can be told apart, or those of the terminology."""

import slicer.util

from metaunetr.report.palette import shown_colour
from MetaUNETRSegmentLib import ownership


def colourOf(organ, terminology: bool = False) -> tuple[int, int, int]:
    """RGB, 0 to 255."""
    return organ.colour if terminology else shown_colour(organ)


def recolour(segmentationNode, terminology: bool) -> None:
    """Gives the segments one of the two colours of their organ; colours that users chose stay."""
    from MetaUNETRSegmentLib.segmentation import organOf

    segmentation = segmentationNode.GetSegmentation()
    with slicer.util.NodeModify(segmentationNode):
        for segmentId in segmentation.GetSegmentIDs():
            segment, organ = segmentation.GetSegment(segmentId), organOf(segmentation, segmentId)
            if organ is None:
                continue
            colour = colourOf(organ, terminology)
            present = tuple(round(255 * channel) for channel in segment.GetColor())
            if present != colour and present in (organ.colour, shown_colour(organ)):
                untouched = ownership.isUntouched(segmentationNode, segmentId)
                segment.SetColor(*(channel / 255 for channel in colour))
                if untouched:
                    ownership.claim(segment)
