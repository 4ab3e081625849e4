"""The complete state of a run in one safetensors file.

It holds no random state: every random number is drawn from the seed and the number of a patch.
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

OPTIMIZER_STATE = ("exp_avg", "exp_avg_sq")
STATE = "moment"  # key in the file's metadata


@dataclass(frozen=True)
class TrainState:
    """The progress of a run.

    Attributes:
        iteration: completed steps.
        seconds: of training, over all resumed runs.
    """

    iteration: int = 0
    seconds: float = 0.0


def save(path: Path, step: Step, average: AveragedModel, state: TrainState) -> None:
    """Replaces the checkpoint.

    Raises:
        OutputError: it cannot be written; the previous one is kept.
    """
    tensors = {f"network.{name}": value for name, value in step.network.state_dict().items()}
    tensors |= {f"average.{name}": value
                for name, value in average.module.state_dict().items()}
    for name, parameter in step.network.named_parameters():
        values = step.optimizer.state.get(parameter, {})
        tensors |= {f"{key}.{name}": values[key] for key in OPTIMIZER_STATE if key in values}
    metadata = {STATE: json.dumps(to_json(state))}
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    with atomic(path) as temporary:
        try:
            save_file(tensors, temporary, metadata)
        except SafetensorError as error:  # such as a full disk
            raise OutputError(f"{path}: cannot be written: {error}") from error


def restore(path: Path, step: Step, average: AveragedModel) -> TrainState:
    """Loads a checkpoint into a new step and average.

    Raises:
        InputError: it cannot be read, or belongs to another network.
    """
    tensors, state = _read(path)
    try:
        step.network.load_state_dict(_with_prefix(tensors, "network."))
        average.module.load_state_dict(_with_prefix(tensors, "average."))
        average.n_averaged.fill_(state.iteration)
        for name, parameter in step.network.named_parameters():
            if f"{OPTIMIZER_STATE[0]}.{name}" in tensors:
                step.optimizer.state[parameter] = {
                    "step": torch.tensor(float(state.iteration)),
                    **{key: _like(parameter, tensors[f"{key}.{name}"]) for key in OPTIMIZER_STATE},
                }
    except (RuntimeError, KeyError) as error:
        raise InputError(f"{path}: is the checkpoint of another network ({error})") from error
    return state


def average_weights(path: Path) -> dict[str, Tensor]:
    """The moving average of the weights.

    Raises:
        InputError: the checkpoint cannot be read.
    """
    return _with_prefix(_read(path)[0], "average.")


def load_average(path: Path, network: nn.Module) -> nn.Module:
    """`network` with the averaged weights, in evaluation mode.

    Raises:
        InputError: the checkpoint cannot be read, or belongs to another network.
    """
    try:
        network.load_state_dict(average_weights(path))
    except RuntimeError as error:
        raise InputError(f"{path}: is the checkpoint of another network ({error})") from error
    return network.eval()


def _read(path: Path) -> tuple[dict[str, Tensor], TrainState]:
    try:
        with safe_open(path, "pt") as file:
            state = Reader("the state").read(TrainState, json.loads(file.metadata()[STATE]))
            return {name: file.get_tensor(name) for name in file.keys()}, state  # noqa: SIM118
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: is no checkpoint, or a damaged one ({error})") from error


def _with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items()
            if name.startswith(prefix)}


def _like(parameter: Tensor, value: Tensor) -> Tensor:
    """A copy on the device and in the memory layout of the parameter."""
    return torch.empty_like(parameter).copy_(value).detach()
