"""The two mixers of the MetaFormer paper that learn nothing: identity and pooling.

Yu et al., MetaFormer Is Actually What You Need for Vision, CVPR 2022, section 3.2.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from metaunetr.network.registry import Place, register


@register("identity", "no mixing at all: the floor that every mixer must beat")
class Identity(nn.Identity):
    """Tokens as they are."""

    def __init__(self, place: Place):
        super().__init__()


@register("pooling", "mean of the 3×3×3 neighbours minus the token")
class Pooling(nn.Module):
    """Mean over the neighbourhood that lies in the patch, minus the token itself."""

    def __init__(self, place: Place, kernel: int = 3):
        super().__init__()
        self.kernel = kernel

    def forward(self, x: Tensor) -> Tensor:
        maps = x.movedim(-1, 1)
        mean = F.avg_pool3d(
            maps, self.kernel, stride=1, padding=self.kernel // 2, count_include_pad=False
        )
        return (mean - maps).movedim(1, -1)
