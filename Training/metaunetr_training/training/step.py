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
from metaunetr_training.augmentation import Augment
from metaunetr_training.errors import TrainingError
from metaunetr_training.recipe import Recipe
from metaunetr_training.training.losses import marginal_loss
from metaunetr_training.training.processes import Processes

PRECISIONS = ("auto", "float32", "bfloat16")


def working_dtype(precision: str, device: torch.device) -> torch.dtype:
    """The precision of convolutions and matrix products; weights stay in float32.

    `auto` is bfloat16 on GPUs and CPUs that have instructions for it.

    Raises:
        InputError: no such precision.
    """
    if precision not in PRECISIONS:
        raise InputError(f"training.precision must be one of {', '.join(PRECISIONS)}: "
                         f"{precision!r}")
    if precision != "auto":
        return getattr(torch, precision)
    if device.type == "cpu":
        return fast_cpu_dtype()
    native = torch.version.hip or torch.cuda.get_device_capability(device) >= (8, 0)
    return torch.bfloat16 if native else torch.float32  # older GPUs emulate it, slowly


class Step:
    """What a step needs, and the step itself.

    Attributes:
        network: the bare network, in the memory layout that convolutions like.
        optimizer: AdamW; biases and one-dimensional weights are not decayed.
    """

    def __init__(self, network: nn.Module, recipe: Recipe, processes: Processes) -> None:
        training, self.device = recipe.training, processes.device
        self.network = network.to(self.device, memory_format=torch.channels_last_3d)
        self.optimizer = torch.optim.AdamW(_groups(network, training.weight_decay), lr=0.0)
        self.dtype = working_dtype(training.precision, self.device)
        self.clip, self.seed = training.gradient_clip, training.seed
        self.augment = Augment(recipe)
        self.mean = processes.mean
        self.forward = processes.wrap(self.network)
        if _compiles(training.compile, self.device):
            torch.compiler.reset()  # what was compiled for other networks counts to one limit
            self.forward = torch.compile(self.forward)

    def __call__(self, batch: dict[str, Any], learning_rate: float) -> dict[str, float]:
        """Trains on one batch; returns what is logged.

        Raises:
            TrainingError: loss or gradient is not finite; the weights are still those before.
        """
        image, labels, annotated = self.prepare(batch)
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            scores = self.forward(image)
        loss = marginal_loss(scores, labels, annotated)
        # of all processes: where one must stop, all do
        values = dict(zip(loss._fields, self.mean([value.item() for value in loss]), strict=True))
        _check("loss", values["total"], batch["name"])
        self.optimizer.zero_grad(set_to_none=True)
        loss.total.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.clip).item()
        _check("gradient", norm, batch["name"])
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        self.optimizer.step()
        return values | {"gradient_norm": norm}

    def prepare(self, batch: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
        """The augmented batch on the device; dropout, where there is any, is seeded as well."""
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


def _check(what: str, value: float, names: list[str]) -> None:
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


def _compiles(wish: str, device: torch.device) -> bool:
    """`auto`: on GPUs, where Triton, which writes their kernels, is there and can."""
    if wish not in ("auto", "yes", "no"):
        raise InputError(f"training.compile must be auto, yes or no: {wish!r}")
    return wish == "yes" or (wish == "auto" and device.type == "cuda" and has_triton())
