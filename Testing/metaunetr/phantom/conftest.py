"""Small phantoms of each contrast phase, made once for all tests."""

import functools

import pytest

from metaunetr import phantom

SMALL = (64, 64, 80)  # (D, H, W) of about 4.5 × 5 mm voxels: the whole abdomen
SEED_OF_PHASE = {"none": 5, "arterial": 0, "portal": 1, "late": 8}


@functools.cache
def _make(seed, shape=SMALL, spacing=None):
    return phantom.make(seed, shape, spacing)


@pytest.fixture(scope="session")
def make():
    """`phantom.make` that remembers, with a small shape by default."""
    return _make
