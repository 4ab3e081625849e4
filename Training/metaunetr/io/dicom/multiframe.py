"""The frames of enhanced multi-frame CT: a file holds all slices, each with its own header."""

from __future__ import annotations

from dataclasses import replace

from pydicom.dataset import Dataset

from metaunetr import library_messages
from metaunetr.errors import InputError
from metaunetr.io.dicom.header import Slice, read_dataset, values_of

# Functional groups (PS3.3 C.7.6.16), with those of their elements that have another keyword in a
# file of one slice.
GROUPS = {
    "PlanePositionSequence": {}, "PlaneOrientationSequence": {}, "PixelMeasuresSequence": {},
    "PixelValueTransformationSequence": {},
    "FrameContentSequence": {"FrameAcquisitionNumber": "AcquisitionNumber",
                             "TemporalPositionIndex": "TemporalPositionIdentifier"},
    "CTImageFrameTypeSequence": {"FrameType": "ImageType"},
}
OF_FRAMES = {  # elements that are valid for one frame only
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness",
    "RescaleSlope", "RescaleIntercept", "RescaleType", "AcquisitionNumber",
    "TemporalPositionIdentifier", "StackID", "ImageType",
}


@library_messages.hidden()
def frames_of(item: Slice) -> list[Slice]:
    """The frames of a multi-frame file; `item` itself when it is a file of one slice.

    Raises:
        InputError: the frames are not described, or the description is damaged.
    """
    if not item.is_multiframe:
        return [item]
    whole = read_dataset(
        item.path, ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"))
    common = {key: value for key, value in item.values.items() if key not in OF_FRAMES}
    try:
        shared = _values(whole.SharedFunctionalGroupsSequence[0])
        frames = [common | shared | _values(frame)
                  for frame in whole.PerFrameFunctionalGroupsSequence]
    except Exception:  # of any type: pydicom does not wrap what damaged bytes raise
        raise InputError(
            f"{item.path}: the frames of this multi-frame file do not tell where they lie; "
            "convert it to one file per slice"
        ) from None
    count = int(item.numbers("NumberOfFrames", 1)[0]) if item.text("NumberOfFrames") else 1
    if len(frames) != count:
        raise InputError(
            f"{item.path}: every frame must be described, the file has {count} and describes "
            f"{len(frames)}"
        )
    return [replace(item, values=values, frame=index) for index, values in enumerate(frames)]


def _values(groups: Dataset) -> dict[str, str]:
    """The elements of functional groups as text, by the keywords of files of one slice."""
    values = {}
    for group, keywords in GROUPS.items():
        for keyword, value in values_of(groups[group][0]).items() if groups.get(group) else ():
            values[keywords.get(keyword, keyword)] = value
    return values
