"""Builds a network and loads its weights; neither the card nor the weights file is trusted.

The network is first built without memory (on PyTorch's device "meta"), to know its size.

A weights file holds floating-point tensors, or 8-bit integers with a scale for each index of the
first axis, in the tensor `NAME:scale`: half the size of float16.
"""

from __future__ import annotations

import errno
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metaunetr.errors import BundleError

if TYPE_CHECKING:
    from torch import Tensor

    from metaunetr.network import MetaUNETR

MAX_NETWORK = 4 << 30  # bytes in fp32; the published size takes 0.3
MAX_HEADER = 1 << 20  # bytes of a weights file before the tensors
SCALE = ":scale"
LARGEST = 127  # of the 8-bit integers


def load_network(card: Path, architecture: dict[str, Any], path: Path, sha256: str) -> MetaUNETR:
    """The network of `architecture` in evaluation mode, with the weights at `path`.

    Args:
        card: where the architecture comes from, for messages.

    Raises:
        BundleError: no such network, or the weights are damaged, incomplete, or not those of the
            card.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    from metaunetr.network import build

    expected, size = _expected(card, architecture)
    data = read_weights(path, sha256, size + MAX_HEADER)
    try:
        tensors = load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise BundleError(f"{path}: is not a valid safetensors file ({error!s:.200}).") from error
    tensors = dequantized(tensors)
    _check(path, expected, tensors)
    network = build(architecture)
    network.load_state_dict(tensors)
    return network.eval()


def quantized(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors as they are stored: those of several axes as 8-bit integers, others as float16."""
    import torch

    stored = {}
    for name, tensor in tensors.items():
        if tensor.ndim < 2:
            stored[name] = tensor.half().contiguous()
            continue
        scale = tensor.abs().amax(dim=tuple(range(1, tensor.ndim)), keepdim=True) / LARGEST
        scale = scale.clamp(min=torch.finfo(scale.dtype).tiny)  # of a channel that is 0
        stored[name] = (tensor / scale).round().to(torch.int8).contiguous()
        stored[name + SCALE] = scale
    return stored


def dequantized(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of a weights file in floating point; integers without a scale stay integers."""
    import torch

    found = dict(tensors)
    for name, tensor in tensors.items():
        scale = tensors.get(name + SCALE)
        if (tensor.dtype == torch.int8 and scale is not None
                and scale.shape == tensor.shape[:1] + (1,) * (tensor.ndim - 1)):
            found[name] = tensor * found.pop(name + SCALE)
    return found


def read_weights(path: Path, sha256: str, most: int) -> bytes:
    """The content of the weights file at `path`.

    Raises:
        BundleError: it cannot be read, has more than `most` bytes, or another hash.
    """
    try:
        data = read_file(path, most)
    except OSError as error:
        raise BundleError(f"{path}: the weights cannot be read ({error.strerror}).") from error
    if len(data) > most:
        raise BundleError(f"{path}: the weights of this architecture have at most {most} bytes, "
                          "the file has more.")
    if hashlib.sha256(data).hexdigest() != sha256:
        raise BundleError(
            f"{path}: the weights' SHA-256 differs from the card's {sha256[:12]}…; "
            "the file is damaged or was replaced. Install the model again."
        )
    return data


def read_file(path: Path, most: int) -> bytes:
    """The content of `path`, or its first `most` + 1 bytes.

    Raises:
        OSError: it cannot be read, or is a pipe or device, which may be endless.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no ordinary file")
    with open(path, "rb") as file:
        return file.read(most + 1)


def _expected(card: Path, architecture: dict[str, Any]) -> tuple[dict[str, Tensor], int]:
    """The tensors of the architecture, without data, and their size in bytes."""
    import torch

    from metaunetr.network import build

    try:
        with torch.device("meta"):
            network = build(architecture)
    except BundleError as error:
        raise BundleError(f"{card}: {_first_line(error):.400}") from error
    except Exception as error:  # PyTorch raises many kinds for impossible values
        raise BundleError(f"{card}: the architecture describes no network "
                          f"({_first_line(error):.200}).") from error
    size = sum(tensor.nbytes for tensor in (*network.parameters(), *network.buffers()))
    if size > MAX_NETWORK:
        raise BundleError(f"{card}: a network may take {MAX_NETWORK >> 30} GB of memory, the "
                          f"architecture describes one of {size / (1 << 30):.3g} GB.")
    return network.state_dict(), size


def _check(path: Path, expected: dict[str, Tensor], tensors: dict[str, Tensor]) -> None:
    import torch

    kinds = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
    common = expected.keys() & tensors.keys()
    for problem, names in (
        ("lacks", expected.keys() - tensors.keys()),
        ("has the unknown", tensors.keys() - expected.keys()),
        ("has a wrong shape for", {n for n in common if expected[n].shape != tensors[n].shape}),
        ("has no real numbers in", {n for n in common if tensors[n].dtype not in kinds}),
        ("has NaN or infinite values in",
         {n for n in common if tensors[n].dtype in kinds and not tensors[n].isfinite().all()}),
    ):
        if names:
            raise BundleError(f"{path}: the file {problem} tensor {min(names)!s:.100} "
                              f"({len(names)} in all).")


def _first_line(error: Exception) -> str:
    """The message without the traces that PyTorch adds."""
    return str(error).partition("\n")[0]
