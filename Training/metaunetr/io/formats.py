"""The table of file formats. A new format is a file in this folder and a line in FORMATS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Format:
    """One file format; its functions are named as "module.function" and imported on first use.

    Attributes:
        name: as `metaunetr info` shows it.
        read: suffixes of files that are read, in lower case.
        write: suffixes of files that are written.
        header: a `header.Header`, if files are read.
        write_image: takes a path and an `Image`; also writes label maps.
        write_result: takes a path and a `Result`, if labels are more than an image.
        check: takes a path and the input or None, before the run; see `write.check_labels`.
        option: its name for `metaunetr batch --format`, if it has one.
    """

    name: str
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    header: str = ""
    write_image: str = ""
    write_result: str = ""
    check: str = ""
    option: str = ""


SEGMENTATION = (".seg.nrrd",)
NIFTI = (".nii.gz", ".nii")
DICOM = (".dcm",)
ARCHIVE = (".zip",)
FORMATS = (
    Format("Slicer segmentation", SEGMENTATION, SEGMENTATION, "nrrd.NrrdHeader",
           write_result="seg_nrrd.write_seg_nrrd", option="seg.nrrd"),
    Format("NIfTI", NIFTI, NIFTI, "nifti.NiftiHeader", "nifti.write_nifti", option="nii.gz"),
    Format("NRRD", (".nrrd", ".nhdr"), (".nrrd",), "nrrd.NrrdHeader", "nrrd.write_nrrd"),
    Format("MetaImage", (".mha", ".mhd"), (".mha",), "metaimage.MetaImageHeader",
           "metaimage.write_metaimage"),
    Format("DICOM SEG", write=DICOM, write_result="dicom_seg.write_dicom_seg",
           check="dicom_seg.check", option="dicomseg"),
    Format("RTSTRUCT", write=(".rtstruct.dcm",), write_result="dicom_rtstruct.write_rtstruct",
           check="dicom_rtstruct.check", option="rtstruct"),
)

LABELS = tuple(suffix for kind in FORMATS for suffix in kind.read)
IMAGES = tuple(suffix for suffix in LABELS if suffix not in SEGMENTATION)
READABLE = LABELS + DICOM + ARCHIVE
WRITABLE_IMAGES = tuple(s for kind in FORMATS if kind.write_image for s in kind.write)
WRITABLE_LABELS = tuple(suffix for kind in FORMATS for suffix in kind.write)


def suffix_of(path: Path, allowed: tuple[str, ...] = READABLE) -> str:
    """The longest of `allowed` that `path` ends in, in lower case; "" for none."""
    name = path.name.lower()
    return max((s for s in allowed if name.endswith(s)), key=len, default="")


def readable(path: Path) -> Format | None:
    """The format of an image file with a header, by its name; None for others, such as DICOM."""
    suffix = suffix_of(path)
    return next((kind for kind in FORMATS if suffix in kind.read), None)


def writable(path: Path, allowed: tuple[str, ...]) -> Format:
    """The format in which `path` is written, by the one of the suffixes `allowed` in its name.

    Raises:
        StopIteration: it has none of them.
    """
    suffix = suffix_of(path, allowed)
    return next(kind for kind in FORMATS if suffix in kind.write)


def load(function: str) -> Callable[..., Any]:
    """What "module.function" names, in this package."""
    module, _, name = function.partition(".")
    return getattr(import_module(f"metaunetr.io.{module}"), name)
