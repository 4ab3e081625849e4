"""Model bundles: a folder with `card.json` and the weights it names.

The card holds everything that is needed to use the model: architecture (the network is built from
it), preprocessing, labels and patch; and for readers training data, licence, intended use and
measured accuracy. Cards and weights are untrusted input: weights are safetensors with the hash
that the card gives, no path or link may leave the bundle's folder, and the memory of the network
is computed and limited before it is allocated.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from metaunetr import organs
from metaunetr.calibration import Calibration, Curve, read_calibration
from metaunetr.errors import BundleError, InputError
from metaunetr.organs import Organ
from metaunetr.schema import Between, Check, Length, Reader, read_json
from metaunetr.weights import load_network

if TYPE_CHECKING:
    from metaunetr.network import MetaUNETR

FORMAT = 1
CARD = "card.json"
DEFAULT_MODEL = "abdomen13-2mm"
WINDOW = (8, 512)  # voxels along each axis

Millimetres = Annotated[float, Between(0.1, 20)]
HounsfieldUnits = Annotated[float, Between(-32768, 32767)]
HuWindow = Annotated[tuple[HounsfieldUnits, HounsfieldUnits],
                     Check(lambda window: window[0] < window[1], "rise")]
Antialias = Annotated[float, Between(0, 2)]
Share = Annotated[float, Between(0, 1)]
Overlap = Annotated[float, Between(0, 0.9)]
Line = Annotated[str, Check(str.isprintable, "be one line without control characters")]


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

    spacing: tuple[Millimetres, Millimetres, Millimetres]
    hu_window: HuWindow
    antialias: Antialias
    body_crop: tuple[Share, Share]


@dataclass(frozen=True)
class _BodyCrop:
    value: Share
    share: Share


@dataclass(frozen=True)
class _Preprocessing:
    """`Preprocessing` as it stands in a card."""

    spacing_mm: tuple[Millimetres, Millimetres, Millimetres]
    hu_window: HuWindow
    antialias: Antialias
    body_crop: _BodyCrop


@dataclass(frozen=True)
class _Architecture:
    """What is checked of the architecture before the network is built from it."""

    in_channels: Any
    classes: Any
    feature_size: Annotated[int, Between(1, 4096)]
    depths: Annotated[tuple[Annotated[int, Between(0, 100)], ...], Length(1, 8)]


@dataclass(frozen=True)
class _Card:
    """The entries of a card that are used, and the texts that are shown."""

    name: Line
    weights: Annotated[str, Check(re.compile(r"\w[\w. -]*").fullmatch,
                                  "be a file inside the bundle's folder")]
    sha256: str
    labels: dict
    architecture: _Architecture
    preprocessing: _Preprocessing
    smallest_window: list
    patch: list
    largest_window: list
    overlap: Overlap
    calibration: Any = None
    precision: Literal["auto", "float32"] = "auto"
    title: Line = ""
    task: Line = ""
    intended_use: Line = ""
    data_licence: Line = ""
    weights_licence: Line = ""


@dataclass(frozen=True)
class Bundle:
    """A checked model folder; `network()` builds the network with its weights.

    Attributes:
        classes: the organ of each output channel from 1 on (channel 0 is background).
        patch: window (D, H, W) in voxels at the model spacing, as in training.
        smallest, largest: how far a window may shrink or grow to cover an axis at once.
        multiple: what window sizes must be divisible by.
        overlap: default overlap of neighbouring windows, 0 to below 1.
        calibration: turns confidence and volume of an organ into the Dice to be expected; None
            leaves the confidence.
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
    calibration: Calibration | Curve | None = None
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
        card = read_json(path)
    except OSError as error:
        raise BundleError(f"{path}: no model card can be read there ({error.strerror}).") from error
    except ValueError as error:
        raise BundleError(f"{path}: the card is not valid JSON ({error!s:.200}).") from error
    if not isinstance(card, dict) or type(card.get("format")) is not int or card["format"] < 1:
        raise BundleError(f"{path}: a card must be a JSON object with a whole number `format`.")
    if card["format"] > FORMAT:
        raise BundleError(
            f"{path}: the card has format {card['format']!s:.20}, this version reads up to "
            f"{FORMAT}; update MetaUNETR."
        )
    try:
        return _bundle(folder, card)
    except KeyError as error:
        raise BundleError(f"{path}: the card lacks {error}.") from error
    except ValueError as error:
        raise BundleError(f"{path}: {error!s:.400}.") from error


def _bundle(folder: Path, values: dict[str, Any]) -> Bundle:
    card = Reader("the card").read(_Card, values)
    classes = _classes(card.labels)
    for key, count in (("in_channels", 1), ("classes", len(classes) + 1)):
        if (found := getattr(card.architecture, key)) != count:
            raise ValueError(f"{key} of the architecture must be {count}, as of input and labels: "
                             f"{found!r}")
    # the embedding and every stage halve the grid
    multiple = 2 ** (len(card.architecture.depths) + 1)
    smallest, patch, largest = (
        _window(key, getattr(card, key), multiple)
        for key in ("smallest_window", "patch", "largest_window")
    )
    if any(not a <= b <= c for a, b, c in zip(smallest, patch, largest, strict=True)):
        raise ValueError("patch must lie between smallest_window and largest_window: "
                         f"{smallest}, {patch}, {largest}")
    preprocessing = card.preprocessing
    return Bundle(
        folder=folder,
        card=values,
        name=card.name,
        sha256=card.sha256,
        classes=classes,
        preprocessing=Preprocessing(
            preprocessing.spacing_mm, preprocessing.hu_window, preprocessing.antialias,
            (preprocessing.body_crop.value, preprocessing.body_crop.share)),
        patch=patch,
        smallest=smallest,
        largest=largest,
        multiple=multiple,
        overlap=card.overlap,
        calibration=read_calibration(card.calibration),
        precision=card.precision,
    )


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


def _window(name: str, values: list[Any], multiple: int) -> tuple[int, int, int]:
    low, high = WINDOW
    if len(values) != 3 or any(
        type(v) is not int or not low <= v <= high or v % multiple for v in values
    ):
        raise ValueError(f"{name} must be three whole numbers from {low} to {high}, divisible by "
                         f"{multiple}: {values}")
    return tuple(values)


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
