"""What a DICOM object made from a CT, DICOM SEG or RTSTRUCT, takes over from its headers.

It is checked before the network runs: an object that cannot be made is refused in a second instead
of after minutes. UIDs must be right, since the object refers by them. What it only copies about
patient and study may be empty, so that a value that is none in DICOM becomes empty.
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

from metaunetr.errors import OutputError
from metaunetr.image import Image
from metaunetr.io.dicom.frames import frames_of
from metaunetr.io.dicom.header import Slice, read_dataset, read_header, tag_of

UIDS = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID",
        "FrameOfReferenceUID")
LOSSY = ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod")
UID = re.compile(r"\d+(\.\d+)*", re.ASCII)  # also "1.02", which the standard forbids: it is in use
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
FORMATTED = ("AS", "CS", "DA", "DS", "IS", "TM")  # value representations that are no free text


@dataclass(frozen=True)
class Source:
    """The headers of the CT that an object refers to.

    Attributes:
        slices: of each file or frame, in the order of the image's files and their frames.
        places: k of each of them in the image.
        common: pydicom data set of patient, study and frame of reference; what may be empty is
            there and valid.
        warnings: sentences about values that were left out of `common`.
    """

    slices: list[Slice]
    places: np.ndarray
    common: object
    warnings: tuple[str, ...]

    def labels(self, image: Image) -> np.ndarray:
        """The voxels (N, H, W) of the label map `image` on the CT's slices, in their order."""
        return image.on_slices()[self.places]


def read_source(path: Path, image: Image, kind: str) -> Source:
    """The headers of the CT `image`, as far as an object at `path` needs them.

    Args:
        kind: what the object is called in messages.

    Raises:
        OutputError: pydicom is missing, `image` is no DICOM series, a UID is missing or none, or
            slices have no UIDs of their own.
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
    """Patient, study and frame of reference, and warnings about what was left out."""
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
    """An element that may be copied, or None.

    It is looked at as it is in the file: where pydicom makes a value of one that is none, it warns,
    and quotes what is nobody's business.
    """
    raw, kind = header.get_item(name), dictionary_VR(name)
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
    """Numbers as decimal strings, which have at most 16 characters."""
    return [f"{value:.9g}" for value in np.asarray(values, float) + 0.0]
