"""The folder of a training run.

    recipe.yaml              the recipe
    run.json                 cases, initial model, progress, machine
    checkpoint.safetensors   the complete state
    log.csv, validation.csv, tensorboard/, pictures/
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import nn

from metaunetr import bundle
from metaunetr.bundle import Bundle
from metaunetr.errors import InputError
from metaunetr.io.atomic import write_text
from metaunetr.network.sizes import FAMILY
from metaunetr_training import recipe as recipes
from metaunetr_training.data.folds import Fold
from metaunetr_training.recipe import Recipe
from metaunetr_training.training.checkpoint import load_average
from metaunetr_training.training.networks import architecture_of, build_network

WEIGHTS = "weights.safetensors"


@dataclass(frozen=True)
class Run:
    """A training run and its results.

    Attributes:
        prepared: folder of the cases.
        fold: the fold that is held out, or NO_FOLD.
        record: start (name of the initial bundle, or None) and training (keys of the cases); after
            the first validation also iterations, minutes, finished, device, precision, processes,
            versions, cases (number by data set), validation (mean Dice at the model spacing).
    """

    folder: Path
    recipe: Recipe
    prepared: Path
    fold: Fold
    record: dict[str, Any]

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.safetensors"

    def write(self) -> None:
        """Writes recipe.yaml and run.json.

        Raises:
            OutputError: the folder cannot be written to.
        """
        write_text(self.folder / "recipe.yaml", self.recipe.to_yaml())
        values = {"prepared": str(self.prepared), "fold": self.fold, "record": self.record}
        write_text(self.folder / "run.json", json.dumps(values, indent=1))

    @classmethod
    def open(cls, folder: Path) -> Run:
        """The run in `folder`.

        Raises:
            InputError: there is no run, or its files are damaged.
        """
        folder = Path(folder)
        try:
            values = json.loads((folder / "run.json").read_text(encoding="utf-8"))
            prepared, fold, record = Path(values["prepared"]), values["fold"], values["record"]
        except OSError as error:
            raise InputError(f"{folder}: is no folder of a training run "
                             f"({error.strerror}: run.json)") from error
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{folder / 'run.json'}: is damaged ({error})") from error
        return cls(folder, recipes.load(folder / "recipe.yaml"), prepared, fold, record)

    def network(self) -> nn.Module:
        """The network with the averaged weights, in evaluation mode, float32 on the CPU.

        Raises:
            InputError: there is no checkpoint, or it is damaged.
        """
        return load_average(self.checkpoint, self._build_network())

    def _build_network(self) -> nn.Module:
        recipe = self.recipe
        return build_network(recipe.network, len(recipe.organs) + 1, recipe.training.patch)

    def card(self) -> dict[str, Any]:
        """The required entries of a bundle's card, except for the hash of the weights."""
        recipe, preprocessing = self.recipe, self.recipe.preprocessing
        value, share = preprocessing.body_crop
        return {
            "format": bundle.FORMAT,
            "name": recipe.name,
            "weights": WEIGHTS,
            "architecture": architecture_of(recipe.network, len(recipe.organs) + 1,
                                     recipe.training.patch),
            "preprocessing": {
                "spacing_mm": list(preprocessing.spacing),
                "hu_window": list(preprocessing.hu_window),
                "antialias": preprocessing.antialias,
                "body_crop": {"value": value, "share": share},
            },
            "patch": list(recipe.training.patch),
            "smallest_window": list(recipe.inference.smallest_window),
            "largest_window": list(recipe.inference.largest_window),
            "overlap": recipe.inference.overlap,
            "labels": {str(n): name for n, name in enumerate(("background", *recipe.organs))},
        }

    def bundle(self) -> Bundle:
        """A bundle for `metaunetr.Segmenter` that is not written to disk; also of baselines."""
        recipe, card = self.recipe, self.card()
        digest = hashlib.sha256(self.checkpoint.read_bytes()).hexdigest()
        return _RunBundle(
            folder=self.folder, card=card | {"sha256": digest}, name=recipe.name, sha256=digest,
            classes=recipe.classes, preprocessing=recipe.preprocessing,
            patch=recipe.training.patch, smallest=recipe.inference.smallest_window,
            largest=recipe.inference.largest_window, multiple=self._build_network().stride,
            overlap=recipe.inference.overlap,
        )

    @cached_property
    def exportable(self) -> bool:
        """Whether the core can build the network from a card; false for baselines."""
        return self.recipe.network.family == FAMILY


class _RunBundle(Bundle):
    """A bundle with the weights of a run's checkpoint."""

    def network(self) -> nn.Module:
        return Run.open(self.folder).network()
