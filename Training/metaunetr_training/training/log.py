"""The log of a run: CSV files, pictures, and TensorBoard where it is installed.

A resumed run removes the lines of steps after its checkpoint, which are repeated.
"""

from __future__ import annotations

import csv
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from metaunetr.errors import OutputError
from metaunetr.image import Grid, Image
from metaunetr.io.atomic import write_text
from metaunetr.organs import BY_NUMBER
from metaunetr.report.overlay import Scene
from metaunetr_training.data.prepared import BRIGHTEST, PreparedCase
from metaunetr_training.evaluation.beside import picture
from metaunetr_training.recipe import Recipe
from metaunetr_training.training.validate import Scores, mean_dice, organ_means

STEP_COLUMNS = ("iteration", "total", "cross_entropy", "dice", "gradient_norm", "learning_rate",
             "seconds", "waited")
PICTURED_CASES = 2  # cases


class TrainingLog:
    """Writes log.csv, validation.csv, pictures and TensorBoard events.

    Args:
        iteration: completed steps; lines of later steps are removed.
        files_only: no TensorBoard.
    """

    def __init__(
        self, folder: Path, recipe: Recipe, iteration: int, files_only: bool = False
    ) -> None:
        self.folder, self.recipe = folder, recipe
        organs = [organ.name for organ in recipe.classes]
        self.steps = CsvLog(folder / "log.csv", STEP_COLUMNS, iteration)
        self.validations = CsvLog(folder / "validation.csv",
                                 ("iteration", "mean", *organs), iteration)
        self.tensorboard = None
        if not files_only:
            self.tensorboard = _tensorboard_writer(folder / "tensorboard", iteration)

    def step(self, iteration: int, values: dict[str, float]) -> None:
        """Logs a training step.

        Raises:
            OutputError: the log cannot be written.
        """
        self.steps.add([iteration, *(values[name] for name in STEP_COLUMNS[1:])])
        for name in STEP_COLUMNS[1:]:
            self._add_scalar(f"step/{name}", values[name], iteration)

    def validation(self, iteration: int, scores: Scores) -> None:
        """Logs a validation.

        Raises:
            OutputError: the log cannot be written.
        """
        means = organ_means(scores)
        row = [means.get(organ.number, float("nan")) for organ in self.recipe.classes]
        self.validations.add([iteration, mean_dice(scores), *row])
        self._add_scalar("validation/mean", mean_dice(scores), iteration)
        for number, value in means.items():
            self._add_scalar(f"validation/{BY_NUMBER[number].name}", value, iteration)

    def picture(self, case: PreparedCase, predicted: np.ndarray, iteration: int) -> None:
        """Save a picture of the reference above the predicted organ numbers (D, H, W), if
        matplotlib is installed."""
        if find_spec("matplotlib") is None:
            return
        low, high = self.recipe.preprocessing.hu_window
        hu = case.image() / np.float32(BRIGHTEST) * (high - low) + low
        grid = Grid(case.shape, self.recipe.preprocessing.spacing, (0.0, 0.0, 0.0))
        image = Image(hu.astype(np.int16), grid)
        shown = [np.asarray(case.labels()), predicted]
        (self.folder / "pictures").mkdir(exist_ok=True)
        picture(self.folder / "pictures" / f"{case.key.replace('/', '_')}_{iteration:06d}.png",
                [Scene.of(image, Image(labels, grid)) for labels in shown],
                [organ.name for organ in self.recipe.classes
                 if any((labels == organ.number).any() for labels in shown)],
                f"{case.key}, held out, after {iteration:,} iterations")

    def close(self) -> None:
        if self.tensorboard is not None:
            self.tensorboard.close()

    def _add_scalar(self, name: str, value: float, iteration: int) -> None:
        if self.tensorboard is not None:
            self.tensorboard.add_scalar(name, value, iteration)


def _tensorboard_writer(folder: Path, iteration: int):
    """A writer for TensorBoard; None where that is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=iteration + 1)


class CsvLog:
    """A CSV file whose first column is the iteration."""

    def __init__(self, path: Path, head: tuple[str, ...], iteration: int) -> None:
        self.path = path
        kept = [row for row in read_csv_log(path)[1:] if float(row[0]) <= iteration]
        lines = [",".join(head), *(",".join(row) for row in kept)]
        write_text(path, "\n".join(lines) + "\n")

    def add(self, row: list[float]) -> None:
        try:
            with open(self.path, "a", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerow(
                    [row[0], *(f"{value:.6g}" for value in row[1:])])
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written: {error.strerror}") from error


def read_csv_log(path: Path) -> list[list[str]]:
    """The complete rows of a CSV log, its header first; none where there is no file."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except OSError:
        return []
    return [row for row in rows if len(row) == len(rows[0])]
