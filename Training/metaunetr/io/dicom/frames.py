"""Enhanced multi-frame CT: one file holds all slices, each frame with a header of its own.

SimpleITK tells nothing of the frames' headers, so they are read by pydicom, which the extra
`dicom` installs; the voxels are decoded by SimpleITK as those of all other files.
"""

from __future__ import annotations

import os
from mmap import ACCESS_READ, mmap
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

import numpy as np
import SimpleITK as sitk

from metaunetr import extras
from metaunetr.errors import InputError, OutputError
from metaunetr.io.dicom import header as h
from metaunetr.io.dicom.header import Slice
from metaunetr.io.itk import array_of, reason

GROUPS = {  # functional groups, PS3.3 C.7.6.16: macro and keyword of what is asked for
    h.POSITION: ("PlanePositionSequence", "ImagePositionPatient"),
    h.ORIENTATION: ("PlaneOrientationSequence", "ImageOrientationPatient"),
    h.SPACING: ("PixelMeasuresSequence", "PixelSpacing"),
    h.THICKNESS: ("PixelMeasuresSequence", "SliceThickness"),
    h.SLOPE: ("PixelValueTransformationSequence", "RescaleSlope"),
    h.INTERCEPT: ("PixelValueTransformationSequence", "RescaleIntercept"),
    h.ACQUISITION: ("FrameContentSequence", "FrameAcquisitionNumber"),
    h.TEMPORAL: ("FrameContentSequence", "TemporalPositionIndex"),
    h.STACK: ("FrameContentSequence", "StackID"),
    h.IMAGE_TYPE: ("CTImageFrameTypeSequence", "FrameType"),
}
PIXEL_MODULE = (
    "SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames", "Rows", "Columns",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelData",
)
PLAIN = "1.2.840.10008.5.1.4.1.1.7.3"  # Multi-frame Grayscale Word Secondary Capture
DAMAGED = (AttributeError, EOFError, IndexError, KeyError, NotImplementedError, TypeError,
           ValueError)


def look_into(item: Slice) -> list[Slice]:
    """The frames of a multi-frame file.

    Raises:
        InputError: pydicom is missing, or the frames have no headers.
    """
    whole = _read(item.path, pixels=False)
    try:
        shared = whole.SharedFunctionalGroupsSequence[0]
        frames = list(whole.PerFrameFunctionalGroupsSequence)
    except DAMAGED:
        raise InputError(
            f"{item.path}: the frames of this multi-frame file do not tell where they lie; "
            "convert it to one file per slice"
        ) from None
    count = int(item.numbers(h.FRAMES, 1)[0]) if item.text(h.FRAMES) else 1
    if len(frames) != count:
        raise InputError(
            f"{item.path}: every frame must be described, the file has {count} and describes "
            f"{len(frames)}"
        )
    common = {tag: item.tags[tag] for tag in item.tags if tag not in GROUPS}
    return [Slice(item.path, item.size, common | _tags(frame, shared), number)
            for number, frame in enumerate(frames)]


def stored_values(path: Path) -> np.ndarray:
    """What a multi-frame file stores, before any rescaling: (frames, H, W).

    SimpleITK would rescale every frame as the first; so it is given a copy with the voxels alone.

    Raises:
        InputError: the voxels cannot be read.
        OutputError: the temporary folder has no room for the copy.
    """
    whole = _read(path, pixels=True)
    from pydicom.dataset import Dataset, FileMetaDataset

    plain, plain.file_meta = Dataset(), FileMetaDataset()
    try:
        for name in PIXEL_MODULE:
            if name in whole:
                plain[name] = whole[name]
        plain.file_meta.TransferSyntaxUID = whole.file_meta.TransferSyntaxUID
        plain.SOPClassUID = plain.file_meta.MediaStorageSOPClassUID = PLAIN
        plain.SOPInstanceUID = plain.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
        with TemporaryDirectory(prefix="metaunetr-") as folder:
            copy = Path(folder) / "frames.dcm"
            plain.save_as(copy, enforce_file_format=True)
            return np.array(array_of(sitk.ReadImage(str(copy), imageIO="GDCMImageIO")))
    except RuntimeError as error:
        raise InputError(f"{path}: the pixels cannot be read: {reason(error)}") from None
    except DAMAGED as error:
        raise InputError(f"{path}: the pixels cannot be read: {_first_line(error)}") from None
    except OSError as error:
        raise OutputError(
            f"{path}: no copy of its pixels can be written to the temporary folder "
            f"{_temporary_folder()} ({_cause(error)}); make room there, or set TMPDIR to another "
            "folder"
        ) from None


def _temporary_folder() -> str:
    try:
        return gettempdir()
    except OSError:  # none can be written to
        return os.environ.get("TMPDIR", "")


def _cause(error: OSError) -> str:
    """What the system said; pydicom wraps it in an error of the same type and a longer text."""
    while isinstance(error.__cause__, OSError):
        error = error.__cause__
    return error.strerror or _first_line(error)


def _read(path: Path, pixels: bool):
    try:
        import pydicom
    except ImportError:
        raise InputError(
            f"{extras.missing(f'{path}: multi-frame DICOM', 'pydicom', 'dicom')}, or convert the "
            "file to one file per slice"
        ) from None
    try:  # what is mapped cannot be asked for more bytes than the file has
        with open(path, "rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as mapped:
            return pydicom.dcmread(mapped, stop_before_pixels=not pixels, force=True)
    except DAMAGED as error:
        raise InputError(
            f"{path}: cannot be read as multi-frame DICOM: {_first_line(error)}"
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _tags(frame, shared) -> dict[str, str]:
    """What the functional groups of a frame say, or else those that all frames share."""
    tags = {}
    for tag, (macro, keyword) in GROUPS.items():
        for group in (frame, shared):
            items = group.get(macro)
            if items and keyword in items[0]:
                value = items[0][keyword].value
                many = isinstance(value, (list, tuple)) or hasattr(value, "append")
                tags[tag] = "\\".join(map(str, value)) if many else str(value)
                break
    return tags
