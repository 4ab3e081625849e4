"""A bundle from a training run, verified by segmenting a CT."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import metaunetr
from metaunetr import bundle
from metaunetr.bundle import CARD, Bundle
from metaunetr.errors import BundleError, InputError
from metaunetr.result import DISCLAIMER
from metaunetr.weights import quantized
from metaunetr_training.export.target import new_folder
from metaunetr_training.training.run import Run

MINUTES = 30  # limit of the verification


@dataclass(frozen=True)
class CardTexts:
    """Texts of the card that the user gives.

    Attributes:
        title: "" for a title made of organs and spacing.
    """

    title: str = ""
    data_licence: str = "unknown: ask the owners of the training data"
    weights_licence: str = "not stated: ask who trained the model"
    intended_use: str = f"{DISCLAIMER} Not validated beyond what stands under accuracy."


def export(
    run: Run, folder: Path, texts: CardTexts | None = None, ct: Path | None = None,
    report: Callable[[str], None] = lambda text: None,
) -> Bundle:
    """Writes the bundle `folder`, named like it, after a new process has segmented a CT with it.

    The weights are stored as 8-bit integers (`metaunetr.weights`), in half the size of float16.
    Against float16, it changed the Dice of an organ of a case by -0.002 to 0.006 (abdomen13-2mm, 47
    organs of 6 CTs).

    Args:
        ct: the CT to segment; None is a phantom.

    Raises:
        InputError: the run is of a baseline, which the core cannot rebuild, or its checkpoint or
            evaluation is damaged.
        OutputError: the folder exists or cannot be written.
        BundleError: the bundle cannot be used.
    """
    if not run.exportable:
        raise InputError(f"{run.folder}: a {run.recipe.network.family} is a baseline for "
                         "comparison; only a MetaUNETR can be exported")
    card = make_card(run, folder.name, texts or CardTexts())
    return write_bundle(run, folder, card, ct, report)


def write_bundle(
    run: Run, folder: Path, card: dict[str, Any], ct: Path | None = None,
    report: Callable[[str], None] = lambda text: None,
) -> Bundle:
    """Writes the bundle `folder` with the weights of a run, and verifies it as `export` does.

    Args:
        card: without hash and number of the weights.

    Raises:
        BundleError, InputError, OutputError: as `export`.
    """
    from safetensors.torch import save

    with new_folder(folder) as place:
        network = run.network()
        data = save(quantized(network.state_dict()))
        (place / card["weights"]).write_bytes(data)
        card |= {"sha256": hashlib.sha256(data).hexdigest(),
                 "parameters": sum(p.numel() for p in network.parameters())}
        text = json.dumps(in_order(card), indent=1, ensure_ascii=False)
        (place / CARD).write_text(text + "\n", encoding="utf-8")
        report(f"{folder}: written; a fresh process segments a CT with it")
        verify(place, ct)
    return bundle.load(folder)


def make_card(run: Run, name: str, texts: CardTexts) -> dict[str, Any]:
    """The card without hash and number of the weights.

    Raises:
        InputError: the run was continued after its evaluation.
    """
    recipe = run.recipe
    spacing = " × ".join(f"{s:g}" for s in recipe.preprocessing.spacing)
    measured = run.folder / "evaluation" / "summary.json"
    evaluated = summary(measured)
    if evaluated and evaluated.get("model_sha256") != run.bundle().sha256:
        raise InputError(f"{measured}: was measured with other weights than the run has now; run "
                         "`evaluate` again")
    card = run.card() | {
        "name": name,
        "title": texts.title or f"Abdomen, {len(recipe.organs)} organs, {spacing} mm",
        "task": "abdominal organs in CT",
        "training": training_record(run),
        "accuracy": accuracy(evaluated),
        "data_licence": texts.data_licence,
        "weights_licence": texts.weights_licence,
        "intended_use": texts.intended_use,
    }
    if evaluated.get("calibration"):
        card["calibration"] = evaluated["calibration"]
    return card


def training_record(run: Run) -> dict[str, Any]:
    """The entry `training` of the card: cases, method, run and recipe."""
    training, record = run.recipe.training, dict(run.record)
    cases = record.pop("cases", {})
    record.pop("training", None)  # the card does not name cases
    budget = "iterations" if training.max_minutes is None else "wall clock"
    return {
        "data": "; ".join(f"{count} CT of {name}" for name, count in cases.items()),
        "cases": cases,
        "held_out_fold": run.fold,
        "optimizer": f"AdamW {training.learning_rate:g}, warm-up and cosine by {budget}, "
                     f"EMA {training.ema:g}",
        "loss": "cross-entropy - log Dice, marginal over organs that a data set does not annotate",
        **record,
        "recipe": run.recipe.to_json(),
    }


def summary(path: Path) -> dict[str, Any]:
    """The summary of `evaluate`; {} if the run has not been evaluated.

    Raises:
        InputError: it is damaged.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); run `evaluate` again") from error
    if not isinstance(values, dict) or not isinstance(values.get("organs"), dict):
        raise InputError(f"{path}: must hold the organs' scores; run `evaluate` again")
    return values


def accuracy(evaluated: dict[str, Any]) -> dict[str, Any] | str:
    """Dice by data split, in the form that panels show, and the full table."""
    if not evaluated:
        return "not measured"
    split = f"{evaluated.get('split', 'held-out cases')} (n={evaluated.get('cases')})"
    dice = {name: round(line["dice"], 3) for name, line in evaluated["organs"].items()
            if line.get("dice") is not None}
    if evaluated.get("mean_dice") is not None:
        dice["mean"] = round(evaluated["mean_dice"], 3)
    kept = ("datasets", "failed", "rules", "organs", "mean")
    return {
        "metric": "Dice on the original grid by this engine",
        split: dice,
        "details": {key: evaluated[key] for key in kept if key in evaluated},
    }


def in_order(card: dict[str, Any]) -> dict[str, Any]:
    """The card with its keys in the order of those in Resources/Models."""
    first = ("format", "name", "title", "task", "weights", "sha256", "parameters")
    last = ("training", "adapted", "accuracy", "calibration", "data_licence", "weights_licence",
            "intended_use")
    middle = [key for key in card if key not in first + last]
    return {key: card[key] for key in (*first, *middle, *last) if key in card}


def verify(folder: Path, ct: Path | None = None) -> None:
    """Segments a CT with the bundle in a new process, which has no state of this one.

    Raises:
        BundleError: it fails; the message gives the reason.
    """
    with tempfile.TemporaryDirectory() as place:
        image = ct or _phantom(Path(place), bundle.load(folder))
        try:
            done = subprocess.run(
                [sys.executable, "-m", "metaunetr", "segment", str(image), "--model", str(folder),
                 "-o", str(Path(place) / "labels.nii.gz")],
                capture_output=True, text=True, env=environment(), timeout=60 * MINUTES,
            )
        except subprocess.TimeoutExpired:
            raise BundleError(f"The model needs more than {MINUTES} minutes for {image}.") from None
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        raise BundleError(f"The model cannot segment {ct or 'a phantom'}: {reason}")


def _phantom(place: Path, model: Bundle) -> Path:
    """A phantom at the model spacing, so that the verification takes little time."""
    from metaunetr import io, phantom

    path = place / "phantom.nii.gz"
    io.write_image(path, phantom.make(0, spacing=model.preprocessing.spacing).image)
    return path


def environment() -> dict[str, str]:
    """The environment of this process, with a path to this package."""
    places = [str(Path(metaunetr.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(place for place in places if place)}
