"""Writes a volume node to a file for the engine, with its exact geometry."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import slicer
import slicer.util
import vtk

from metaunetr.io.nrrd import encode_header
from MetaUNETRSegmentLib.i18n import tr as _

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])  # from RAS and back
COARSE = 64  # voxels per axis, enough to estimate the time of a run

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]  # (k, j, i), half-open


@dataclass(frozen=True)
class Snapshot:
    """The input of a run, taken when it began: a sequence may change the volume meanwhile.

    Attributes:
        volumeId: the node; it may be gone when the run ends.
        shape: voxels (K, J, I).
        ijkToRas: 4×4, to the volume's own coordinates: without its parent transform.
        transformId: the parent transform, or None.
        voxels: `fingerprint` of the volume, "" where it does not matter.
    """

    volumeId: str
    name: str
    shape: tuple[int, int, int]
    ijkToRas: np.ndarray
    transformId: str | None
    voxels: str = ""


def snapshot(volumeNode) -> Snapshot:
    """The geometry of a volume that can be segmented.

    Raises:
        ValueError: it has no voxels, is a label map, or has several values in a voxel.
    """
    if volumeNode is None or volumeNode.GetImageData() is None:
        name = volumeNode.GetName() if volumeNode else "none"
        raise ValueError(
            _("The input volume must have voxels; this one has not: {name}.").format(name=name))
    name = volumeNode.GetName()
    if volumeNode.IsA("vtkMRMLLabelMapVolumeNode"):
        raise ValueError(_("The input must be a CT; {name} is a label map.").format(name=name))
    components = volumeNode.GetImageData().GetNumberOfScalarComponents()
    if components != 1:
        raise ValueError(
            _("Every voxel of the input must have one value; {name} has {count} (colours, "
              "directions or frames).").format(name=name, count=components))
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    shape = tuple(reversed(volumeNode.GetImageData().GetDimensions()))
    return Snapshot(volumeNode.GetID(), name, shape, slicer.util.arrayFromVTKMatrix(matrix),
                    volumeNode.GetTransformNodeID())


def fingerprint(volumeNode) -> str:
    """A hash of every n-th voxel, by which the frames of a sequence differ."""
    array = slicer.util.arrayFromVolume(volumeNode)
    k, j, i = (-(-size // COARSE) for size in array.shape)
    return hashlib.sha256(np.ascontiguousarray(array[::k, ::j, ::i])).hexdigest()[:16]


def writeVolume(volumeNode, path: Path) -> None:
    """Writes the volume as an uncompressed NRRD with its own geometry.

    Raises:
        ValueError: as `snapshot`.
        OSError: the file cannot be written.
    """
    writeArray(slicer.util.arrayFromVolume(volumeNode), snapshot(volumeNode).ijkToRas, path)


def writeCoarse(volumeNode, path: Path) -> None:
    """Writes every n-th voxel, which is enough to estimate the time of a run.

    Raises:
        ValueError, OSError: as `writeVolume`.
    """
    known = snapshot(volumeNode)
    k, j, i = (-(-size // COARSE) for size in known.shape)
    array = slicer.util.arrayFromVolume(volumeNode)[::k, ::j, ::i]
    writeArray(array, known.ijkToRas @ np.diag([i, j, k, 1]), path)


def writeArray(array: np.ndarray, ijkToRas: np.ndarray, path: Path) -> None:
    """Writes `array` (K, J, I) as an uncompressed NRRD."""
    with open(path, "wb") as file:
        file.write(encode_header(array, LPS @ ijkToRas, "raw", {}))
        file.write(np.ascontiguousarray(array))
