"""The header of an image file: its grid, the type of its voxels, and the voxels themselves.

Files are not read or written through SimpleITK: version 2.5.7 reads truncated NIfTI files without
an error, crashes on long lines in NRRD headers, hangs on MetaImage headers with NDims = -1, and
opens no file in a folder such as C:\\Users\\Müller (its issue 651). Headers are untrusted: what
they claim is compared with the size of the file before memory is allocated.
"""

from __future__ import annotations

import math
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from metaunetr.errors import InputError
from metaunetr.image import Grid
from metaunetr.io.file_checks import check_size

PIECE = 1 << 20  # bytes read at a time
MAX_TRAILING = 64 << 20  # bytes after the voxels; a small gzip file can expand a thousandfold
GZIP = b"\x1f\x8b"
GZIP_FORMAT, ZLIB_FORMAT, ZLIB_OR_GZIP = 31, 15, 47  # wbits of zlib


def pieces(array: np.ndarray) -> Iterator[memoryview]:
    """The bytes of `array` in the order of a file."""
    raw = np.ascontiguousarray(array).data.cast("B")
    return (raw[start:start + PIECE] for start in range(0, len(raw), PIECE))


def compressed(data: Iterable[bytes | memoryview], wbits: int) -> Iterator[bytes]:
    """`data` compressed as GZIP_FORMAT or ZLIB_FORMAT."""
    # Level 1: at 6 label maps take three times as long, and are small either way.
    stream = zlib.compressobj(1, zlib.DEFLATED, wbits)
    for piece in data:
        yield stream.compress(piece)
    yield stream.flush()


class Header(ABC):
    """The header of the image file at `path`; the voxels are read by `read`.

    Properties are parsed on access, so that a damaged field matters only to those who need it.

    Raises:
        InputError: the file has no header of this format. Every property and `read` raise it too,
            when their field is missing or has a value that no image can have.
    """

    read_to_end = False  # verify what follows the voxels, such as the checksum of a gzip file

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    @abstractmethod
    def grid(self) -> Grid:
        """Shape (D, H, W) and position of the voxels."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype:
        """Type of the voxels in the file, with its byte order."""

    @property
    def data(self) -> Path:
        """The file that holds the voxels: `path`, or a file in the same folder."""
        return self.path

    @property
    def organs(self) -> frozenset[int] | None:
        """Numbers of the organs that a label map was made for; None when the file has no list."""
        return None

    @abstractmethod
    def _layout(self, count: int) -> tuple[int, int, bool]:
        """Where the `count` bytes of the voxels are in `data`.

        Returns:
            offset in the file, offset after decompression, and whether the data are compressed.
        """

    def read(self) -> np.ndarray:
        """Voxels (D, H, W) in native byte order.

        Raises:
            InputError: also when the file is truncated or its compressed data are damaged.
        """
        shape, dtype = self.grid.shape, self.dtype
        check_size(self.path, shape, dtype.itemsize, self.data)
        voxels = self._bytes(math.prod(shape) * dtype.itemsize).view(dtype)
        if not dtype.isnative:
            voxels = voxels.byteswap(inplace=True).view(dtype.newbyteorder("="))
        return voxels.reshape(shape)

    def _bytes(self, count: int) -> np.ndarray:
        start, skip, compressed = self._layout(count)
        voxels, filled = np.empty(count, np.uint8), 0
        left = skip + count + (MAX_TRAILING if self.read_to_end else PIECE)
        with open(self.data, "rb") as file:
            file.seek(start)
            for piece in self._inflated(file) if compressed else _pieces(file):
                left -= len(piece)
                part = piece[skip:skip + count - filled]
                skip = max(0, skip - len(piece))
                voxels[filled:filled + len(part)] = np.frombuffer(part, np.uint8)
                filled += len(part)
                if left < 0 and not self.read_to_end:
                    break
                if left < 0:
                    raise InputError(f"{self.path}: the file has more than {MAX_TRAILING >> 20} MB "
                                     "after its voxels; it is damaged")
        if filled < count:
            raise InputError(f"{self.path}: the file is truncated: it should have {count} bytes of "
                             f"voxels, {filled} are there")
        return voxels

    def _inflated(self, file: BinaryIO) -> Iterator[bytes]:
        """The decompressed data, of all members of a gzip file; checksums are verified."""
        inflater, data = zlib.decompressobj(ZLIB_OR_GZIP), file.read(PIECE)
        try:
            while data:
                yield inflater.decompress(data, 4 * PIECE)
                data = inflater.unconsumed_tail or inflater.unused_data or file.read(PIECE)
                if inflater.eof and data:
                    data += file.read(1) if len(data) == 1 else b""
                    if not data.startswith(GZIP):
                        return  # padding after the last member
                    inflater = zlib.decompressobj(ZLIB_OR_GZIP)
        except zlib.error as error:
            raise InputError(f"{self.path}: the compressed data are damaged: {error}") from None
        if not inflater.eof:
            raise InputError(f"{self.path}: the file is truncated: its compressed data stop before "
                             "their end")


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece
