"""Labels by a model for organs that a case does not annotate.

Lee, Pseudo-label: the simple and efficient semi-supervised learning method for deep neural
networks, ICML workshop 2013. The labels of the data set are kept: the model decides only among
background and the organs that are not annotated.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from metaunetr.engine import Segmenter
from metaunetr.engine.runner import Runner
from metaunetr.engine.segmenter import body_windows
from metaunetr.engine.windows import blend_windows
from metaunetr.errors import InputError
from metaunetr.organs import BY_NUMBER
from metaunetr.text import counted
from metaunetr_training.data.folds import Fold
from metaunetr_training.data.prepared import (
    BRIGHTEST,
    UNKNOWN,
    Prepared,
    PreparedCase,
    case_folder,
    picture_file,
)
from metaunetr_training.data.report import write_report
from metaunetr_training.data.store import write_case
from metaunetr_training.export.target import new_folder


def add_pseudo_labels(
    prepared: Prepared, folder: Path, model: Segmenter, fold: Fold, confidence: float,
    report: Callable[[str], None],
) -> Prepared:
    """Copies a prepared folder, and labels organs that its training cases do not annotate.

    Voxels of lower probability become UNKNOWN. An organ whose voxels have a lower mean probability,
    or that is not found, stays without annotation in the case.

    Args:
        folder: to write; must not exist.
        fold: its cases, and those of the test set, are copied as they are.
        confidence: probability among background and the organs that are not annotated.
        report: called with a line for each labelled case.

    Raises:
        InputError: the model was made for other preprocessing, or no case lacks one of its organs.
        OutputError: the folder exists or cannot be written.
    """
    if model.bundle.preprocessing != prepared.preprocessing:
        raise InputError(
            f"{prepared.folder}: was prepared with {prepared.preprocessing}, the model "
            f"{model.bundle.name} needs {model.bundle.preprocessing}")
    organs = {organ.number for organ in model.bundle.classes}
    work = [case for case in prepared.training(fold) if organs - case.annotated]
    if not work:
        raise InputError(f"{prepared.folder}: all training cases annotate every organ of "
                         f"{model.bundle.name}")
    with new_folder(folder) as place:
        shutil.copytree(prepared.folder, place, dirs_exist_ok=True)
        for number, case in enumerate(work, start=1):
            volume = np.array(case.image())
            labels, found = label_organs(case, volume, model, confidence)
            labelled = replace(case, folder=case_folder(place, case.key), pseudo_labelled=found,
                               state=_state(case, model, confidence))
            write_case(labelled, volume, labels, picture_file(place, case.key),
                       prepared.preprocessing)
            names = ", ".join(BY_NUMBER[n].name for n in found) or "no organ"
            unknown = (labels == UNKNOWN).mean()
            report(f"[{number}/{len(work)}] {case.key}: {names}; {unknown:.1%} unknown")
        done = Prepared.read(place)
        write_report(done, [f"{counted(len(work), 'case')} with labels of {model.bundle.name}"], {})
    return Prepared.read(folder)


def label_organs(
    case: PreparedCase, volume: np.ndarray, model: Segmenter, confidence: float
) -> tuple[np.ndarray, tuple[int, ...]]:
    """The labels (D, H, W) of a case with those of a model, and the organs that the model labelled.

    Args:
        volume: (D, H, W) uint8, the image of the case.
    """
    truth = torch.from_numpy(np.array(case.labels()))
    organs = {channel: organ.number for channel, organ in enumerate(model.bundle.classes, start=1)
              if organ.number not in case.annotated}
    likeliest, probability = _predict(volume, model, [0, *organs])
    numbers = torch.tensor([0, *organs.values()], dtype=torch.uint8)
    predicted = numbers[likeliest.long()]
    free = truth == 0
    found = []
    for number in organs.values():
        voxels = free & (predicted == number)
        if voxels.any() and probability[voxels].mean() >= confidence:
            found.append(number)
        else:
            predicted[voxels] = 0
    predicted[probability < confidence] = UNKNOWN
    return torch.where(free, predicted, truth).numpy(), tuple(found)


def _predict(
    volume: np.ndarray, model: Segmenter, channels: list[int]
) -> tuple[Tensor, Tensor]:
    """The likeliest of some channels, and its probability among them, both (D, H, W).

    Its position in `channels`, as uint8; outside the body 0, with probability 1.
    """
    scaled = torch.from_numpy(volume / np.float32(BRIGHTEST))
    windows = body_windows(scaled, model.bundle, model.overlap)
    runner = Runner(model.network, model.backends, warn=lambda text: None)
    likeliest = torch.zeros(windows.size, dtype=torch.uint8)
    probability = torch.ones(windows.size)
    with torch.no_grad():
        for first, logits in blend_windows(
                scaled, windows, len(model.bundle.classes) + 1, runner):
            part = slice(first, first + logits.shape[1])
            highest = logits[channels].float().softmax(0).max(0)
            likeliest[part], probability[part] = highest.indices, highest.values
    inside, origin = windows.inside(scaled.shape)
    box = tuple(slice(o, o + s.stop - s.start) for o, s in zip(origin, inside, strict=True))
    whole = torch.zeros(scaled.shape, dtype=torch.uint8), torch.ones(scaled.shape)
    for target, source in zip(whole, (likeliest, probability), strict=True):
        target[box] = source[inside]
    return whole


def _state(case: PreparedCase, model: Segmenter, confidence: float) -> str:
    """Another one than that of the case as it was prepared."""
    made_from = f"{case.state} {model.bundle.sha256} {confidence}"
    return blake2b(made_from.encode(), digest_size=16).hexdigest()
