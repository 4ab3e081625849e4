"""The Mamba mixer: a selective state space along one axis.

Gu and Dao, Mamba: Linear-Time Sequence Modeling with Selective State Spaces, 2023. Parameters have
the names and shapes of `mamba_ssm.Mamba`, whose CUDA kernel does the scan where it is installed.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

try:
    from mamba_ssm.ops.selective_scan_interface import selective_scan_fn
except ImportError:
    selective_scan_fn = None

SEQUENCES_AT_ONCE = 256  # their states, 256·(2C)·16 numbers, fit the cache of a CPU


def selective_scan(u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """y_t = c_t · h_t with h_t = exp(delta_t a) h_(t-1) + delta_t b_t u_t, for N sequences.

    u, delta (N, L, E); a (E, S); b, c (N, L, S); gives (N, L, E), float32.

    The sequences are the rows of a patch: thousands, each of at most about a hundred tokens. So
    all of them advance together, token by token, which is L steps of large products; a scan in
    log2(L) steps would do log2(L) times the work. Gradients recompute the states of one group of
    sequences at a time instead of keeping those of every token.
    """
    groups = zip(*(t.split(SEQUENCES_AT_ONCE) for t in (u, delta, b, c)), strict=True)
    if not torch.is_grad_enabled() or torch.compiler.is_compiling():
        return torch.cat([_advance(a, *group) for group in groups])
    return torch.cat([checkpoint(_advance, a, *group, use_reentrant=False) for group in groups])


def _advance(a: Tensor, u: Tensor, delta: Tensor, b: Tensor, c: Tensor) -> Tensor:
    state = torch.zeros_like(u[:, 0, :, None] * a)  # (N, E, S)
    outputs = []
    for u_t, delta_t, b_t, c_t in zip(*(t.unbind(1) for t in (u, delta, b, c)), strict=True):
        decay = torch.exp(delta_t[..., None] * a)
        state = torch.addcmul((delta_t * u_t)[..., None] * b_t[:, None], decay, state)
        outputs.append((state * c_t[:, None]).sum(-1))
    return torch.stack(outputs, dim=1)


def kernel_applies(u: Tensor) -> bool:
    """Whether the scan is left to the kernel of `mamba_ssm`."""
    return selective_scan_fn is not None and u.is_cuda


class Mamba1d(nn.Module):
    """A Mamba block over tokens (B, D, H, W, C) along one axis, from its first to its last token;
    any length. State size 16, causal convolution of 4, inner width 2C."""

    def __init__(self, channels: int, axis: int, state: int = 16, kernel: int = 4):
        super().__init__()
        inner, rank = 2 * channels, math.ceil(channels / 16)
        self.axis, self.width, self.sizes = axis, channels, [rank, state, state]
        self.in_proj = nn.Linear(channels, 2 * inner, bias=False)
        self.conv1d = nn.Conv1d(inner, inner, kernel, groups=inner, padding=kernel - 1)
        self.x_proj = nn.Linear(inner, rank + 2 * state, bias=False)
        self.dt_proj = nn.Linear(rank, inner)
        self.A_log = nn.Parameter(torch.arange(1.0, state + 1).log().repeat(inner, 1))
        self.D = nn.Parameter(torch.ones(inner))
        self.out_proj = nn.Linear(inner, channels, bias=False)
        self._start_with_steps_of(0.001, 0.1)

    def _start_with_steps_of(self, low: float, high: float) -> None:
        """delta starts between `low` and `high`, evenly in its logarithm (section 3.6)."""
        with torch.no_grad():
            nn.init.uniform_(self.dt_proj.weight, -1, 1).mul_(self.dt_proj.in_features**-0.5)
            step = torch.exp(torch.empty_like(self.D).uniform_(math.log(low), math.log(high)))
            self.dt_proj.bias.copy_(step + torch.log(-torch.expm1(-step)))  # softplus, inverted

    def flops(self, shape: torch.Size) -> int:
        """Operations for tokens of `shape`: linear maps, convolution and the scan, whose decay,
        input, update and output take 2 each for every state."""
        weights = [self.in_proj, self.conv1d, self.x_proj, self.dt_proj, self.out_proj]
        products = 2 * sum(layer.weight.numel() for layer in weights)
        return math.prod(shape[:-1]) * (products + 8 * self.A_log.numel())

    def forward(self, x: Tensor) -> Tensor:
        sequences = x.movedim(self.axis, 3)  # (B, ., ., L, C)
        u, gate = self.in_proj(sequences.flatten(0, 2)).chunk(2, dim=-1)  # (N, L, 2C) each
        u = F.silu(self.conv1d(u.mT)[..., : u.shape[1]].mT)
        mixed = self.out_proj(self._scan(u, gate))
        return mixed.unflatten(0, sequences.shape[:3]).movedim(3, self.axis)

    def _scan(self, u: Tensor, gate: Tensor) -> Tensor:
        """The gated state space, in float32: its products of many decays need the range."""
        step, b, c = self.x_proj(u).split(self.sizes, dim=-1)
        step = F.linear(step, self.dt_proj.weight).float()
        u, gate, b, c = u.float(), gate.float(), b.float(), c.float()
        a, d, bias = -torch.exp(self.A_log.float()), self.D.float(), self.dt_proj.bias.float()
        if kernel_applies(u):
            u, step, b, c, gate = (t.mT.contiguous() for t in (u, step, b, c, gate))  # (N, ., L)
            y = selective_scan_fn(u, step, a, b, c, d, gate, delta_bias=bias, delta_softplus=True)
            return y.mT
        y = selective_scan(u, F.softplus(step + bias), a, b, c)
        return (y + u * d) * F.silu(gate)
