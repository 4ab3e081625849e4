"""Checks of image files of any format before their voxels are read."""

from __future__ import annotations

import math
import os
from pathlib import Path, PurePosixPath, PureWindowsPath

from metaunetr.errors import InputError

MAX_VOXELS = 2**31  # ten times the longest whole-body CT
MAX_DEFLATE = 1032  # deflate cannot shrink more than this (zlib's technical notes)


def check_file(path: Path) -> None:
    """Refuse what is not a readable file with content.

    Raises:
        InputError: `path` does not exist, is empty, may not be read, or is a pipe or device.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        raise InputError(f"{path}: is no ordinary file")
    try:
        with open(path, "rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file or folder") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    if empty:
        raise InputError(f"{path}: the file is empty (0 bytes)")


def data_beside(path: Path, name: str) -> Path:
    """The file with the voxels that the header at `path` names: in its folder, or below.

    Headers are untrusted, and must not cause files elsewhere to be read.

    Raises:
        InputError: the name is a path elsewhere or a list of files, or the file does not exist.
    """
    if name.split(" ")[0] == "LIST" or "%" in name:
        raise InputError(f"{path}: voxels in several files are not supported; save it as one file")
    if not name or not name.isprintable() or any(
        kind(name).anchor or ".." in kind(name).parts for kind in (PurePosixPath, PureWindowsPath)
    ):
        raise InputError(f"{path}: the voxels must lie in the folder of their header, it names "
                         f"{name[:80]!a}")
    try:
        check_file(path.parent / name)
    except InputError as error:
        raise InputError(f"{path}: names {error!s:.400}") from None
    return path.parent / name


def check_size(path: Path, shape: tuple[int, ...], itemsize: int, data: Path | None) -> None:
    """Refuse voxel counts that no CT has or that the file cannot hold.

    Args:
        shape: (D, H, W).
        itemsize: bytes of one voxel.
        data: the file with the voxels; None when they are in unknown files.

    Raises:
        InputError: a size is not positive, or the header claims too many voxels.
    """
    size = " × ".join(str(n) for n in reversed(shape))
    if min(shape) <= 0:
        raise InputError(f"{path}: every size must be positive, the header says {size}")
    voxels = math.prod(shape)
    if voxels > MAX_VOXELS:
        raise InputError(
            f"{path}: the header claims {size} = {voxels:.2g} voxels, more than any CT has "
            f"(limit {MAX_VOXELS:.2g}); it is probably damaged"
        )
    if data is not None and voxels * itemsize > data.stat().st_size * MAX_DEFLATE:
        raise InputError(
            f"{path}: the header claims {size} voxels, which a file of {data.stat().st_size} "
            "bytes cannot hold; it is truncated or damaged"
        )
