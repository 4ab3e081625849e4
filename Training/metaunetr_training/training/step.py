"""One step of training: augmentation, forward, backward, optimizer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._triton import has_triton

from metaunetr.engine.precision import fast_cpu_dtype
from metaunetr.errors import InputError
from metaunetr.network import MetaUNETR
from metaunetr_training.augmentation import Augment
from metaunetr_training.errors import TrainingError
from metaunetr_training.recipe import Recipe, Training
from metaunetr_training.training.distributed import ProcessGroup
from metaunetr_training.training.losses import marginal_loss

PRECISIONS = ("auto", "float32", "bfloat16")


def working_dtype(training: Training, network: nn.Module, device: torch.device) -> torch.dtype:
    """The type of convolutions and matrix products; weights stay in float32.

    `auto` is bfloat16 on GPUs and CPUs that have instructions for it, else float32. It is float32
    as well on CPUs for a baseline in which a feature map has a depth of 2: the gradient of its
    convolutions would be wrong (`metaunetr.network.layers.needs_float32`, which MetaUNETR heeds).

    Raises:
        InputError: the precision is unknown, or bfloat16 would give wrong gradients.
    """
    precision = training.precision
    if precision not in PRECISIONS:
        raise InputError(f"training.precision must be one of {', '.join(PRECISIONS)}: "
                         f"{precision!r}")
    flat = [patch for patch in (training.patch, *training.more_patches)
            if device.type == "cpu" and not isinstance(network, MetaUNETR)
            and patch[0] in (2 * network.stride, network.stride)]
    if precision == "bfloat16" and flat:
        raise InputError(
            "training.precision: on a CPU, bfloat16 gives wrong gradients for patches of "
            f"{flat[0]} voxels, because a feature map of the network has a depth of 2; choose "
            "float32 or auto")
    if precision != "auto":
        return getattr(torch, precision)
    if device.type == "cpu":
        return torch.float32 if flat else fast_cpu_dtype()
    native = torch.version.hip or torch.cuda.get_device_capability(device) >= (8, 0)
    return torch.bfloat16 if native else torch.float32  # older GPUs emulate it, slowly


class Step:
    """A training step: augmentation, forward, backward, optimizer.

    Args:
        teacher: a network in evaluation mode that is the target for organs that a case does not
            annotate (see `losses`); None for no target.

    Attributes:
        network: the network itself, not wrapped or compiled, in channels-last layout.
        optimizer: AdamW; no weight decay for biases and other one-dimensional weights.
    """

    def __init__(
        self, network: nn.Module, recipe: Recipe, group: ProcessGroup,
        teacher: nn.Module | None = None,
    ) -> None:
        training, self.device = recipe.training, group.device
        self.network = network.to(self.device, memory_format=torch.channels_last_3d)
        self.teacher = teacher and teacher.to(
            self.device, memory_format=torch.channels_last_3d)
        self.optimizer = torch.optim.AdamW(_groups(network, training.weight_decay), lr=0.0)
        self.dtype = working_dtype(training, network, self.device)
        self.clip, self.seed = training.gradient_clip, training.seed
        self.augment = Augment(recipe)
        self.mean = group.mean
        self.forward = group.wrap(self.network)
        if _use_compile(training.compile, self.device):
            torch.compiler.reset()  # graphs of earlier networks count towards the cache limit
            self.forward = torch.compile(self.forward)

    def __call__(self, batch: dict[str, Any], learning_rate: float) -> dict[str, float]:
        """Trains on one batch and returns the values to log.

        Raises:
            TrainingError: loss or gradient is not finite; the weights are unchanged.
        """
        image, labels, annotated = self.prepare(batch)
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            logits = self.forward(image)
            with torch.no_grad():
                target = self.teacher(image) if self.teacher is not None else None
        loss = marginal_loss(logits, labels, annotated, target)
        # averaged over all processes, so that all of them stop at a value that is not finite
        values = dict(zip(loss._fields, self.mean([value.item() for value in loss]), strict=True))
        _require_finite("loss", values["total"], batch["name"])
        self.optimizer.zero_grad(set_to_none=True)
        loss.total.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.clip).item()
        _require_finite("gradient", norm, batch["name"])
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        self.optimizer.step()
        return values | {"gradient_norm": norm}

    def prepare(self, batch: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
        """The augmented batch on the device. Seeds dropout as well, where the network has any."""
        numbers = batch["number"].tolist()
        torch.manual_seed(_seed(self.seed, numbers[0]))
        image, labels, annotated = (
            batch[key].to(self.device, non_blocking=True)
            for key in ("image", "labels", "annotated"))
        generators = [torch.Generator().manual_seed(_seed(self.seed, n)) for n in numbers]
        image, labels = self.augment(image, labels, generators)
        return image.to(memory_format=torch.channels_last_3d), labels, annotated


def _seed(seed: int, number: int) -> int:
    return int(np.random.SeedSequence([seed, number, 2]).generate_state(1, np.uint64)[0]) >> 1


def _require_finite(what: str, value: float, names: list[str]) -> None:
    if not math.isfinite(value):
        raise TrainingError(
            f"the {what} is {value} for the batch of {', '.join(names)}; look at these cases, or "
            "lower training.learning_rate. The last checkpoint is kept."
        )


def _groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    parameters = [p for p in network.parameters() if p.requires_grad]
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def _use_compile(choice: str, device: torch.device) -> bool:
    """`auto` compiles on GPUs for which Triton is installed."""
    if choice not in ("auto", "yes", "no"):
        raise InputError(f"training.compile must be auto, yes or no: {choice!r}")
    return choice == "yes" or (choice == "auto" and device.type == "cuda" and has_triton())
