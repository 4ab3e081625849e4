"""Image files with whatever their headers say: fields are overwritten, added or left out (None)."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from metaunetr.image import Grid, Image
from metaunetr.io import write_image
from metaunetr.io.nifti import HEADER

VOXELS = np.arange(-60, 60, dtype="<i2").reshape(4, 5, 6)  # (D, H, W)
RAW = VOXELS.tobytes()
NRRD = {
    "type": "short", "dimension": "3", "space": "left-posterior-superior", "sizes": "6 5 4",
    "space directions": "(0,2,0) (1.5,0,0) (0,0,-3)", "endian": "little", "encoding": "raw",
    "space origin": "(-7,8.5,9)",
}
META = {
    "ObjectType": "Image", "NDims": "3", "BinaryData": "True", "BinaryDataByteOrderMSB": "False",
    "TransformMatrix": "0 1 0 1 0 0 0 0 -1", "Offset": "-7 8.5 9", "ElementSpacing": "2 1.5 3",
    "DimSize": "6 5 4", "ElementType": "MET_SHORT", "ElementDataFile": "LOCAL",
}
Changes = dict[str, object]


def nrrd(folder: Path, changes: Changes, data: bytes = RAW, end: str = "\n") -> Path:
    fields = {key: value for key, value in (NRRD | changes).items() if value is not None}
    lines = ["NRRD0005", "# a comment", *(f"{k}: {v}" for k, v in fields.items()), "key:=value"]
    path = folder / "ct.nrrd"
    path.write_bytes(end.join([*lines, "", ""]).encode() + data)
    return path


def mha(folder: Path, changes: Changes, data: bytes = RAW, end: str = "\n") -> Path:
    last = "ElementDataFile"
    fields = META | changes
    fields = {k: v for k, v in fields.items() if v is not None and k != last} | {last: fields[last]}
    path = folder / "ct.mha"
    path.write_bytes("".join(f"{k} = {v}{end}" for k, v in fields.items()).encode() + data)
    return path


def nii(folder: Path, changes: Changes, data: bytes = b"", name: str = "ct.nii") -> Path:
    """VOXELS 2 by 1.5 by 3 mm large.

    Args:
        data: what follows the voxels.
    """
    path = folder / name.removesuffix(".gz")
    write_image(path, Image(VOXELS, Grid(VOXELS.shape, (2, 1.5, 3), (-7, 8.5, 9))))
    return edited(path, changes, data, path.with_name(name))


def nii_gz(folder: Path, changes: Changes, data: bytes = b"") -> Path:
    return nii(folder, changes, data, "ct.nii.gz")


def edited(path: Path, changes: Changes, data: bytes = b"", target: Path | None = None) -> Path:
    """An uncompressed NIfTI file with header fields overwritten."""
    raw = path.read_bytes()
    header = np.frombuffer(raw, HEADER, count=1)[0].copy()
    for field, value in changes.items():
        header[field] = value
    raw, target = header.tobytes() + raw[HEADER.itemsize:] + data, target or path
    target.write_bytes(gzip.compress(raw, 1) if target.suffix == ".gz" else raw)
    return target
