"""Segments whole CTs with the engine, scores them on their own grids, and keeps the results.

    cases/DATASET/ID.json       scores of a case and what they depend on; written last
    labels/DATASET/ID.seg.nrrd  labels by the model

A case is measured again only when its files, the model or the way of measuring have changed.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from math import nan
from pathlib import Path
from typing import Any

import numpy as np

from metaunetr import evaluation, io
from metaunetr.batch.case_record import state_of
from metaunetr.bundle import Bundle
from metaunetr.engine import Segmenter
from metaunetr.engine.provenance import input_hash
from metaunetr.errors import Cancelled, InputError, OutputError, explain
from metaunetr.image import Image
from metaunetr.organs import BY_NUMBER, Organ
from metaunetr.outputs import make_folder
from metaunetr.schema import read_json
from metaunetr.text import counted, duration
from metaunetr_training.data.case import Case
from metaunetr_training.data.labels import read_reference
from metaunetr_training.evaluation.ceiling import ceilings
from metaunetr_training.evaluation.scores import Score
from metaunetr_training.evaluation.selection import Selection

FORMAT = 1  # of a case's record; another one is measured again

Report = Callable[[str], None]


@dataclass(frozen=True)
class CaseScores:
    """The scores of a case.

    Attributes:
        made_from: everything the scores depend on; equal when they would be the same.
        reference: hash of the reference's organ numbers and grid.
        scores: of the organs that the model knows and the case annotates.
        ceilings: Dice of a perfect mask by organ (see `ceiling`); None when not asked for.
    """

    made_from: dict[str, Any]
    reference: str
    scores: tuple[Score, ...]
    ceilings: dict[str, float | None] | None = None

    def with_ceilings(self) -> list[Score]:
        """The scores with their ceilings filled in."""
        known = self.ceilings or {}
        return [replace(score, ceiling=nan if (value := known.get(score.organ)) is None else value)
                for score in self.scores]

    def write(self, path: Path) -> None:
        """Writes the record of the case."""
        io.write_text(path, json.dumps({
            "made_from": self.made_from, "reference": self.reference,
            "scores": [score.to_json() for score in self.scores], "ceilings": self.ceilings,
        }, indent=1, allow_nan=False))

    @classmethod
    def read(cls, path: Path) -> CaseScores | None:
        """The record of a case; None where there is no valid one."""
        try:
            values = read_json(path)
            scores = tuple(Score.from_json(score) for score in values["scores"])
            return cls(values["made_from"], values["reference"], scores, values["ceilings"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None


def record_path(output: Path, key: str) -> Path:
    """The file with the scores of a case."""
    return output / "cases" / f"{key}.json"


def labels_path(output: Path, key: str) -> Path:
    """The file with the labels of a case."""
    return output / "labels" / f"{key}.seg.nrrd"


def measure(
    selection: Selection, output: Path, device: str = "auto", ceiling: bool = False,
    report: Report = print, precision: str = "auto",
) -> tuple[list[Score], dict[str, str]]:
    """Scores all cases; cases that fail are reported.

    Args:
        output: folder for what is kept of each case.
        ceiling: also what a perfect mask reaches.
        precision: of the network, as of `Segmenter`.
        report: called with a line for each case, with the remaining time.

    Returns:
        the scores, and the reason by key of cases that failed.

    Raises:
        OutputError: nothing can be written.
        BundleError, DeviceError: the model or the device cannot be used; a run's checkpoint that
            is damaged is an InputError.
    """
    work = _Evaluator(selection.bundle, output, device, precision)
    scores, failed = [], {}
    total, spent, done = len(selection.cases), 0.0, 0
    for number, case in enumerate(selection.cases, start=1):
        started = time.perf_counter()
        before = work.kept(case)
        if before is None:
            work.load()  # what is wrong with model or device is so for every case
        try:
            measured = work.case(case, before, ceiling)
        except (OutputError, Cancelled, BrokenPipeError):  # would fail in every case
            raise
        except Exception as error:
            failed[case.key] = explain(error)[0]
            report(f"[{number}/{total}] {case.key}: FAILED: {failed[case.key]}")
            continue
        mine = measured.with_ceilings()
        scores += mine
        seconds = time.perf_counter() - started
        line = f"[{number}/{total}] {case.key}: {_found(mine)}"
        if measured is before:
            line += ", as measured before"
        else:
            spent, done = spent + seconds, done + 1
            line += f", {seconds:.1f} s"
            if number < total:
                line += f"; about {duration(spent / done * (total - number))} left"
        report(line)
    return scores, failed


class _Evaluator:
    """Measures cases with one engine, which is loaded for the first case that needs it."""

    def __init__(self, bundle: Bundle, output: Path, device: str, precision: str) -> None:
        self.bundle, self.output = bundle, output
        self.device, self.precision = device, precision
        self.engine: Segmenter | None = None
        self.model = _model_state(bundle)

    def kept(self, case: Case) -> CaseScores | None:
        """The earlier scores, if nothing that they depend on has changed."""
        measured = CaseScores.read(record_path(self.output, case.key))
        with suppress(InputError):  # a file is missing: measuring will report it
            if (measured is not None and measured.made_from == self._made_from(case)
                    and labels_path(self.output, case.key).is_file()):
                return measured
        return None

    def load(self) -> None:
        """
        Raises:
            BundleError, InputError: the model is damaged.
            DeviceError: the device cannot run it.
        """
        if self.engine is None:
            self.engine = Segmenter(self.bundle, self.device, precision=self.precision)

    def case(self, case: Case, kept: CaseScores | None, ceiling: bool) -> CaseScores:
        """The scores of a case; `kept`, the earlier ones, where they are complete."""
        missing = ceiling and (kept is None or kept.ceilings is None)
        if kept is not None and not missing:
            return kept
        made_from = self._made_from(case)
        image = io.read_image(case.image)
        reference = read_reference(case, image)
        measured = kept or self._segment(case, image, reference, made_from)
        if missing:
            organs = [score.organ for score in measured.scores if score.reference_ml > 0]
            measured = replace(measured, ceilings=ceilings(
                reference, self.bundle.preprocessing, organs))
        measured.write(_with_folder(record_path(self.output, case.key)))
        return measured

    def _made_from(self, case: Case) -> dict[str, Any]:
        return {"format": FORMAT, "model": self.model, "precision": self.precision,
                "case": _case_state(case)}

    def _segment(
        self, case: Case, image: Image, reference: Image, made_from: dict[str, Any]
    ) -> CaseScores:
        organs = _common(self.bundle, case)
        result = self.engine.segment(image)
        rows = evaluation.score(case.id, result.labels, reference, organs)
        confidence = {found.organ.name: found.confidence for found in result.organs}
        scores = tuple(
            Score(**vars(row), dataset=case.dataset, confidence=confidence[row.organ])
            for row in rows
        )
        record_path(self.output, case.key).unlink(missing_ok=True)  # of labels replaced now
        io.write_labels(_with_folder(labels_path(self.output, case.key)), result)
        return CaseScores(made_from, input_hash(reference), scores)


def _common(bundle: Bundle, case: Case) -> list[Organ]:
    organs = [organ for organ in bundle.classes if organ.number in case.annotated]
    if not organs:
        names = ", ".join(BY_NUMBER[number].name for number in sorted(case.annotated))
        raise InputError(f"the model must know an organ that the case annotates: {names}")
    return organs


def _model_state(bundle: Bundle) -> str:
    """Hash of the weights and of how the card has them used."""
    use = (bundle.preprocessing, bundle.patch, bundle.smallest, bundle.largest, bundle.overlap,
           [organ.name for organ in bundle.classes])
    return hashlib.sha256(f"{bundle.sha256} {use}".encode()).hexdigest()


def _case_state(case: Case) -> str:
    """What the scores of a case rest on: its files, and the meaning of its labels."""
    meaning = sorted((number, tuple(organs)) for number, organs in case.mapping.items())
    return f"{state_of((case.image, case.labels))} {meaning}"


def _with_folder(path: Path) -> Path:
    make_folder(path.parent)
    return path


def _found(scores: Iterable[Score]) -> str:
    dice = [score.dice for score in scores if score.scored]
    if not dice:
        return "no organ in reference or result"
    return f"mean Dice {np.mean(dice):.3f} of {counted(len(dice), 'organ')}"
