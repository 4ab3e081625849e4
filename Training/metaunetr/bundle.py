"""Model bundles: a folder with `card.json` and the weights it names.

The card tells everything that is needed to use the model: architecture (the network is rebuilt
from it), preprocessing, labels, patch, and for people: training data, licence, intended use and
measured accuracy. Cards and weights are untrusted input: weights are safetensors, checked
against the hash in the card, and no path may leave the bundle's folder.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metaunetr import organs
from metaunetr.errors import BundleError
from metaunetr.organs import Organ

if TYPE_CHECKING:
    from metaunetr.network import MetaUNETR

FORMAT = 1
CARD = "card.json"
DEFAULT_MODEL = "abdomen8-3mm"


@dataclass(frozen=True)
class Preprocessing:
    """How an image becomes the network's input.

    Attributes:
        spacing: mm along (i, j, k) = (left, posterior, superior).
        hu_window: HU that become 0 and 1; beyond is clipped.
        antialias: Gaussian sigma in units of the model spacing, applied along axes finer than
            three quarters of it.
        body_crop: (value, share): rows and columns in which more than `share` of the voxels
            exceed `value` (0..1) hold the body.
    """

    spacing: tuple[float, float, float]
    hu_window: tuple[float, float]
    antialias: float
    body_crop: tuple[float, float]


@dataclass(frozen=True)
class Bundle:
    """A checked model folder; `network()` builds the network with its weights.

    Attributes:
        classes: the organ of each output channel from 1 on (channel 0 is background).
        patch: window (D, H, W) in voxels at the model spacing.
        overlap: default overlap of neighbouring windows, 0 to below 1.
    """

    folder: Path
    card: dict[str, Any]
    name: str
    sha256: str
    classes: tuple[Organ, ...]
    preprocessing: Preprocessing
    patch: tuple[int, int, int]
    overlap: float

    def network(self) -> MetaUNETR:
        """The network in evaluation mode, fp32 on the CPU.

        Raises:
            BundleError: the weights are damaged, incomplete, or not those of the card.
        """
        from safetensors.torch import load

        from metaunetr.network import build

        path = self.folder / self.card["weights"]
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BundleError(f"{path}: the weights cannot be read ({error.strerror}).") from error
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise BundleError(
                f"{path}: the weights' SHA-256 differs from the card's {self.sha256[:12]}…; "
                "the file is damaged or was replaced. Install the model again."
            )
        try:
            tensors = load(data)
            network = build(self.card["architecture"])
        except Exception as error:  # whatever is wrong inside a bundle, it is the bundle
            raise BundleError(f"{self.folder}: the model cannot be built: {error}") from error
        expected = network.state_dict()
        for kind, names in (
            ("lacks", expected.keys() - tensors.keys()),
            ("has the unknown", tensors.keys() - expected.keys()),
            ("has a wrong shape for", {
                name for name in expected.keys() & tensors.keys()
                if expected[name].shape != tensors[name].shape
            }),
        ):
            if names:
                raise BundleError(f"{path}: the file {kind} tensor {min(names)} "
                                  f"({len(names)} in all).")
        network.load_state_dict(tensors)
        return network.eval()


def load(folder: Path) -> Bundle:
    """Reads and checks the card in `folder`.

    Raises:
        BundleError: no card, not JSON, from a newer format, or a value is missing or impossible.
    """
    folder = Path(folder)
    path = folder / CARD
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BundleError(f"{path}: no model card can be read there ({error.strerror}).") from error
    except ValueError as error:
        raise BundleError(f"{path}: the card is not valid JSON ({error}).") from error
    if not isinstance(card, dict) or not isinstance(card.get("format"), int):
        raise BundleError(f"{path}: a card must be a JSON object with a whole number `format`.")
    if card["format"] > FORMAT:
        raise BundleError(
            f"{path}: the card has format {card['format']}, this version reads up to {FORMAT}; "
            "update MetaUNETR."
        )
    try:
        return _checked(folder, card)
    except KeyError as error:
        raise BundleError(f"{path}: the card lacks {error}.") from error
    except (TypeError, ValueError) as error:
        raise BundleError(f"{path}: {error}.") from error


def _checked(folder: Path, card: dict[str, Any]) -> Bundle:
    weights = card["weights"]
    if Path(weights).name != weights or weights in ("", ".", ".."):
        raise ValueError(f"weights must be a file inside the bundle's folder: {weights!r}")
    labels = card["labels"]
    if sorted(labels, key=int) != [str(n) for n in range(len(labels))]:
        raise ValueError(f"labels must be numbered from 0 without gaps: {list(labels)}")
    unknown = [labels[str(n)] for n in range(1, len(labels))
               if labels[str(n)] not in organs.BY_NAME]
    if unknown:
        raise ValueError(f"unknown organs in labels: {', '.join(map(str, unknown))}")
    classes = tuple(organs.BY_NAME[labels[str(n)]] for n in range(1, len(labels)))
    if len(set(labels.values())) < len(labels):
        raise ValueError("an organ occurs twice in labels")
    if int(card["architecture"]["classes"]) != len(labels):
        raise ValueError(f"architecture has {card['architecture']['classes']} classes, "
                         f"labels have {len(labels)}")
    return Bundle(
        folder=folder,
        card=card,
        name=str(card["name"]),
        sha256=str(card["sha256"]),
        classes=classes,
        preprocessing=_preprocessing(card["preprocessing"]),
        patch=_patch(card["patch"]),
        overlap=_number("overlap", card["overlap"], 0, 0.9),
    )


def _preprocessing(values: dict[str, Any]) -> Preprocessing:
    low, high = (_number("hu_window", v, -32768, 32767) for v in values["hu_window"])
    if low >= high:
        raise ValueError(f"hu_window must rise: {values['hu_window']}")
    x, y, z = (_number("spacing_mm", v, 0.1, 20) for v in values["spacing_mm"])
    crop = values["body_crop"]
    return Preprocessing(
        spacing=(x, y, z),
        hu_window=(low, high),
        antialias=_number("antialias", values["antialias"], 0, 2),
        body_crop=(_number("body_crop", crop["value"], 0, 1),
                   _number("body_crop", crop["share"], 0, 1)),
    )


def _patch(values: Any) -> tuple[int, int, int]:
    if len(values) != 3 or any(not isinstance(v, int) or not 8 <= v <= 512 for v in values):
        raise ValueError(f"patch must be three whole numbers from 8 to 512: {values}")
    return tuple(values)


def _number(name: str, value: Any, low: float, high: float) -> float:
    number = float(value)
    if not (math.isfinite(number) and low <= number <= high):
        raise ValueError(f"{name} must lie between {low} and {high}: {value}")
    return number


def user_folder() -> Path:
    """Where people put models of their own: $METAUNETR_MODELS, else the user's data folder."""
    if os.environ.get("METAUNETR_MODELS"):
        return Path(os.environ["METAUNETR_MODELS"])
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share"))
    return base / "MetaUNETR" / "Models"


