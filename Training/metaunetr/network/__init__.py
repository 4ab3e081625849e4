"""The MetaUNETR network: build it from an architecture, list its mixers and their costs."""

from metaunetr.network import mixers as _registered  # noqa: F401
from metaunetr.network.catalogue import CatalogueRow, catalogue
from metaunetr.network.model import MetaUNETR
from metaunetr.network.registry import mixer, mixers
from metaunetr.network.sizes import architecture, build

__all__ = [
    "CatalogueRow",
    "MetaUNETR",
    "architecture",
    "build",
    "catalogue",
    "mixer",
    "mixers",
]
