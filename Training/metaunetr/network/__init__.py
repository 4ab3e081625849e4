"""The MetaUNETR network: build it from an architecture, list its mixers."""

from metaunetr.network import mixers as _registered  # noqa: F401
from metaunetr.network.model import MetaUNETR
from metaunetr.network.registry import mixer, mixers
from metaunetr.network.sizes import architecture, build

__all__ = ["MetaUNETR", "architecture", "build", "mixer", "mixers"]
