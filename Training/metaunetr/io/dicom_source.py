"""The elements that a DICOM SEG or RTSTRUCT takes over from the headers of its CT.

They are checked before the network runs, so that an object that cannot be made is refused at once.
UIDs must be valid, since the object refers to them. Invalid values of patient and study, which are
only copied, are left empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from pydicom import valuerep
from pydicom.config import RAISE
from pydicom.datadict import dictionary_description, dictionary_VM, dictionary_VR
from pydicom.dataset import Dataset

from metaunetr import library_messages
from metaunetr.errors import OutputError
from metaunetr.image import Image
from metaunetr.io.dicom.header import Slice, read_dataset, read_header, tag_of
from metaunetr.io.dicom.multiframe import frames_of

UIDS = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID",
        "FrameOfReferenceUID")
LOSSY = ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod")
UID = re.compile(r"\d+(\.\d+)*", re.ASCII)  # also "1.02", not in the standard, but in use
MAY_BE_EMPTY = (  # type 2 attributes of patient, study and frame of reference
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyID", "StudyDate",
    "StudyTime", "AccessionNumber", "ReferringPhysicianName", "PositionReferenceIndicator",
)
MAY_BE_ABSENT = (
    "IssuerOfPatientID", "OtherPatientIDs", "PatientAge", "PatientSize", "PatientWeight",
    "EthnicGroup", "PatientComments", "PatientIdentityRemoved", "DeidentificationMethod",
    "StudyDescription",
)
SEXES = ("M", "F", "O")
FORMATTED = ("AS", "CS", "DA", "DS", "IS", "TM")  # value representations that have a format


@dataclass(frozen=True)
class Source:
    """The headers of the CT that an object refers to.

    Attributes:
        slices: the headers of all files or frames, in the order of the image's files and their
            frames.
        places: k of each slice in the image.
        common: the elements of patient, study and frame of reference; type 2 elements are present,
            and empty if the CT has no valid value.
        warnings: sentences about values that were left out of `common`.
    """

    slices: list[Slice]
    places: np.ndarray
    common: Dataset
    warnings: tuple[str, ...]

    def labels(self, image: Image) -> np.ndarray:
        """The labels (N, H, W) of `image` on the slices of the CT, in the order of `slices`."""
        return image.on_slices()[self.places]


@library_messages.hidden()
def read_source(path: Path, image: Image, kind: str) -> Source:
    """Read the headers of the CT `image` for an object at `path`.

    Args:
        kind: name of the object in messages.

    Raises:
        OutputError: `image` is not a DICOM series, a UID is missing or invalid, or slices share a
            SOP Instance UID.
    """
    if not image.dicom_files:
        raise OutputError(
            f"{path}: {kind} refers to the slices of a DICOM series, and the input "
            f"{image.source or 'in memory'} is none; choose .seg.nrrd or .nii.gz"
        )
    slices = []
    for file in map(Path, image.dicom_files):
        item = read_header(file)
        if item is None:
            raise OutputError(f"{file}: {kind} cannot refer to it, it has changed; try again")
        _check_uids(item, slices[0] if slices else item, kind)
        slices += frames_of(item)
    _check_distinct(slices, kind)
    positions = [[*item.position, 1] for item in slices]
    places = np.rint((np.linalg.inv(image.grid.affine) @ np.transpose(positions))[2]).astype(int)
    common, warnings = _common(slices[0].path, kind)
    return Source(slices, places, common, warnings)


def _check_uids(item: Slice, first: Slice, kind: str) -> None:
    for keyword in UIDS:
        uid = item.text(keyword)
        element = f"{dictionary_description(keyword)} {tag_of(keyword)}"
        if not UID.fullmatch(uid) or len(uid) > 64:
            raise OutputError(
                f"{item.path}: {kind} needs a valid {element}, it is {uid[:100]!r}; choose "
                ".seg.nrrd or .nii.gz"
            )
        if keyword not in ("SOPClassUID", "SOPInstanceUID") and uid != first.text(keyword):
            raise OutputError(
                f"{item.path}: {kind} needs one {element} for all slices, it is {uid!r} here and "
                f"{first.text(keyword)!r} in {first.path.name}; choose .seg.nrrd or .nii.gz"
            )


def _check_distinct(slices: list[Slice], kind: str) -> None:
    seen = {}
    for item in slices:
        other = seen.setdefault((item.text("SOPInstanceUID"), item.frame), item)
        if other is not item:
            raise OutputError(
                f"{item.path}: {kind} needs a SOP Instance UID of its own for each slice, "
                f"{item.text('SOPInstanceUID')!r} is that of {other.path.name} as well; choose "
                ".seg.nrrd or .nii.gz"
            )


def _common(file: Path, kind: str):
    """Elements of patient, study and frame of reference, and warnings about those left out."""
    names = (*MAY_BE_EMPTY, *MAY_BE_ABSENT)
    header = read_dataset(file, names)
    common, left_out = Dataset(), []
    for name in names:
        if name in header:
            element = _valid(header, name)
            if element is None:
                left_out.append(dictionary_description(name))
            else:
                common.add(element)
        if name in MAY_BE_EMPTY and name not in common:
            setattr(common, name, "")
    if not left_out:
        return common, ()
    values = "value" if len(left_out) == 1 else "values"
    return common, (f"{kind} is without {', '.join(left_out)}: no valid {values} in the CT.",)


def _valid(header, name: str):
    """An element if its value is valid, else None.

    The bytes in the file are checked: when pydicom converts an invalid value, it issues a warning
    that quotes it, and so names the patient.
    """
    raw, kind = header.get_item(name, keep_deferred=True), dictionary_VR(name)
    if raw.VR not in (None, "UN", kind):
        return None
    try:
        if kind in FORMATTED:
            text = bytes(raw.value or b"").decode("ascii").strip(" \0")
            values = [value.strip() for value in text.split("\\")] if text else []
            if len(values) > 1 and dictionary_VM(name) == "1":
                return None
            for value in values:
                valuerep.validate_value(kind, value, RAISE)
                if kind == "DA":
                    datetime.strptime(value, "%Y%m%d")
                elif kind == "TM":
                    valuerep.TM(value)
            if name == "PatientSex" and text not in ("", *SEXES):
                return None
        return header[name]
    except (AttributeError, OverflowError, TypeError, ValueError):
        return None


def decimals(values: Iterable[float]) -> list[str]:
    """Numbers as decimal strings (DS), which have at most 16 characters."""
    return [f"{value:.9g}" for value in np.asarray(values, float) + 0.0]
