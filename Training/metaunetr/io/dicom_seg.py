"""Writing label maps as DICOM SEG that refer to the CT series.

Needs highdicom, which the extra `dicom` installs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from metaunetr import __version__, extras, organs
from metaunetr.errors import OutputError
from metaunetr.image import Grid, Image
from metaunetr.io.dicom.header import read_dataset
from metaunetr.io.dicom_source import LOSSY, MAY_BE_EMPTY, UIDS, Source, decimals, read_source
from metaunetr.organs import Organ
from metaunetr.result import Result

KIND = "DICOM SEG"
TYPES = ("binary", "labelmap")


def check(path: Path, image: Image | None) -> tuple[str, ...]:
    """Check, before the run, that a DICOM SEG can be made.

    Args:
        image: the CT, None when it is not yet known.

    Returns:
        Sentences about values that will be missing in the object.

    Raises:
        OutputError: highdicom is missing; `image` is one of several multi-frame files; its headers
            do not allow it, see also `read_source`.
    """
    try:
        import highdicom  # noqa: F401
    except ImportError:
        raise OutputError(extras.missing(f"{path}: {KIND}", "highdicom", "dicom")) from None
    if image is None:
        return ()
    source = _source(path, image)
    frames = 1 if source.slices[0].frame is None else len(source.slices)
    labels = np.zeros((frames, *source.slices[0].size[::-1]), np.uint8)
    labels[0, 0, 0] = 1
    _segmentation(path, source, labels, image.grid, organs.ORGANS[:1], {})
    return source.warnings


def write_dicom_seg(path: Path, result: Result, seg_type: str = "binary") -> None:
    """Write the organs found in `result` as a DICOM Segmentation.

    Segment numbers are consecutive from 1, as the standard demands; an organ is identified by its
    codes and label.

    Args:
        seg_type: one of `TYPES`. "binary" has a frame of bits for each organ and slice, and is
            read by all programs; "labelmap", in DICOM since 2024, has one compressed frame for each
            slice.

    Raises:
        OutputError: see `check`; or no organ was found.
    """
    check(path, None)
    source = _source(path, result.labels)
    found = [item.organ for item in result.organs if item.voxels]
    if not found:
        raise OutputError(f"{path}: no organ was found, and a {KIND} cannot be empty")
    renumber = np.zeros(256, np.uint8)
    for number, organ in enumerate(found, start=1):
        renumber[organ.number] = number
    labels = renumber[source.labels(result.labels)]
    segmentation = _segmentation(
        path, source, labels, result.labels.grid, found, result.record, seg_type)
    segmentation.save_as(path)


def _source(path: Path, image: Image) -> Source:
    source = read_source(path, image, KIND)
    if len(image.dicom_files) > 1 and source.slices[0].frame is not None:
        raise OutputError(
            f"{path}: {KIND} refers to one multi-frame file, and the input has "
            f"{len(image.dicom_files)}; choose .seg.nrrd or .nii.gz"
        )
    return source


def _segmentation(
    path: Path, source: Source, labels: np.ndarray, grid: Grid, found: Sequence[Organ],
    record: dict[str, Any], seg_type: str = "binary",
):
    """The data set of the segmentation.

    Args:
        labels: indices from 1 into `found` (N, H, W), for the first N slices or all frames of
            `source`.
    """
    import highdicom as hd
    from pydicom.uid import ExplicitVRLittleEndian, RLELossless

    column, row, distance = grid.spacing
    try:
        segmentation = hd.seg.Segmentation(
            source_images=_source_images(source, grid)[:len(labels)],
            pixel_array=labels,
            pixel_measures=hd.PixelMeasuresSequence((row, column), distance, distance),
            segmentation_type=seg_type.upper(),
            transfer_syntax_uid=RLELossless if seg_type == "labelmap" else ExplicitVRLittleEndian,
            segment_descriptions=[
                _description(number, organ, record) for number, organ in enumerate(found, start=1)
            ],
            series_instance_uid=hd.UID(),
            series_number=1000,
            sop_instance_uid=hd.UID(),
            instance_number=1,
            manufacturer="MetaUNETR",
            manufacturer_model_name=str(record.get("model", "MetaUNETR"))[:64],
            software_versions=__version__,
            device_serial_number="0",
            series_description="MetaUNETR abdominal organs",
            content_description="Automatic; research use only",
            specific_character_set="ISO_IR 192",  # UTF-8, whatever the CT's is
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise OutputError(
            f"{path}: the headers of the CT do not allow a {KIND} ({error}); choose .seg.nrrd"
        ) from error
    segmentation.update(source.common)
    return segmentation


def _source_images(source: Source, grid: Grid) -> list:
    """The headers of the CT for highdicom, without patient: it warns about unusual names."""
    import pydicom

    first = source.slices[0]
    images = []
    for item in source.slices if first.frame is None else [first]:
        header = pydicom.Dataset()
        if item.frame is not None:
            header = read_dataset(item.path, (
                "NumberOfFrames", "SharedFunctionalGroupsSequence",
                "PerFrameFunctionalGroupsSequence"))
        else:
            header.ImagePositionPatient = decimals(item.position)
            header.ImageOrientationPatient = decimals(item.axes)
            header.PixelSpacing = decimals(item.spacing)
            header.SliceThickness = decimals(grid.spacing[2:])[0]
        header.Modality = "CT"
        header.Columns, header.Rows = item.size
        for keyword in UIDS:
            setattr(header, keyword, item.text(keyword))
        for name in MAY_BE_EMPTY:
            setattr(header, name, "")
        if item.text("LossyImageCompression") == "01":
            for keyword in LOSSY:
                if value := item.text(keyword):
                    setattr(header, keyword, value.split("\\"))
        images.append(header)
    return images


def _description(number: int, organ: Organ, record: dict[str, Any]):
    import highdicom as hd
    from pydicom.sr.coding import Code

    def code(triple: organs.Code) -> Code:
        scheme, value, meaning = triple
        return Code(value, scheme, meaning)

    description = hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=organ.name,
        segmented_property_category=code(organs.CATEGORY),
        segmented_property_type=code(organ.code),
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=hd.AlgorithmIdentificationSequence(
            name="MetaUNETR",
            version=__version__,
            family=Code("123110", "DCM", "Artificial Intelligence"),
            parameters={key: str(record.get(key, "")) for key in ("model", "model_sha256")},
        ),
        tracking_uid=hd.UID(),
        tracking_id=organ.key,
        display_color=hd.color.CIELabColor.from_rgb(*organ.colour),
    )
    if organ.side:
        kind = description.SegmentedPropertyTypeCodeSequence[0]
        kind.SegmentedPropertyTypeModifierCodeSequence = [
            hd.sr.CodedConcept.from_code(code(organ.side))
        ]
    return description
