"""A fresh scene of real MRML for each test, and volumes to put into it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed (see README: tests)")

import slicer_headless

sys.path.insert(0, str(Path(__file__).parents[2] / "MetaUNETRSegment"))

OBLIQUE = np.array([  # rotated, left-handed, anisotropic: IJK to RAS
    [-0.75, 0.15, 1.2, 31.25],
    [0.1, 0.8, -0.7, -70.5],
    [-0.2, 0.3, 2.4, 912.125],
    [0.0, 0.0, 0.0, 1.0],
])


@pytest.fixture
def scene():
    with slicer_headless.fresh_scene() as scene:
        yield scene


@pytest.fixture
def add_volume(scene):
    """Adds an array (K, J, I) as a volume node; by default an oblique one of soft tissue."""
    import slicer

    def add(array=None, ijk_to_ras=OBLIQUE, name="CT", transform=None):
        if array is None:
            array = np.random.default_rng(3).normal(50, 20, (12, 20, 24)).astype(np.int16)
        node = slicer.util.addVolumeFromArray(array, ijk_to_ras, name)
        if transform is not None:
            node.SetAndObserveTransformNodeID(transform.GetID())
        return node

    return add
