"""The token mixers, one family a file; importing this package registers them all."""

from metaunetr.network.mixers import tricruci

__all__ = ["tricruci"]
