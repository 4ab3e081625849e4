"""Which file name means which format."""

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
    """The suffix of `path`, in lower case, that names its format; "" when none of `allowed`."""
    name = path.name.lower()
    return max((s for s in allowed if name.endswith(s)), key=len, default="")
