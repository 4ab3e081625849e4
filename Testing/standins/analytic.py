"""Small stand-in networks and analytic images for the engine's tests."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from metaunetr.bundle import Bundle, Preprocessing
from metaunetr.image import Grid, Image
from metaunetr.organs import BY_NUMBER

WINDOW = (-1000.0, 1000.0)  # HU
LEVELS = (0.0, 200.0, -200.0, 600.0)  # HU of background and three organs


class HuBins(nn.Module):
    """Labels a voxel by the nearest of `LEVELS`: pointwise, so that the answer is known."""

    def forward(self, x: Tensor) -> Tensor:
        levels = (torch.tensor(LEVELS) - WINDOW[0]) / (WINDOW[1] - WINDOW[0])
        scores = -100 * (x - levels.view(1, -1, 1, 1, 1)).square()
        scores[:, :1] += 100 * (x < 0.2)  # outside the image is background
        return scores


class Lopsided(nn.Module):
    """A fixed random convolution: its answer depends on every axis and direction."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(5)
        self.weight = nn.Parameter(torch.randn(len(LEVELS), 1, 3, 3, 3, generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.conv3d(x, self.weight, padding=1)


@dataclass(frozen=True)
class StandInBundle(Bundle):
    """A bundle whose network is made in memory."""

    made: nn.Module = field(default_factory=HuBins)

    def network(self) -> nn.Module:
        return self.made.eval()


def make_bundle(network: nn.Module, spacing=(3.0, 3.0, 3.0), patch=(32, 32, 32), overlap=0.25):
    return StandInBundle(
        folder=None,
        card={"architecture": {"feature_size": 4}},
        name="stand-in",
        sha256="0" * 64,
        classes=(BY_NUMBER[6], BY_NUMBER[1], BY_NUMBER[2]),
        preprocessing=Preprocessing(spacing, WINDOW, antialias=0.35, body_crop=(0.05, 0.02)),
        patch=patch,
        smallest=patch,
        largest=patch,
        multiple=16,
        overlap=overlap,
        made=network,
    )


@dataclass(frozen=True)
class Blob:
    """A ball of soft-edged HU somewhere in the patient."""

    centre: tuple[float, float, float]  # LPS mm
    radius: float
    hu: float


BLOBS = (
    Blob((-35, 5, 10), 28, LEVELS[1]),  # to both sides of the background, so that soft edges
    Blob((30, 15, -5), 22, LEVELS[2]),  # do not pass through the HU of another organ
)


def analytic_hu(grid: Grid) -> np.ndarray:
    """HU (D, H, W) of the blobs on any grid; edges 4 mm wide, in background."""
    d, h, w = grid.shape
    k, j, i = np.meshgrid(np.arange(d), np.arange(h), np.arange(w), indexing="ij")
    places = np.stack([i, j, k, np.ones_like(i)], axis=-1) @ grid.affine.T
    hu = np.full(grid.shape, LEVELS[0])
    for blob in BLOBS:
        distance = np.linalg.norm(places[..., :3] - blob.centre, axis=-1)
        inside = np.clip((blob.radius - distance) / 4 + 0.5, 0, 1)
        hu += inside * (blob.hu - LEVELS[0])
    return hu.round().astype(np.int16)


def rotation(axis: tuple[float, float, float], degrees: float) -> np.ndarray:
    """A rotation matrix about `axis` (Rodrigues)."""
    x, y, z = np.asarray(axis, float) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def centred_grid(spacing, direction, extent=(150.0, 150.0, 140.0)) -> Grid:
    """A grid around the patient's origin that covers `extent` mm along its axes (i, j, k)."""
    size = [round(e / s) for e, s in zip(extent, spacing, strict=True)]
    direction = np.asarray(direction, float)
    origin = -direction @ ((np.array(size) - 1) / 2 * spacing)
    return Grid(tuple(size[::-1]), tuple(spacing), tuple(origin), direction)


def analytic_image(spacing=(3.0, 3.0, 3.0), direction=None, **kwargs) -> Image:
    grid = centred_grid(spacing, np.eye(3) if direction is None else direction, **kwargs)
    return Image(analytic_hu(grid), grid)
