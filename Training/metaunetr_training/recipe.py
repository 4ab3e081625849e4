"""A recipe: one YAML file with all settings of a training run.

The file gives every value; there are no defaults. `--set training.iterations=100` replaces single
values; the recipe that was used is written into the folder of the run. JSON is YAML: where PyYAML
is not installed, as in 3D Slicer, recipes are written and read as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from metaunetr import organs, schema
from metaunetr.bundle import Overlap, Preprocessing
from metaunetr.errors import InputError
from metaunetr.organs import Organ
from metaunetr.schema import Check

yaml = None
with suppress(ModuleNotFoundError):
    import yaml

PACKAGE = Path(__file__).resolve().parent
CONFIGS = next(  # in a source tree, or in a wheel
    (folder for folder in (PACKAGE.parent / "configs", PACKAGE / "configs") if folder.is_dir()),
    PACKAGE / "configs")
Triple = tuple[int, int, int]
Weight = Annotated[float, Check(lambda weight: weight >= 0, "be at least 0")]
Count = Annotated[int, Check(lambda count: count >= 1, "be at least 1")]


@dataclass(frozen=True)
class Network:
    """The network.

    Attributes:
        family: "MetaUNETR", or a baseline of `experiments.baselines`, which uses only
            `feature_size` of the others.
        size, mixer, mixer_options, feature_size: arguments of `metaunetr.network.architecture`.
    """

    family: str
    size: str
    mixer: str
    mixer_options: dict
    feature_size: int


@dataclass(frozen=True)
class Training:
    """How the network is trained.

    Attributes:
        iterations: steps of the optimizer; with `max_minutes`, an upper limit.
        max_minutes: wall-clock budget for the schedule; None for none.
        batch_size: patches per step, over all processes.
        patch: (D, H, W) voxels at the model spacing.
        more_patches: further sizes of patches. Every batch draws one of all sizes, so that the
            network works with windows of other sizes, as narrow fields of view have.
        warmup: share of the schedule in which the learning rate rises.
        gradient_clip: largest norm of the gradient.
        ema: decay of the moving average of the weights, which is validated and exported.
        dataset_weights: sampling weight of a case by its data set's name; 1 for other data sets.
        foreground: share of patches that are centred on a voxel of an annotated organ.
        precision: "auto", "float32" or "bfloat16".
        compile: "auto" (on GPUs that Triton knows), "yes" or "no".
        workers: processes that crop patches; with 0 they are cropped between steps.
        validate_every, checkpoint_every: iterations.
        validation_cases: largest number of cases of a validation.
    """

    iterations: Count
    max_minutes: float | None
    batch_size: Count
    patch: Triple
    more_patches: tuple[Triple, ...]
    learning_rate: float
    weight_decay: float
    warmup: float
    gradient_clip: float
    ema: float
    dataset_weights: dict[str, Weight]
    foreground: float
    precision: str
    compile: str
    workers: int
    validate_every: Count
    validation_cases: int
    checkpoint_every: Count
    seed: int


@dataclass(frozen=True)
class Augmentation:
    """Probabilities are per patch; values are uniform in their ranges.

    Attributes:
        rotation_degrees: largest rotation about each axis, in both directions.
        scale: zoom factor.
        shift_mm: largest shift along each axis, in both directions.
        elastic_mm: standard deviation of the displacement, which varies over `elastic_pitch_mm`.
        contrast, gamma: factor and exponent.
        brightness: largest change, in shares of the HU window.
        noise: largest standard deviation, in shares of the HU window.
        blur_mm: Gaussian sigma.
        low_resolution: downsampling factor.
        phase_hu: largest change of HU of a solid organ, drawn for each organ; vessels and kidneys
            change up to twice as much (augmentation.phase).
    """

    affine_probability: float
    rotation_degrees: float
    scale: tuple[float, float]
    shift_mm: float
    elastic_probability: float
    elastic_mm: float
    elastic_pitch_mm: float
    contrast_probability: float
    contrast: tuple[float, float]
    brightness_probability: float
    brightness: float
    gamma_probability: float
    gamma: tuple[float, float]
    noise_probability: float
    noise: float
    blur_probability: float
    blur_mm: tuple[float, float]
    low_resolution_probability: float
    low_resolution: tuple[float, float]
    phase_probability: float
    phase_hu: float


@dataclass(frozen=True)
class Inference:
    """Entries of the card about sliding windows, see Resources/Models/README.md."""

    overlap: Overlap
    smallest_window: Triple
    largest_window: Triple


@dataclass(frozen=True)
class Recipe:
    """All settings of a training run.

    Attributes:
        organs: names of the classes from 1 on; class 0 is background.
    """

    name: str
    organs: tuple[str, ...]
    preprocessing: Preprocessing
    network: Network
    training: Training
    augmentation: Augmentation
    inference: Inference

    @property
    def classes(self) -> tuple[Organ, ...]:
        """The organ of each class from 1 on."""
        return tuple(organs.BY_NAME[name] for name in self.organs)

    def to_yaml(self) -> str:
        """The content of a recipe file."""
        if yaml is None:
            return json.dumps(self.to_json(), indent=1)
        return yaml.safe_dump(self.to_json(), sort_keys=False, default_flow_style=None)

    def to_json(self) -> dict[str, Any]:
        """The recipe as JSON values."""
        return schema.to_json(self)


def load(recipe: str | Path, changes: Iterable[str] = ()) -> Recipe:
    """The recipe in a YAML file, or of that name in Training/configs.

    Args:
        changes: such as "training.iterations=100"; values are YAML.

    Raises:
        InputError: the file is missing or no YAML, or a value is unknown, missing or invalid.
    """
    path = recipe_file(recipe)
    try:
        values = _parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path}: is no YAML file: {' '.join(str(error).split())}") from error
    if isinstance(values, dict):
        for change in changes:
            _apply(values, change)
    return from_json(values, str(path))


def changed(recipe: Recipe, changes: Iterable[str]) -> Recipe:
    """`recipe` with some values replaced, see `load`.

    Raises:
        InputError: a value is unknown or invalid.
    """
    values = recipe.to_json()
    for change in changes:
        _apply(values, change)
    return from_json(values, "the changed recipe")


def recipe_file(recipe: str | Path) -> Path:
    """The file of a recipe: a path, or a name in Training/configs.

    Raises:
        InputError: it does not exist; the message lists the known names.
    """
    for path in (Path(recipe), CONFIGS / f"{recipe}.yaml"):
        if path.is_file():
            return path
    known = ", ".join(sorted(path.stem for path in CONFIGS.glob("*.yaml")))
    raise InputError(f"{recipe}: there is no such recipe; known: {known}, or the path of a file")


def from_json(values: Any, source: str) -> Recipe:
    """The recipe with these JSON values.

    Raises:
        InputError: as in `load`; the message begins with `source`.
    """
    try:
        recipe = _Recipes("the recipe").read(Recipe, values)
    except ValueError as error:
        raise InputError(f"{source}: {error}") from error
    unknown = [name for name in recipe.organs if name not in organs.BY_NAME]
    if unknown or not recipe.organs or len(set(recipe.organs)) < len(recipe.organs):
        wrong = ", ".join(unknown) or "none or one twice"
        raise InputError(f"{source}: organs must be of {', '.join(organs.BY_NAME)}: {wrong}")
    return recipe


def _parse(text: str) -> Any:
    """The value of a YAML text.

    Raises:
        ValueError: it is no YAML, or, where PyYAML is not installed, no JSON.
    """
    if yaml is None:
        return json.loads(text)
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _apply(values: dict, change: str) -> None:
    """Replaces one value by "section.key=value". `from_json` checks that the key exists."""
    place, equals, text = change.partition("=")
    if not equals:
        raise InputError(f"a change must read section.key=value: {change!r}")
    *sections, key = place.strip().split(".")
    for section in sections:
        values = values.get(section)
        if not isinstance(values, dict):
            raise InputError(f"{change!r}: the recipe has no section {section!r}")
    try:
        values[key] = _parse(text)
    except ValueError as error:
        raise InputError(f"{change!r}: the value is no YAML") from error


class _Recipes(schema.Reader):
    """Reads YAML values; a section must give exactly the fields of its dataclass."""

    def read_dataclass(self, kind: type, values: Any, name: str) -> Any:
        here = f"the section {name}" if name else self.whole
        if not isinstance(values, Mapping):
            raise ValueError(f"{here} must hold keys and values: {values!r}")
        known = list(schema.entries(kind))
        for key in values:
            if key not in known:
                raise ValueError(f"{here} may hold {', '.join(known)}, not {key!r}")
        for key in known:
            if key not in values:
                raise ValueError(f"{here} must give {key!r}")
        return super().read_dataclass(kind, values, name)

    def convert(self, kind: Any, value: Any) -> Any:
        if kind is float and type(value) is str:
            value = float(value)  # YAML 1.1 reads 1e-3 as a text
        if kind is str and type(value) is bool:
            return "yes" if value else "no"  # which YAML 1.1 reads as true and false
        return super().convert(kind, value)
