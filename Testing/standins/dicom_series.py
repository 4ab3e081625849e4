"""DICOM made from an image: CT series and enhanced CT, with whatever hospitals do to them.

`write_series` writes one file per slice, `write_enhanced` one file with a frame per slice. What
becomes of the bytes is said by `syntax` and `Stored`; everything else about a series is an element
of its header, given by name. `edit`, `move` and `tilt` spoil what was written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

from metaunetr.image import Grid, Image

NATIVE = {
    "implicit VR": ImplicitVRLittleEndian, "explicit VR": ExplicitVRLittleEndian,
    "big endian": ExplicitVRBigEndian,
}
COMPRESSED = {
    "JPEG lossless": JPEGLosslessSV1, "JPEG 2000 lossless": JPEG2000Lossless,
    "RLE": RLELossless, "JPEG-LS": JPEGLSLossless,
}
BY_ITK = {JPEGLosslessSV1: "JPEG", JPEG2000Lossless: "JPEG2000"}  # pydicom encodes the others

AXES = {  # Image Orientation (Patient): where columns and rows run to, LPS
    "axial": (1, 0, 0, 0, 1, 0), "axial, prone": (-1, 0, 0, 0, -1, 0),
    "axial, feet first": (-1, 0, 0, 0, 1, 0), "sagittal": (0, 1, 0, 0, 0, -1),
    "coronal": (1, 0, 0, 0, 0, -1), "oblique": (0.8, 0.6, 0, -0.36, 0.48, 0.8),
}


@dataclass(frozen=True)
class Stored:
    """How HU become stored values: stored × slope + intercept = HU.

    `slope` and `intercept` are one number, or one for each slice, over and over.
    """

    slope: float | Sequence[float] = 1
    intercept: float | Sequence[float] = -1024
    bits: int = 12
    signed: bool = False

    def of_slice(self, k: int) -> tuple[float, float]:
        return tuple(float(np.resize(v, k + 1)[k]) for v in (self.slope, self.intercept))

    @property
    def range(self) -> tuple[int, int]:
        return (-(1 << self.bits - 1), (1 << self.bits - 1) - 1) if self.signed else (
            0, (1 << self.bits) - 1)

    @property
    def dtype(self) -> type:
        return np.int16 if self.signed else np.uint16

    def values(self, hu: np.ndarray, k: int) -> np.ndarray:
        slope, intercept = self.of_slice(k)
        return np.clip(np.round((hu - intercept) / slope), *self.range).astype(self.dtype)

    def kept(self, image: Image) -> Image:
        """The HU that can be had back."""
        planes = [self.values(plane, k) * slope + intercept
                  for k, plane in enumerate(image.array)
                  for slope, intercept in [self.of_slice(k)]]
        return Image(np.stack(planes), image.grid)


def on_axes(image: Image, orientation: Sequence[float]) -> Image:
    """`image` with its rows and columns turned to this Image Orientation (Patient)."""
    rows, columns = np.reshape(orientation, (2, 3)).astype(float)
    direction = np.column_stack([rows, columns, np.cross(rows, columns)])
    return Image(image.array, Grid(image.grid.shape, image.grid.spacing, image.grid.origin,
                                   direction))


def write_series(
    folder: Path, image: Image, name: str = "slice", syntax: str = ExplicitVRLittleEndian,
    stored: Stored | None = None, preamble: bool = True, **elements,
) -> list[Path]:
    """Write `image` (HU) as one DICOM file per slice, named in a shuffled order as archives do.

    Args:
        preamble: False leaves out preamble and file meta information, as very old files do.
        elements: override those of every slice; None leaves an element out. A function is called
            with k.

    Returns:
        The files in the order of k.
    """
    folder.mkdir(parents=True, exist_ok=True)
    elements = {"SeriesInstanceUID": generate_uid(), **elements}
    names = np.random.default_rng(0).permutation(image.grid.shape[0])
    paths = [folder / f"{name}{number:03d}.dcm" for number in names]
    for k, path in enumerate(paths):
        item = _slice(image, k, stored or Stored())
        _override(item, {key: value(k) if callable(value) else value
                         for key, value in elements.items()})
        _save(item, path, syntax, preamble)
    return paths


def write_enhanced(
    path: Path, image: Image, syntax: str = ExplicitVRLittleEndian, stored: Stored | None = None,
    order: Sequence[int] | None = None, shared: bool = False, acquisitions: int = 1, **elements,
) -> Path:
    """Write `image` (HU) as one enhanced multi-frame CT.

    Args:
        order: which slice is which frame; None for a shuffled one.
        shared: the rescale values lie in the shared instead of the per-frame functional groups.
        acquisitions: how often the slices occur, each time as an acquisition of its own.
    """
    stored = stored or Stored()
    depth = image.grid.shape[0]
    order = np.random.default_rng(1).permutation(depth) if order is None else order
    item = _slice(image, 0, stored)
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing",
                 "SliceThickness", "RescaleSlope", "RescaleIntercept", "RescaleType"):
        delattr(item, name)
    item.SOPClassUID, item.InstanceNumber = EnhancedCTImageStorage, 1
    item.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    frames = [(turn, k) for turn in range(acquisitions) for k in order]
    item.NumberOfFrames = len(frames)
    orientation = _dataset(ImageOrientationPatient=_axes(image.grid))
    common = _dataset(
        PixelMeasuresSequence=[_dataset(PixelSpacing=_pixel_spacing(image.grid),
                                        SliceThickness=_short(image.grid.spacing[2]))],
        PlaneOrientationSequence=[orientation],
    )
    if shared:
        common.PixelValueTransformationSequence = [_rescale(stored, 0)]
    item.SharedFunctionalGroupsSequence = [common]
    item.PerFrameFunctionalGroupsSequence = []
    for turn, k in frames:
        frame = _dataset(
            FrameContentSequence=[_dataset(
                FrameAcquisitionNumber=turn + 1, StackID="1", InStackPositionNumber=int(k) + 1,
                DimensionIndexValues=[1, int(k) + 1])],
            PlanePositionSequence=[_dataset(ImagePositionPatient=_position(image.grid, k))],
        )
        if not shared:
            frame.PixelValueTransformationSequence = [_rescale(stored, k)]
        item.PerFrameFunctionalGroupsSequence.append(frame)
    item.PixelData = np.stack(
        [stored.values(image.array[k], 0 if shared else k) + 0 for _, k in frames]
    ).astype(np.dtype(stored.dtype).newbyteorder("<")).tobytes()
    _override(item, elements)
    path.parent.mkdir(parents=True, exist_ok=True)
    _save(item, path, syntax)
    return path


def edit(path: Path, **elements) -> None:
    """Override elements of a file; None leaves one out."""
    item = pydicom.dcmread(path)
    _override(item, elements)
    item.save_as(path)


def compress(path: Path, syntax: str) -> None:
    """Compress the voxels of a file, UIDs and all else unchanged."""
    item = pydicom.dcmread(path)
    item.compress(syntax, generate_instance_uid=False)
    item.save_as(path)


def move(path: Path, i: float = 0, j: float = 0, k: float = 0) -> None:
    """Shift the Image Position (Patient) of a slice by mm."""
    x, y, z = pydicom.dcmread(path).ImagePositionPatient
    edit(path, ImagePositionPatient=[x + i, y + j, z + k])


def tilt(paths: Sequence[Path], degrees: float, distance: float) -> None:
    """Shear axial slices, given in the order of k, as a tilted gantry does."""
    for k, path in enumerate(paths):
        move(path, j=k * distance * np.tan(np.radians(degrees)))


def _slice(image: Image, k: int, stored: Stored) -> Dataset:
    grid = image.grid
    item = _dataset(
        SOPClassUID=CTImageStorage, SOPInstanceUID=generate_uid(), Modality="CT",
        ImageType=["ORIGINAL", "PRIMARY", "AXIAL"],
        StudyInstanceUID=generate_uid(entropy_srcs=["study"]),
        FrameOfReferenceUID=generate_uid(entropy_srcs=["frame"]),
        SeriesInstanceUID=generate_uid(entropy_srcs=["series"]),
        SeriesDescription="abdomen", SeriesNumber=1, InstanceNumber=k + 1, AcquisitionNumber=1,
        Manufacturer="test", PatientName="Test^Case", PatientID="1",
        SliceThickness=_short(grid.spacing[2]), PixelSpacing=_pixel_spacing(grid),
        ImageOrientationPatient=_axes(grid), ImagePositionPatient=_position(grid, k),
        Rows=grid.shape[1], Columns=grid.shape[2],
        SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2",
        BitsAllocated=16, BitsStored=stored.bits, HighBit=stored.bits - 1,
        PixelRepresentation=int(stored.signed),
        PixelData=stored.values(image.array[k], k).astype(
            np.dtype(stored.dtype).newbyteorder("<")).tobytes(),
    )
    item.update(_rescale(stored, k))
    return item


def _save(item: Dataset, path: Path, syntax: str, preamble: bool = True) -> None:
    item.file_meta = FileMetaDataset()
    item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    item["PixelData"].VR = "OW"
    if syntax in BY_ITK:
        _encode_by_itk(item, syntax)
    elif syntax in COMPRESSED.values():
        item.compress(syntax, generate_instance_uid=False)
    elif syntax == ExplicitVRBigEndian:
        item.PixelData = np.frombuffer(item.PixelData, "<u2").astype(">u2").tobytes()
    item.file_meta.TransferSyntaxUID = syntax
    if not preamble:
        del item.file_meta
        item.save_as(path, implicit_vr=True, little_endian=True, enforce_file_format=False)
        return
    item.file_meta.MediaStorageSOPClassUID = item.SOPClassUID
    item.file_meta.MediaStorageSOPInstanceUID = item.SOPInstanceUID
    item.save_as(path, implicit_vr=syntax == ImplicitVRLittleEndian,
                 little_endian=syntax != ExplicitVRBigEndian, enforce_file_format=True)


def _encode_by_itk(item: Dataset, syntax: str) -> None:
    """Pixel data as SimpleITK compresses them, one frame after the other."""
    dtype = np.int16 if item.PixelRepresentation else np.uint16
    frames = np.frombuffer(item.PixelData, dtype).reshape(-1, item.Rows, item.Columns)
    writer = sitk.ImageFileWriter()
    writer.SetImageIO("GDCMImageIO")
    writer.UseCompressionOn()
    writer.SetCompressor(BY_ITK[syntax])
    encoded = []
    with TemporaryDirectory() as folder:
        path = Path(folder) / "frame.dcm"
        writer.SetFileName(str(path))
        for frame in frames:
            writer.Execute(sitk.GetImageFromArray(frame[None]))
            encoded += generate_frames(pydicom.dcmread(path).PixelData, number_of_frames=1)
    item.PixelData = encapsulate(encoded)
    item["PixelData"].VR = "OB"
    item["PixelData"].is_undefined_length = True


def _override(item: Dataset, elements: dict) -> None:
    for key, value in elements.items():
        if value is None:
            if key in item:
                delattr(item, key)
        elif isinstance(value, pydicom.DataElement):
            item.add(value)
        else:
            setattr(item, key, value)


def _dataset(**elements) -> Dataset:
    item = Dataset()
    _override(item, elements)
    return item


def _rescale(stored: Stored, k: int) -> Dataset:
    slope, intercept = stored.of_slice(k)
    return _dataset(RescaleSlope=_short(slope), RescaleIntercept=_short(intercept),
                    RescaleType="HU")


def _pixel_spacing(grid: Grid) -> list[str]:
    return [_short(grid.spacing[1]), _short(grid.spacing[0])]


def _axes(grid: Grid) -> list[str]:
    return [_short(v) for v in np.asarray(grid.direction)[:, :2].T.ravel()]


def _position(grid: Grid, k: int) -> list[str]:
    return [_short(v) for v in (grid.affine @ [0, 0, k, 1])[:3]]


def _short(value: float) -> str:
    return f"{round(float(value), 9):.12g}"[:16]  # a decimal string has at most 16 characters
