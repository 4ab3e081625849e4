"""Model bundles: a folder with `card.json` and the weights it names.

The card tells everything that is needed to use the model: architecture (the network is rebuilt
from it), preprocessing, labels, patch, and for people: training data, licence, intended use and
measured accuracy. Cards and weights are untrusted input: weights are safetensors, checked
against the hash in the card, and no path or link may leave the bundle's folder; how much memory
the network takes is known, and bounded, before any is taken.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metaunetr import organs
from metaunetr.calibration import Calibration
from metaunetr.errors import BundleError, InputError
from metaunetr.organs import Organ
from metaunetr.weights import load_network, read_file

if TYPE_CHECKING:
    from metaunetr.network import MetaUNETR

FORMAT = 1
CARD = "card.json"
DEFAULT_MODEL = "abdomen8-3mm"
MAX_CARD = 1 << 20  # bytes
MAX_STAGES, MAX_DEPTH, MAX_FEATURES = 8, 100, 4096


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
        patch: window (D, H, W) in voxels at the model spacing, as in training.
        smallest, largest: how far a window may shrink or grow to cover an axis at once.
        multiple: what window sizes must be divisible by.
        overlap: default overlap of neighbouring windows, 0 to below 1.
        calibration: turns the engine's confidence into the Dice to be expected; None leaves it.
        precision: "float32" for a model that loses accuracy in half precision, else "auto".
    """

    folder: Path
    card: dict[str, Any]
    name: str
    sha256: str
    classes: tuple[Organ, ...]
    preprocessing: Preprocessing
    patch: tuple[int, int, int]
    smallest: tuple[int, int, int]
    largest: tuple[int, int, int]
    multiple: int
    overlap: float
    calibration: Calibration | None = None
    precision: str = "auto"

    def channels(self, wanted: Iterable[Organ] | None) -> dict[int, Organ]:
        """The wanted organs, or all for None, by their channel of the network.

        Raises:
            InputError: the model lacks one of them.
        """
        known = dict(enumerate(self.classes, start=1))
        if wanted is None:
            return known
        numbers = {organ.number for organ in wanted}
        missing = numbers - {organ.number for organ in known.values()}
        if missing or not numbers:
            names = ", ".join(organs.BY_NUMBER[n].name for n in sorted(missing)) or "no organ"
            raise InputError(f"The model {self.name} does not know {names}; it knows: "
                             f"{', '.join(organ.name for organ in known.values())}.")
        return {channel: organ for channel, organ in known.items() if organ.number in numbers}

    @property
    def dice(self) -> dict[str, dict[str, float]]:
        """Measured Dice by data set, then by organ and "mean"; empty where the card has none."""
        accuracy = self.card.get("accuracy")
        found = {}
        for data, values in (accuracy.items() if isinstance(accuracy, dict) else ()):
            scores = {key: float(value) for key, value in values.items()
                      if (key == "mean" or key in organs.BY_NAME)
                      and type(value) in (int, float) and 0 <= value <= 1
                      } if isinstance(values, dict) and data.isprintable() else {}
            if scores:
                found[data] = scores
        return found

    def network(self) -> MetaUNETR:
        """The network in evaluation mode, fp32 on the CPU.

        Raises:
            BundleError: the weights are damaged, incomplete, or not those of the card.
        """
        path = self.folder / self.card["weights"]
        if os.path.dirname(os.path.realpath(path)) != os.path.realpath(self.folder):
            raise BundleError(f"{path}: the weights must lie in the bundle's folder, this is a "
                              f"link to {os.path.realpath(path)}.")
        return load_network(self.folder / CARD, self.card["architecture"], path, self.sha256)


def load(folder: Path) -> Bundle:
    """Reads and checks the card in `folder`.

    Raises:
        BundleError: no card, not JSON, from a newer format, or a value is missing or impossible.
    """
    folder = Path(folder)
    path = folder / CARD
    try:
        text = read_file(path, MAX_CARD)
    except OSError as error:
        raise BundleError(f"{path}: no model card can be read there ({error.strerror}).") from error
    if len(text) > MAX_CARD:
        raise BundleError(f"{path}: a card must have at most {MAX_CARD} bytes, this has more.")
    try:
        card = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path}: the card is not valid JSON ({error!s:.200}).") from error
    if not isinstance(card, dict) or type(card.get("format")) is not int or card["format"] < 1:
        raise BundleError(f"{path}: a card must be a JSON object with a whole number `format`.")
    if card["format"] > FORMAT:
        raise BundleError(
            f"{path}: the card has format {card['format']!s:.20}, this version reads up to "
            f"{FORMAT}; update MetaUNETR."
        )
    try:
        return _checked(folder, card)
    except KeyError as error:
        raise BundleError(f"{path}: the card lacks {error}.") from error
    except ValueError as error:
        raise BundleError(f"{path}: {error!s:.400}.") from error


