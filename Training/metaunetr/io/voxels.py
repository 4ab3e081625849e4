"""Voxels from a file that a header describes; the header may be wrong about all of it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
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
    with open(data, "rb") as file:
        file.seek(start)
        pieces = _inflated(path, file, skip + count) if compressed else _raw(file, skip + count)
        return collect(path, pieces, skip, count)


def collect(path: Path, pieces: Iterable[bytes], skip: int, count: int) -> np.ndarray:
    """`count` bytes behind the first `skip` of all pieces, which are read to their end.

    Raises:
        InputError: there are fewer.
    """
    voxels, filled = np.empty(count, np.uint8), 0
    for piece in pieces:
        part = piece[skip:skip + count - filled]
        skip = max(0, skip - len(piece))
        voxels[filled:filled + len(part)] = np.frombuffer(part, np.uint8)
        filled += len(part)
    if filled < count:
        raise InputError(
            f"{path}: the file is truncated: {count} bytes of voxels belong to it, "
            f"{filled} are there"
        )
    return voxels


def _raw(file: BinaryIO, count: int) -> Iterator[bytes]:
    """What is there, at most `count` bytes."""
    while data := file.read(min(PIECE, count)):
        count -= len(data)
        yield data


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
