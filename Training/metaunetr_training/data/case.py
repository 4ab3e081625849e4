"""One CT with its labels, as a data set has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TEST = "test"


@dataclass(frozen=True)
class Case:
    """Where a case lies and what its label numbers mean.

    Attributes:
        dataset, id: together the `key`, such as "btcv/0001".
        mapping: organ numbers that each label number of the data set stands for: one; two where
            the data set merges right and left; none where the organ is not in our table.
        fold: where the data set's authors, or a common split, hold the case out: a fold by
            number, TEST, or None for anywhere.
    """

    dataset: str
    id: str
    image: Path
    labels: Path
    mapping: Mapping[int, tuple[int, ...]]
    fold: int | str | None = None

    @property
    def key(self) -> str:
        return f"{self.dataset}/{self.id}"

    @property
    def annotated(self) -> frozenset[int]:
        """Organ numbers that the data set annotates; elsewhere these organs are absent."""
        return frozenset(number for numbers in self.mapping.values() for number in numbers)

    def to_json(self) -> dict[str, Any]:
        return {
            "dataset": self.dataset, "id": self.id, "image": str(self.image),
            "labels": str(self.labels), "fold": self.fold,
            "mapping": {str(label): list(numbers) for label, numbers in self.mapping.items()},
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Case:
        mapping = {int(label): tuple(numbers) for label, numbers in values["mapping"].items()}
        return cls(values["dataset"], values["id"], Path(values["image"]), Path(values["labels"]),
                   mapping, values["fold"])
