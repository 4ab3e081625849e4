"""A small CT, a result, and DICOM series made of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from metaunetr import organs
from metaunetr.image import Grid, Image
from metaunetr.result import OrganResult, Result

SHAPE = (12, 40, 48)  # (D, H, W)


def rotation(x: float, y: float, z: float) -> np.ndarray:
    """Rotations about the three axes, in degrees, one after the other."""
    matrix = np.eye(3)
    for axis, angle in enumerate(np.radians([x, y, z])):
        a, b = [n for n in range(3) if n != axis]
        turn = np.eye(3)
        turn[[a, b], [a, b]] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix


@pytest.fixture
def ct() -> Image:
    """An elliptic body with fat, soft tissue, spine and noise in air; 5 mm slices, LPS axes."""
    noise = np.random.default_rng(7).normal(0, 12, SHAPE)
    _, y, x = np.indices(SHAPE)
    radius = np.hypot((y - 20) / 15, (x - 24) / 20)
    hu = np.select([radius < 0.7, radius < 1.0], [50.0, -100.0], -1000.0)
    hu[np.hypot(y - 28, x - 24) < 4] = 400
    hu = np.clip(hu + noise, -1024, 3071).astype(np.int16)
    return Image(hu, Grid(SHAPE, (8.0, 7.5, 5.0), (-120.5, -80.25, 300.125)))


@pytest.fixture
def result(ct: Image) -> Result:
    """Spleen, both kidneys and a liver as boxes; the gallbladder was not found."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[2:6, 10:14, 30:36] = 1
    labels[1:4, 22:26, 12:16] = 2
    labels[1:4, 22:26, 32:36] = 3
    labels[4:10, 8:20, 8:24] = 6
    items = []
    for number in (1, 2, 3, 4, 6):
        voxels = int((labels == number).sum())
        items.append(OrganResult(
            organs.BY_NUMBER[number], voxels, voxels * ct.grid.voxel_volume, 50.0, 12.0, 0.9375,
            ("touches the border | of the image",) if number == 6 else (),
        ))
    record = {"model": "abdomen8-3mm", "model_sha256": "ab" * 32, "note": "Größe | \"quoted\""}
    grid = Grid(SHAPE, ct.grid.spacing, ct.grid.origin, rotation(5, -10, 20))
    return Result(Image(labels, grid), tuple(items), record)


@pytest.fixture
def write_series() -> Callable[..., list[Path]]:
    pytest.importorskip("pydicom", reason="DICOM test series are written with pydicom")
    return _write_series


def _write_series(folder: Path, image: Image, name: str = "slice", **changes) -> list[Path]:
    """Write `image` (HU) as one DICOM file per slice; `changes` override elements in all.

    Files are named in a shuffled order, as archives do. Returns them in the order of k.
    """
    from pydicom.uid import generate_uid

    folder.mkdir(exist_ok=True)
    names = np.random.default_rng(0).permutation(image.grid.shape[0])
    common = {
        "StudyInstanceUID": generate_uid(entropy_srcs=["study"]),
        "FrameOfReferenceUID": generate_uid(entropy_srcs=["frame"]),
        "SeriesInstanceUID": generate_uid(), **changes,
    }
    paths = []
    for k, number in enumerate(names):
        paths.append(folder / f"{name}{number:03d}.dcm")
        _slice(image, k, common).save_as(paths[-1], enforce_file_format=True)
    return paths


def _slice(image: Image, k: int, changes: dict):
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    grid = image.grid
    item = Dataset()
    item.file_meta = FileMetaDataset()
    item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    item.file_meta.MediaStorageSOPClassUID = item.SOPClassUID = CTImageStorage
    item.file_meta.MediaStorageSOPInstanceUID = item.SOPInstanceUID = generate_uid()
    item.Modality, item.SeriesDescription, item.Manufacturer = "CT", "abdomen", "test"
    item.PatientName, item.PatientID, item.InstanceNumber = "Test^Case", "1", k + 1
    item.SliceThickness = grid.spacing[2]
    item.PixelSpacing = [_short(grid.spacing[1]), _short(grid.spacing[0])]
    item.ImageOrientationPatient = [_short(v) for v in np.asarray(grid.direction)[:, :2].T.ravel()]
    item.ImagePositionPatient = [_short(v) for v in (grid.affine @ [0, 0, k, 1])[:3]]
    item.Rows, item.Columns = grid.shape[1:]
    item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
    item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 16, 12, 11, 0
    item.RescaleSlope, item.RescaleIntercept, item.RescaleType = 1, -1024, "HU"
    item.PixelData = (image.array[k].astype(int) + 1024).astype("<u2").tobytes()
    for key, value in changes.items():
        setattr(item, key, value)
    return item


def _short(value: float) -> str:
    return f"{round(value, 9):.12g}"[:16]  # a decimal string has at most 16 characters
