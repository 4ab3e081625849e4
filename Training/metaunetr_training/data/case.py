"""One CT with its labels, as a data set has it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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
    mapping: dict[int, tuple[int, ...]]
    fold: int | str | None = None

    @property
    def key(self) -> str:
        return f"{self.dataset}/{self.id}"

    @property
    def annotated(self) -> frozenset[int]:
        """Organ numbers that the data set annotates; elsewhere these organs are absent."""
        return frozenset(number for numbers in self.mapping.values() for number in numbers)
