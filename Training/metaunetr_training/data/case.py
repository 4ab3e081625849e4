"""One CT of a data set, with its labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TEST = "test"


@dataclass(frozen=True)
class Case:
    """Files of a case and the meaning of its label numbers.

    Attributes:
        dataset, id: together the `key`, such as "btcv/0001".
        mapping: organ numbers by label number of the data set: one; two where the data set merges
            right and left; none where `metaunetr.organs` has no such organ.
        fold: the fold in which the data set's authors, or a common split, hold the case out: a
            number, TEST, or None for any fold.
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
        """Organ numbers that the data set annotates."""
        return frozenset(number for numbers in self.mapping.values() for number in numbers)
