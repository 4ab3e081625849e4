"""A procedural abdominal CT with exact labels: for tests, benchmarks and training."""

from __future__ import annotations

from .phantom import Phantom, make

__all__ = ["Phantom", "make"]
