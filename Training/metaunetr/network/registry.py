"""The registry of token mixers: name, builder and summary.

A mixer is a module that maps tokens (B, D, H, W, C) to tokens of the same shape. Its builder takes
a `Place` and the mixer's own options.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from metaunetr.errors import BundleError


@dataclass(frozen=True)
class Place:
    """Where in the encoder a mixer sits.

    channels: C of the tokens it mixes; grid: (D, H, W) token counts of the patch the network was
    designed for, or None; block: position within its stage, from 0.
    """

    channels: int
    grid: tuple[int, int, int] | None
    block: int

    def designed_grid(self, mixer: str) -> tuple[int, int, int]:
        """`grid`, for a mixer that has one weight for each token.

        Raises:
            BundleError: the architecture has no patch size.
        """
        if self.grid is None:
            raise BundleError(
                f"The mixer '{mixer}' has one weight a token, so the architecture must give "
                "'patch', the (D, H, W) voxels of its training patch."
            )
        return self.grid


@dataclass(frozen=True)
class Mixer:
    """A registered mixer: its name, builder(place, **options) and a line for listings."""

    name: str
    build: Callable[..., nn.Module]
    summary: str


_mixers: dict[str, Mixer] = {}


def register(name: str, summary: str):
    """Decorator that registers a class or builder as the mixer `name`.

    Raises:
        ValueError: the name is taken.
    """

    def add(builder):
        if name in _mixers:
            raise ValueError(f"A mixer name must be unique, and '{name}' is taken.")
        _mixers[name] = Mixer(name, builder, summary)
        return builder

    return add


def mixers() -> list[Mixer]:
    """Every registered mixer, by name."""
    return [_mixers[name] for name in sorted(_mixers)]


def mixer(name: str) -> Mixer:
    """The mixer of that name.

    Raises:
        BundleError: there is none; the message lists the known ones.
    """
    if name not in _mixers:
        raise BundleError(f"The mixer must be one of {', '.join(sorted(_mixers))}, not '{name}'.")
    return _mixers[name]
