"""The surface of an organ as an STL or OBJ file, for 3D printing and other programs.

Needs vtk, which the extra `surfaces` installs and 3D Slicer has.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np

from metaunetr import extras
from metaunetr.boxes import bounding_box
from metaunetr.errors import OutputError
from metaunetr.image import Grid
from metaunetr.io.atomic import atomic

SUFFIXES = (".stl", ".obj")
# Slicer reads the coordinate system from the header (vtkMRMLModelStorageNode); by default it
# writes LPS itself.
HEADER = "MetaUNETR. SPACE=LPS"
PASS_BAND, ITERATIONS = 0.01, 40  # Slicer's default smoothing, factor 0.5
STL = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def check(path: Path) -> None:
    """Refuse surfaces where they cannot be made.

    Raises:
        OutputError: vtk is not installed.
    """
    try:
        import vtkmodules  # noqa: F401
    except ImportError:
        raise OutputError(
            extras.missing(f"{path}: a surface file", "vtk", "surfaces")) from None


def write_surface(path: str | PathLike[str], mask: np.ndarray, grid: Grid) -> None:
    """Write the smoothed surface of a mask, in LPS mm as Slicer does.

    Args:
        path: ends in .stl (binary) or .obj.
        mask: bool (D, H, W) with at least one voxel.

    Raises:
        OutputError: vtk is missing, or the file cannot be written; nothing is left behind.
    """
    path = Path(path)
    check(path)
    points, triangles = surface(mask, grid)
    with atomic(path) as temporary:
        # VTK's own writers report success when the disk is full.
        if path.suffix.lower() == ".obj":
            temporary.write_text(_obj(points, triangles), encoding="ascii")
        else:
            temporary.write_bytes(_stl(points[triangles]))


def surface(mask: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """The smoothed surface of a mask (D, H, W): closed, its normals outwards.

    As Slicer makes closed surfaces: discrete flying edges and windowed-sinc smoothing in voxel
    coordinates (vtkBinaryLabelmapToClosedSurfaceConversionRule).

    Returns:
        points (N, 3) in LPS mm, and the indices of the points of each triangle (M, 3),
        anticlockwise as seen from outside.
    """
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkFiltersCore import vtkWindowedSincPolyDataFilter
    from vtkmodules.vtkFiltersGeneral import vtkDiscreteFlyingEdges3D

    image, corner = _cropped(mask)
    edges = vtkDiscreteFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, 1)
    edges.ComputeScalarsOff()
    smoother = vtkWindowedSincPolyDataFilter()
    smoother.SetInputConnection(edges.GetOutputPort())
    smoother.SetNumberOfIterations(ITERATIONS)
    smoother.SetPassBand(PASS_BAND)
    smoother.BoundarySmoothingOff()
    smoother.FeatureEdgeSmoothingOff()
    smoother.NonManifoldSmoothingOn()
    smoother.NormalizeCoordinatesOn()
    smoother.Update()

    output = smoother.GetOutput()
    voxels = vtk_to_numpy(output.GetPoints().GetData()) + np.array(corner, float)
    triangles = vtk_to_numpy(output.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    matrix = grid.affine[:3, :3]
    if np.linalg.det(matrix) < 0:  # mirrored, the triangles are wound the wrong way
        triangles = triangles[:, ::-1]
    return voxels @ matrix.T + np.array(grid.origin), triangles


def _cropped(mask: np.ndarray):
    """The box of the mask with a rim of background, and the (i, j, k) of its first voxel."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData

    box = bounding_box(mask)
    voxels = np.pad(mask[box], 1).astype(np.uint8)
    image = vtkImageData()
    image.SetDimensions(*reversed(voxels.shape))
    image.GetPointData().SetScalars(numpy_to_vtk(voxels.ravel(), deep=True))
    return image, [span.start - 1 for span in reversed(box)]


def _stl(corners: np.ndarray) -> bytes:
    """Binary STL of triangles (M, 3, 3)."""
    facets = np.zeros(len(corners), STL)
    facets["corners"] = corners
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    facets["normal"] = normals / np.where(lengths > 0, lengths, 1)
    return HEADER.encode().ljust(80) + np.uint32(len(corners)).astype("<u4").tobytes() + (
        facets.tobytes())


def _obj(points: np.ndarray, triangles: np.ndarray) -> str:
    lines = [f"# {HEADER}"]
    lines += [f"v {x:.4f} {y:.4f} {z:.4f}" for x, y, z in points.tolist()]
    lines += [f"f {a} {b} {c}" for a, b, c in (triangles + 1).tolist()]
    return "\n".join([*lines, ""])