def folders() -> list[Path]:
    """The folders that are searched for bundles, those that exist, first match wins."""
    package = Path(__file__).resolve().parent
    candidates = (
        user_folder(),
        package / "models",  # a wheel
        package.parent / "Resources" / "Models",  # Slicer's qt-scripted-modules
        package.parent.parent / "Resources" / "Models",  # source tree, editable install
    )
    return [folder for folder in candidates if folder.is_dir()]


def available() -> dict[str, Path]:
    """Name and folder of every bundle that can be found (cards are not checked)."""
    found: dict[str, Path] = {}
    for folder in folders():
        for card in sorted(folder.glob(f"*/{CARD}")):
            found.setdefault(card.parent.name, card.parent)
    return found


def find(model: str | Path | None = None) -> Bundle:
    """The bundle called `model`, or in the folder `model`; the default one for None.

    Raises:
        BundleError: there is none, or it is damaged.
    """
    wanted = str(model or DEFAULT_MODEL)
    found = available()
    if wanted in found:
        return load(found[wanted])
    if (Path(wanted) / CARD).is_file():
        return load(Path(wanted))
    searched = ", ".join(str(folder) for folder in folders()) or "no folder of models exists"
    raise BundleError(
        f"No model is called {wanted!r}. Known: {', '.join(found) or 'none'} "
        f"(searched: {searched})."
    )
