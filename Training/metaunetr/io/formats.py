"""File name suffixes of the formats."""

from __future__ import annotations

from pathlib import Path

NIFTI = (".nii.gz", ".nii")
SEGMENTATION = (".seg.nrrd",)
NRRD = (".nrrd", ".nhdr")
META = (".mha", ".mhd")
DICOM = (".dcm",)
RTSTRUCT = (".rtstruct.dcm",)
ARCHIVE = (".zip",)

READABLE = NIFTI + SEGMENTATION + NRRD + META + DICOM + ARCHIVE
WRITABLE_IMAGES = (".nii.gz", ".nii", ".nrrd", ".mha")
WRITABLE_LABELS = (*SEGMENTATION, *WRITABLE_IMAGES, *DICOM, *RTSTRUCT)


def suffix_of(path: Path, allowed: tuple[str, ...] = READABLE) -> str:
    """The longest of `allowed` that `path` ends in, in lower case; "" for none."""
    name = path.name.lower()
    return max((s for s in allowed if name.endswith(s)), key=len, default="")
