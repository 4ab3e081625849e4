"""Voxels from a file that a header describes; the header may be wrong about all of it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from metaunetr.errors import InputError

PIECE = 1 << 20  # bytes


def read_voxels(
    path: Path, data: Path, start: int, count: int, compressed: bool, skip: int = 0
) -> np.ndarray:
    """`count` bytes of the file `data`.

    Args:
        path: the header, for messages.
        start: where they begin in the file.
        compressed: they are compressed as zlib or gzip does, with a sum that is checked.
        skip: bytes to leave out, after unpacking.

    Raises:
        InputError: there are fewer, or the sum is wrong.
    """
    voxels, filled = np.empty(count, np.uint8), 0
    with open(data, "rb") as file:
        file.seek(start)
        for piece in _inflated(path, file, count + skip) if compressed else _pieces(file):
            part = piece[skip:skip + count - filled]
            skip = max(0, skip - len(piece))
            voxels[filled:filled + len(part)] = np.frombuffer(part, np.uint8)
            filled += len(part)
            if filled == count and not compressed:
                break
    if filled < count:
        raise InputError(
            f"{path}: the file is truncated: {count} bytes of voxels belong to it, "
            f"{filled} are there"
        )
    return voxels


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.read(PIECE), b"")


def _inflated(path: Path, file: BinaryIO, count: int) -> Iterator[bytes]:
    """What is packed, to its end or a little more than `count` bytes."""
    inflater = zlib.decompressobj(47)  # zlib's or gzip's header
    try:
        while not inflater.eof and count > -PIECE and (
            data := inflater.unconsumed_tail or file.read(PIECE)
        ):
            piece = inflater.decompress(data, PIECE)
            count -= len(piece)
            yield piece
    except zlib.error as error:
        raise InputError(f"{path}: the compressed voxels are damaged: {error}") from None
    if not inflater.eof and count > -PIECE:
        raise InputError(f"{path}: the file is truncated: its compressed voxels stop before "
                         "their end")
