"""Everything a run needs to go on as if it had never stopped, in one safetensors file.

No random state is kept: whatever is drawn, is drawn from the seed and the number of a patch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from metaunetr.errors import InputError, OutputError
from metaunetr.io.atomic import atomic
from metaunetr.schema import Reader, to_json
from metaunetr_training.training.step import Step

MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True)
class Moment:
    """Where a run stands: steps done, and seconds they took over all resumed runs."""

    iteration: int = 0
    seconds: float = 0.0


def save(path: Path, step: Step, average: AveragedModel, moment: Moment) -> None:
    """Replaces the checkpoint, or leaves it as it is.

    Raises:
        OutputError: it cannot be written.
    """
    tensors = {f"network.{name}": value for name, value in step.network.state_dict().items()}
    tensors |= {f"average.{name}": value
                for name, value in average.module.state_dict().items()}
    for name, parameter in step.network.named_parameters():
        state = step.optimizer.state.get(parameter, {})
        tensors |= {f"{key}.{name}": state[key] for key in MOMENTS if key in state}
    metadata = {"moment": json.dumps(to_json(moment))}
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    with atomic(path) as temporary:
        try:
            save_file(tensors, temporary, metadata)
        except SafetensorError as error:  # such as a full disk
            raise OutputError(f"{path}: cannot be written: {error}") from error


def restore(path: Path, step: Step, average: AveragedModel) -> Moment:
    """Puts a checkpoint's state into a run that has just begun.

    Raises:
        InputError: it cannot be read, or is of another network.
    """
    tensors, moment = _read(path)
    try:
        step.network.load_state_dict(_part(tensors, "network."))
        average.module.load_state_dict(_part(tensors, "average."))
        average.n_averaged.fill_(moment.iteration)
        for name, parameter in step.network.named_parameters():
            if f"{MOMENTS[0]}.{name}" in tensors:
                step.optimizer.state[parameter] = {
                    "step": torch.tensor(float(moment.iteration)),
                    **{key: _like(parameter, tensors[f"{key}.{name}"]) for key in MOMENTS},
                }
    except (RuntimeError, KeyError) as error:
        raise InputError(f"{path}: is the checkpoint of another network ({error})") from error
    return moment


def average_weights(path: Path) -> dict[str, Tensor]:
    """The moving average of the weights.

    Raises:
        InputError: the checkpoint cannot be read.
    """
    return _part(_read(path)[0], "average.")


def load_average(path: Path, network: nn.Module) -> nn.Module:
    """`network` with the averaged weights, to be used, not trained.

    Raises:
        InputError: the checkpoint cannot be read, or is of another network.
    """
    try:
        network.load_state_dict(average_weights(path))
    except RuntimeError as error:
        raise InputError(f"{path}: is the checkpoint of another network ({error})") from error
    return network.eval()


def _read(path: Path) -> tuple[dict[str, Tensor], Moment]:
    try:
        with safe_open(path, "pt") as file:
            moment = Reader("moment").read(Moment, json.loads(file.metadata()["moment"]))
            return {name: file.get_tensor(name) for name in file.keys()}, moment  # noqa: SIM118
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: is no checkpoint, or a damaged one ({error})") from error


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items()
            if name.startswith(prefix)}


def _like(parameter: Tensor, value: Tensor) -> Tensor:
    """On the parameter's device and in its memory layout, as the optimizer made it."""
    return torch.empty_like(parameter).copy_(value).detach()
