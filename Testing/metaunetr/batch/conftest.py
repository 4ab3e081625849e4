"""Files that look like CTs to whoever reads their headers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk


@pytest.fixture
def image(tmp_path) -> Callable[..., Path]:
    """Writes an image of a few voxels below the folder "in"."""
    def image(name: str, dtype=np.int16) -> Path:
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(sitk.GetImageFromArray(np.zeros((5, 4, 4), dtype)), str(path))
        return path
    return image


@pytest.fixture
def series(tmp_path) -> Callable[..., list[Path]]:
    """Writes the slices of a DICOM series into a folder below "in"."""
    def series(folder: str, uid: str = "1.2.3", slices: int = 5, modality: str = "CT",
               kind: str = "ORIGINAL\\PRIMARY\\AXIAL", number: str = "1",
               axes: str = "1\\0\\0\\0\\1\\0", **tags: str) -> list[Path]:
        """`tags`: further elements, such as g0010_0010 for the name of the patient."""
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        flat = sitk.GetImageFromArray(np.zeros((4, 4), np.int16))
        across = np.cross(*np.reshape(np.array(axes.split("\\"), float), (2, 3)))
        tags = {"0008|0060": modality, "0008|0008": kind, "0020|0011": number,
                "0020|000e": uid, "0020|000d": "1.2", "0020|0037": axes,
                **{key[1:].replace("_", "|"): value for key, value in tags.items()}}
        paths = []
        for k in range(slices):
            position = "\\".join(f"{k * a:g}" for a in across)
            for key, value in ({"0020|0032": position} | tags | {
                    "0008|0018": f"{uid}.{k + 1}"}).items():
                flat.SetMetaData(key, value)
            path = tmp_path / "in" / folder / f"{uid}-{k}.dcm"
            path.parent.mkdir(parents=True, exist_ok=True)
            writer.SetFileName(str(path))
            writer.Execute(flat)
            paths.append(path)
        return paths
    return series
