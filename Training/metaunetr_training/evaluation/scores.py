"""One organ of one case, as measured."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from math import inf, isfinite, isnan, nan
from pathlib import Path
from typing import Any

from metaunetr.errors import InputError
from metaunetr.evaluation import OrganScore
from metaunetr.organs import ORGANS
from metaunetr.schema import to_json

# said below every table, so that no figure stands without it
RULES = (
    "An organ is scored in the cases whose data set annotates it. In neither reference nor "
    "result: not scored. In one of them only: missed; Dice and NSD count as 0, the distance is "
    "infinite and left out of its mean. Organs that a data set does not annotate count neither "
    "as right nor as wrong."
)


@dataclass(frozen=True)
class Score(OrganScore):
    """Agreement with the reference, on its grid; see `OrganScore` for the other columns.

    Attributes:
        dataset: with `case` the key of the case.
        confidence: mean probability as the engine has it before any calibration; NaN where the
            organ was not found.
        ceiling: Dice of a perfect mask after the model spacing and back; NaN unless asked for.
    """

    dataset: str = ""
    confidence: float = nan
    ceiling: float = nan

    @property
    def key(self) -> str:
        return f"{self.dataset}/{self.case}"

    @property
    def scored(self) -> bool:
        return not isnan(self.dice)

    @property
    def missed(self) -> bool:
        """Whether only one of reference and result has the organ."""
        return self.scored and not isfinite(self.hd95_mm)

    def to_json(self) -> dict[str, Any]:
        """JSON values; NaN and infinity are null."""
        return to_json(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Score:
        """What `to_json` made.

        Raises:
            KeyError, TypeError: the values are something else.
        """
        missing = {"hd95_mm": nan if values["dice"] is None else inf}
        return cls(**{name: missing.get(name, nan) if value is None else value
                      for name, value in values.items()})


def read_csv(path: Path) -> list[Score]:
    """The scores that `metaunetr.evaluation.write_csv` wrote.

    Raises:
        InputError: there is no such file, or it holds something else.
    """
    names = {field.name: field.type for field in fields(Score)}
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return [Score(**{name: row[name] if kind == "str" else float(row[name] or nan)
                         for name, kind in names.items()}) for row in rows]
    except OSError as error:
        raise InputError(f"{path}: no evaluation can be read there ({error.strerror})") from error
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise InputError(f"{path}: is no table of an evaluation ({error})") from error


def by_organ(scores: Iterable[Score]) -> dict[str, list[Score]]:
    """What was scored, by organ in the order of their numbers."""
    scored = [score for score in scores if score.scored]
    found = {organ.name: [s for s in scored if s.organ == organ.name] for organ in ORGANS}
    return {name: mine for name, mine in found.items() if mine}


def by_case(scores: Sequence[Score]) -> dict[str, list[Score]]:
    """What was scored, by the keys of the cases."""
    found: dict[str, list[Score]] = {}
    for score in scores:
        if score.scored:
            found.setdefault(score.key, []).append(score)
    return found
