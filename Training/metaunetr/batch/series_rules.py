"""The rules which DICOM series are CTs to segment, by their headers.

A series is left out if one of these is true; the first one is reported:

    its modality is not CT, or its SOP class is no CT image (a screenshot, a dose report)
    its image type is that of a localizer, a projection or rendering (MIP), a screenshot, a dose
        report, or a map of something else than HU (perfusion)
    it has fewer slices or frames than a volume needs, or its slices lie at fewer positions:
        bolus tracking shows one position over and over
    its slices are closer to sagittal or coronal than to axial
    it is derived, and there is an axial CT of the same study (see `duplicates`)

With `--all-series` only the modality and the number of slices and positions count.
"""

from __future__ import annotations

import numpy as np

from metaunetr.errors import InputError
from metaunetr.guard import MIN_SLICES
from metaunetr.io import dicom

CT_CLASSES = tuple(f"1.2.840.10008.5.1.4.1.1.2{end}" for end in ("", ".1", ".2"))
KINDS = {  # words of the image type
    "a localizer": {"LOCALIZER", "SCOUT", "TOPOGRAM", "SURVIEW", "SCANOGRAM"},
    "a projection or rendering": {"MIP", "MINIP", "MIN_IP", "PROJECTION IMAGE", "VOLUME RENDERED",
                                  "VRT", "SSD", "RENDERED", "3D"},
    "a screenshot": {"SCREEN SAVE", "SCREENSHOT", "SCREEN"},
    "a dose report": {"DOSE", "DOSE_INFO", "DOSE REPORT"},
    "a map, not HU": {"PERFUSION", "CBF", "CBV", "MTT", "TTP", "TMAX", "IODINE", "EFF_Z", "RHO"},
}
PLANES = ("sagittal", "coronal", "axial")  # across x, y and z


def reason_to_leave_out(slices: list[dicom.Slice], all_series: bool) -> str:
    """Why a series is not segmented; "" if it may be. The slices are those of one volume."""
    first = slices[0]
    modality = first.text("Modality")
    if modality != "CT":
        return f"a series of modality {modality or 'unknown'}, not CT"
    rules = [_is_too_short] if all_series else [_is_of_a_kind, _is_too_short, _is_not_axial]
    return next(filter(None, (rule(slices) for rule in rules)), "")


def is_derived(first: dicom.Slice) -> bool:
    """Whether the image type of the first slice says that the series is derived."""
    return _kind(first)[:1] == ["DERIVED"]


def study(first: dicom.Slice) -> str:
    """Identifies study and patient: anonymizers may give several patients the same UID.

    "" if the series has no Study Instance UID.
    """
    uid = first.text("StudyInstanceUID")
    return uid and f"{uid} {first.text('PatientID')}"


def _kind(first: dicom.Slice) -> list[str]:
    return [word.strip() for word in first.text("ImageType").upper().split("\\")]


def _is_of_a_kind(slices: list[dicom.Slice]) -> str:
    words = set(_kind(slices[0]))
    for name, those in KINDS.items():
        if words & those:
            return name
    is_image = slices[0].text("SOPClassUID") in ("", *CT_CLASSES)
    return "" if is_image else "a screenshot or report, no CT image"


def _is_too_short(slices: list[dicom.Slice]) -> str:
    frames = slices[0].text("NumberOfFrames")
    count = max(len(slices), int(frames) if frames.isdecimal() else 0)
    if count < MIN_SLICES:
        return f"a series of {count} slices; a volume needs {MIN_SLICES}"
    positions = len({item.text("ImagePositionPatient") or item.path for item in slices})
    few = len(slices) >= MIN_SLICES > positions
    return f"its slices lie at fewer than {MIN_SLICES} positions" if few else ""


def _is_not_axial(slices: list[dicom.Slice]) -> str:
    try:
        axes = slices[0].axes
    except InputError:  # reading it will tell
        return ""
    plane = PLANES[int(np.abs(np.cross(axes[:3], axes[3:])).argmax())]
    return "" if plane == "axial" else f"its slices are {plane}, not axial"
