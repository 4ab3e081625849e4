"""The token mixers, one family a file; importing this package registers them all."""

from metaunetr.network.mixers import (
    attention,
    baselines,
    convolution,
    global_filter,
    mlp,
    tricruci,
)

__all__ = ["attention", "baselines", "convolution", "global_filter", "mlp", "tricruci"]
