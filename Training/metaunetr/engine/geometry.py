"""Where the model grid lies in an image."""

from __future__ import annotations

from dataclasses import dataclass

from metaunetr.engine.resample import model_shape, voxel_steps
from metaunetr.engine.rotate import Rotation
from metaunetr.image import Grid
from metaunetr.orientation import Orientation


@dataclass(frozen=True)
class Geometry:
    """The way between an image and the model input that is made of it.

    Attributes:
        orientation: which axes of the image are the canonical (D, H, W).
        grid: of the image on canonical axes.
        steps: image voxels per model voxel along (D, H, W).
        rotation: from the image's axes to the patient's at the model spacing; None where the image
            lies straight enough.
    """

    orientation: Orientation
    grid: Grid
    steps: tuple[float, float, float]
    rotation: Rotation | None

    @classmethod
    def of(cls, grid: Grid, spacing: tuple[float, float, float]) -> Geometry:
        """The geometry of an image on `grid` for a model of `spacing` in mm along (i, j, k)."""
        orientation = Orientation.of(grid)
        canonical = orientation.canonical(grid)
        return cls(orientation, canonical, voxel_steps(canonical, spacing),
                   Rotation.needed(canonical, model_shape(canonical, spacing), spacing))
