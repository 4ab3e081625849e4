"""Surfaces have the position and volume of the mask, and a header that Slicer knows."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from metaunetr.errors import OutputError
from metaunetr.image import Grid
from metaunetr.io import mesh

pytest.importorskip("vtkmodules", reason="the extra `surfaces` installs vtk")

RADIUS = 30.0  # mm
CENTRE = np.array([20.0, -35.0, 310.0])  # LPS mm


def rotation(degrees: float) -> np.ndarray:
    """About a skew axis."""
    x, y, z = np.array([1.0, 2.0, 3.0]) / np.sqrt(14)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def grid(spacing, direction) -> Grid:
    """A grid around CENTRE."""
    shape = tuple(int(np.ceil(2 * RADIUS / s)) + 8 for s in reversed(spacing))
    half = (np.array(shape[::-1]) - 1) / 2 * spacing
    return Grid(shape, spacing, tuple(CENTRE - direction @ half), direction)


def sphere(grid: Grid) -> np.ndarray:
    k, j, i = np.indices(grid.shape)
    points = np.stack([i, j, k, np.ones_like(i)], axis=-1) @ grid.affine.T
    return np.linalg.norm(points[..., :3] - CENTRE, axis=-1) <= RADIUS


def triangles(polydata) -> np.ndarray:
    """Corners (N, 3, 3) in mm."""
    from vtkmodules.util.numpy_support import vtk_to_numpy

    points = vtk_to_numpy(polydata.GetPoints().GetData()).astype(float)
    return points[vtk_to_numpy(polydata.GetPolys().GetConnectivityArray()).reshape(-1, 3)]


def volume(corners: np.ndarray) -> float:
    """mm³, negative where the triangles are wound inwards."""
    a, b, c = (corners - CENTRE).transpose(1, 0, 2)
    return float(np.einsum("ni,ni->n", a, np.cross(b, c)).sum() / 6)


def read(path):
    """The triangles and the header, as VTK and with it Slicer read them."""
    from vtkmodules.vtkIOGeometry import vtkOBJReader, vtkSTLReader

    reader = vtkOBJReader() if path.suffix == ".obj" else vtkSTLReader()
    reader.SetFileName(str(path))
    reader.Update()
    header = reader.GetComment() if path.suffix == ".obj" else reader.GetHeader()
    return triangles(reader.GetOutput()), header


@pytest.mark.parametrize("suffix", mesh.SUFFIXES)
@pytest.mark.parametrize(("spacing", "direction"), [
    ((1.5, 1.5, 1.5), np.eye(3)),
    ((0.9, 0.9, 3.0), np.eye(3)),
    ((0.9, 1.1, 3.0), rotation(40)),
    ((1.5, 1.5, 2.0), np.diag([1.0, 1.0, -1.0])),
    ((1.5, 1.2, 2.0), rotation(25) @ np.diag([-1.0, 1.0, 1.0])),
], ids=["isotropic", "anisotropic", "oblique", "left-handed", "oblique and left-handed"])
def test_a_sphere(tmp_path, spacing, direction, suffix):
    """Its volume within 2%, its normals outwards, every point at the radius; SPACE=LPS."""
    where = grid(spacing, direction)
    mask = sphere(where)
    mesh.write_surface(tmp_path / f"sphere{suffix}", mask, where)
    corners, header = read(tmp_path / f"sphere{suffix}")
    expected = mask.sum() * np.prod(spacing)
    assert volume(corners) == pytest.approx(expected, rel=0.02)
    radius = np.linalg.norm(corners.reshape(-1, 3) - CENTRE, axis=1)
    assert np.abs(radius - RADIUS).max() < max(spacing)
    assert abs(radius.mean() - RADIUS) < 0.3
    assert "SPACE=LPS" in header


def test_an_organ_that_is_cut_off_has_a_closed_surface(tmp_path):
    """Each edge belongs to two triangles."""
    where = Grid((6, 8, 10), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    _, corners = mesh.surface(np.ones(where.shape, bool), where)
    edges = np.sort(np.concatenate([corners[:, pair] for pair in ([0, 1], [1, 2], [2, 0])]), axis=1)
    assert set(np.unique(edges, axis=0, return_counts=True)[1]) == {2}


def test_without_vtk_the_way_out_is_told(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "vtkmodules", None)
    with pytest.raises(OutputError, match=r'x: a surface file needs .* vtk; .*"vtk>=9.2"'):
        mesh.check(tmp_path / "x")


def test_a_surface_that_cannot_be_written_leaves_nothing(tmp_path):
    where = Grid((6, 8, 10), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    with pytest.raises(OutputError, match="cannot be written"):
        mesh.write_surface(tmp_path / "missing" / "a.stl", np.ones(where.shape, bool), where)
    assert list(tmp_path.iterdir()) == []
