"""Label maps as DICOM SEG, beside the CT series that they came from.

Needs highdicom, which the extra `dicom` installs.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from metaunetr import __version__, organs
from metaunetr.errors import InputError, OutputError
from metaunetr.image import Image
from metaunetr.io.atomic import atomic
from metaunetr.io.dicom.frames import look_into
from metaunetr.io.dicom.header import POSITION, read_header
from metaunetr.result import OrganResult, Result

MAY_BE_EMPTY = (  # type 2 attributes of patient, study and frame of reference
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyID", "StudyDate",
    "StudyTime", "AccessionNumber", "ReferringPhysicianName", "PositionReferenceIndicator",
)


def check(path: Path, image: Image | None) -> None:
    """Refuse DICOM SEG where it cannot be made.

    Raises:
        OutputError: highdicom is missing, or `image` is no DICOM series, or one of several
            multi-frame files.
    """
    try:
        import highdicom  # noqa: F401
    except ImportError:
        raise OutputError(
            f"{path}: DICOM SEG needs highdicom; install it with: pip install metaunetr[dicom]"
        ) from None
    if image is not None and not image.dicom_files:
        raise OutputError(
            f"{path}: DICOM SEG refers to the slices of a DICOM series, and the input "
            f"{image.source or 'in memory'} is none; choose .seg.nrrd or .nii.gz"
        )
    if image is not None and len(image.dicom_files) not in (1, image.grid.shape[0]):
        raise OutputError(
            f"{path}: DICOM SEG refers to one multi-frame file, and the input has "
            f"{len(image.dicom_files)}; choose .seg.nrrd or .nii.gz"
        )


def write_dicom_seg(path: Path, result: Result) -> None:
    """Write the organs found in `result` as a binary DICOM Segmentation.

    Segment numbers count from 1 without gaps, as the standard demands; the organ is told by its
    codes and label.

    Raises:
        OutputError: see `check`; no organ was found; or the headers of the CT do not allow it.
    """
    check(path, result.labels)
    found = [item for item in result.organs if item.voxels]
    if not found:
        raise OutputError(f"{path}: no organ was found, and a DICOM SEG cannot be empty")
    try:
        segmentation = _segmentation(found, result)
    except (AttributeError, InputError, KeyError, OSError, TypeError, ValueError) as error:
        raise OutputError(
            f"{path}: the headers of the CT do not allow a DICOM SEG ({error}); choose .seg.nrrd"
        ) from error
    with atomic(path) as temporary:
        segmentation.save_as(temporary)


def _segmentation(found: list[OrganResult], result: Result):
    import highdicom as hd

    renumber = np.zeros(256, np.uint8)
    for number, item in enumerate(found, start=1):
        renumber[item.organ.number] = number
    column, row, distance = result.labels.grid.spacing
    return hd.seg.Segmentation(
        source_images=[_header(file, distance) for file in result.labels.dicom_files],
        pixel_array=renumber[result.labels.on_slices()[_places_of_frames(result.labels)]],
        pixel_measures=hd.PixelMeasuresSequence((row, column), distance, distance),
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[
            _description(number, item, result) for number, item in enumerate(found, start=1)
        ],
        series_instance_uid=hd.UID(),
        series_number=1000,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="MetaUNETR",
        manufacturer_model_name=str(result.record.get("model", "MetaUNETR"))[:64],
        software_versions=__version__,
        device_serial_number="0",
        series_description="MetaUNETR abdominal organs",
        content_description="Automatic; research use only",
        specific_character_set="ISO_IR 192",  # UTF-8, whatever the CT's is
    )


def _places_of_frames(labels: Image) -> np.ndarray:
    """k of every slice or frame of the CT, in the order of the CT's files or frames."""
    files, depth = labels.dicom_files, labels.grid.shape[0]
    if len(files) == depth:
        return np.arange(depth)
    frames = look_into(read_header(Path(files[0])))
    positions = [[*frame.numbers(POSITION, 3), 1] for frame in frames]
    return np.rint((np.linalg.inv(labels.grid.affine) @ np.transpose(positions))[2]).astype(int)


def _header(file: str, distance: float):
    """The header of a slice; what may be empty, and anonymizers remove, is put back.

    Only the slice thickness must not be empty in a segmentation: it becomes `distance` (mm).
    """
    import pydicom

    header = pydicom.dcmread(file, stop_before_pixels=True, force=True)
    for name in MAY_BE_EMPTY:
        if name not in header:
            setattr(header, name, "")
    if not header.get("SliceThickness"):
        header.SliceThickness = distance
    return header


def _description(number: int, item: OrganResult, result: Result):
    import highdicom as hd
    from pydicom.sr.coding import Code

    def code(triple: organs.Code) -> Code:
        scheme, value, meaning = triple
        return Code(value, scheme, meaning)

    description = hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=item.organ.name,
        segmented_property_category=code(organs.CATEGORY),
        segmented_property_type=code(item.organ.code),
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=hd.AlgorithmIdentificationSequence(
            name="MetaUNETR",
            version=__version__,
            family=Code("123110", "DCM", "Artificial Intelligence"),
            parameters={
                key: str(result.record.get(key, "")) for key in ("model", "model_sha256")
            },
        ),
        tracking_uid=hd.UID(),
        tracking_id=item.organ.key,
        display_color=hd.color.CIELabColor.from_rgb(*item.organ.colour),
    )
    if item.organ.side:
        kind = description.SegmentedPropertyTypeCodeSequence[0]
        kind.SegmentedPropertyTypeModifierCodeSequence = [
            hd.sr.CodedConcept.from_code(code(item.organ.side))
        ]
    return description
