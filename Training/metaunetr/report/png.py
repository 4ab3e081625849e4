"""RGB arrays become PNG files, with zlib alone."""

from __future__ import annotations

import struct
import zlib
from os import PathLike
from pathlib import Path

import numpy as np

from metaunetr.io.atomic import atomic

PALETTE, TRUE_COLOUR = 3, 2  # colour types of the PNG specification, section 11.2.1


def encode_png(rgb: np.ndarray) -> bytes:
    """A PNG of the uint8 picture (H, W, 3); up to 256 colours are stored as a palette."""
    height, width, _ = rgb.shape
    codes = rgb.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    colours, indices = np.unique(codes, return_inverse=True)
    palette = len(colours) <= 256
    pixels = indices.reshape(height, width, 1).astype(np.uint8) if palette else rgb
    rows = np.zeros((height, 1 + width * pixels.shape[2]), np.uint8)  # each begins with filter 0
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(
        ">IIBBBBB", width, height, 8, PALETTE if palette else TRUE_COLOUR, 0, 0, 0
    )
    table = (colours[:, None] >> np.array([16, 8, 0])).astype(np.uint8).tobytes()
    return b"".join([
        b"\x89PNG\r\n\x1a\n",
        _chunk(b"IHDR", header),
        _chunk(b"PLTE", table) if palette else b"",
        _chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)),
        _chunk(b"IEND", b""),
    ])


def save_png(path: str | PathLike[str], rgb: np.ndarray) -> None:
    """Write the uint8 picture (H, W, 3).

    Raises:
        OutputError: the file cannot be written.
    """
    with atomic(Path(path)) as temporary:
        temporary.write_bytes(encode_png(rgb))


def _chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