def _checked(folder: Path, card: dict[str, Any]) -> Bundle:
    weights = _of_kind(str, card, "weights")
    if not re.fullmatch(r"\w[\w. -]*", weights):
        raise ValueError(f"weights must be a file inside the bundle's folder: {weights!r}")
    _check_texts(card)
    classes = _classes(_of_kind(dict, card, "labels"))
    architecture = _of_kind(dict, card, "architecture")
    for key, count in (("in_channels", 1), ("classes", len(classes) + 1)):
        if architecture[key] != count:
            raise ValueError(f"{key} of the architecture must be {count}, as of input and labels: "
                             f"{architecture[key]!r}")
    features = architecture["feature_size"]
    if type(features) is not int or not 1 <= features <= MAX_FEATURES:
        raise ValueError(f"feature_size must be a whole number from 1 to {MAX_FEATURES}: "
                         f"{features!r}")
    # the embedding and every stage halve the grid
    multiple = 2 ** (len(_depths(architecture)) + 1)
    smallest, patch, largest = (
        _window(card, key, multiple) for key in ("smallest_window", "patch", "largest_window")
    )
    if any(not a <= b <= c for a, b, c in zip(smallest, patch, largest, strict=True)):
        raise ValueError("patch must lie between smallest_window and largest_window: "
                         f"{smallest}, {patch}, {largest}")
    return Bundle(
        folder=folder,
        card=card,
        name=_of_kind(str, card, "name"),
        sha256=_of_kind(str, card, "sha256"),
        classes=classes,
        preprocessing=_preprocessing(_of_kind(dict, card, "preprocessing")),
        patch=patch,
        smallest=smallest,
        largest=largest,
        multiple=multiple,
        overlap=_number("overlap", card["overlap"], 0, 0.9),
        calibration=Calibration.from_card(card.get("calibration")),
        precision=_precision(card.get("precision", "auto")),
    )


def _check_texts(card: dict[str, Any]) -> None:
    """Refuse what a terminal would obey and a file format cannot hold."""
    for key in ("name", "title", "task", "intended_use", "data_licence", "weights_licence"):
        if key in card and not _of_kind(str, card, key).isprintable():
            raise ValueError(f"{key} must be one line without control characters: {card[key]!a}")


def _depths(architecture: dict[str, Any]) -> list[int]:
    depths = _of_kind(list, architecture, "depths")
    if not 1 <= len(depths) <= MAX_STAGES or any(
        type(depth) is not int or not 0 <= depth <= MAX_DEPTH for depth in depths
    ):
        raise ValueError(f"depths must be 1 to {MAX_STAGES} whole numbers up to {MAX_DEPTH}: "
                         f"{depths}")
    return depths


def _classes(labels: dict[str, Any]) -> tuple[Organ, ...]:
    if len(labels) < 2 or labels.keys() != {str(n) for n in range(len(labels))}:
        raise ValueError(f"labels must be numbered from 0 without gaps: {list(labels)}")
    names = [labels[str(n)] for n in range(1, len(labels))]
    unknown = [str(name) for name in names if name not in list(organs.BY_NAME)]
    if unknown:
        raise ValueError(f"labels must be organs known here, these are not: {', '.join(unknown)}")
    if len(set(names)) < len(names):
        raise ValueError(f"an organ may occur once in labels: {', '.join(names)}")
    return tuple(organs.BY_NAME[name] for name in names)


def _preprocessing(values: dict[str, Any]) -> Preprocessing:
    low, high = _numbers(values, "hu_window", 2, -32768, 32767)
    if low >= high:
        raise ValueError(f"hu_window must rise: {values['hu_window']}")
    crop = _of_kind(dict, values, "body_crop")
    return Preprocessing(
        spacing=_numbers(values, "spacing_mm", 3, 0.1, 20),
        hu_window=(low, high),
        antialias=_number("antialias", values["antialias"], 0, 2),
        body_crop=(_number("body_crop value", crop["value"], 0, 1),
                   _number("body_crop share", crop["share"], 0, 1)),
    )


def _precision(value: Any) -> str:
    if value not in ("auto", "float32"):
        raise ValueError(f"precision must be auto or float32: {value!r}")
    return value


def _window(card: dict[str, Any], key: str, multiple: int) -> tuple[int, int, int]:
    values = _of_kind(list, card, key)
    if len(values) != 3 or any(
        type(v) is not int or not 8 <= v <= 512 or v % multiple for v in values
    ):
        raise ValueError(f"{key} must be three whole numbers from 8 to 512, divisible by "
                         f"{multiple}: {values}")
    return tuple(values)


def _of_kind(kind: type, values: dict[str, Any], key: str) -> Any:
    if not isinstance(values[key], kind):
        name = {str: "a text", dict: "an object", list: "a list"}[kind]
        raise ValueError(f"{key} must be {name}: {values[key]!r}")
    return values[key]


def _numbers(values: dict[str, Any], key: str, count: int, low: float, high: float):
    found = _of_kind(list, values, key)
    if len(found) != count:
        raise ValueError(f"{key} must be {count} numbers: {found}")
    return tuple(_number(key, value, low, high) for value in found)


def _number(name: str, value: Any, low: float, high: float) -> float:
    if type(value) not in (int, float) or not low <= value <= high:  # False for NaN
        raise ValueError(f"{name} must be a number from {low} to {high}: {value!r}")
    return float(value)


def user_folder() -> Path:
    """Where people put models of their own: $METAUNETR_MODELS, else the user's data folder."""
    if os.environ.get("METAUNETR_MODELS"):
        return Path(os.environ["METAUNETR_MODELS"])
    home = Path(os.path.expanduser("~"))  # unlike Path.home, never fails
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME", home / ".local" / "share"))
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
    return [folder for folder in candidates if os.path.isdir(folder)]  # False where not allowed


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
    if os.path.isdir(wanted):
        return load(Path(wanted))
    searched = ", ".join(str(folder) for folder in folders()) or "no folder of models exists"
    raise BundleError(
        f"No model is called {wanted!r}. Known: {', '.join(found) or 'none'} "
        f"(searched: {searched})."
    )
