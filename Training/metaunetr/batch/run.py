"""The loop over the cases of a batch: one bad case is told, and the rest goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metaunetr import __version__, io
from metaunetr.batch.case import Case, make_cases
from metaunetr.batch.discover import discover
from metaunetr.batch.events import Event, Told, cases_event
from metaunetr.batch.finished import Finished, input_state
from metaunetr.batch.table import write_table
from metaunetr.bundle import Bundle, find
from metaunetr.errors import Cancelled, InputError, OutputError, explain
from metaunetr.io import dicom_seg, formats, mesh
from metaunetr.io.atomic import discard_abandoned
from metaunetr.organs import Organ
from metaunetr.outputs import check_distinct, together
from metaunetr.result import Result


@dataclass(frozen=True)
class Options:
    """What a batch is to make.

    Attributes:
        output: the folder for the results.
        suffix: of the labels: ".seg.nrrd", ".nii.gz" or ".dcm".
        organs, model, device, overlap, precision: see `Segmenter`.
        surfaces: ".stl" or ".obj"; "" for none.
        table: CSV with the statistics of all cases.
        resume: leave alone what is finished and still as wanted.
    """

    output: Path
    suffix: str = ".seg.nrrd"
    organs: list[Organ] | None = None
    model: str | None = None
    device: str = "auto"
    overlap: float | None = None
    precision: str = "auto"
    surfaces: str = ""
    table: Path | None = None
    resume: bool = False


def run(inputs: Iterable[Path], options: Options, report: Callable[[Event], None]) -> int:
    """Segments all CTs in files and folders; the model is loaded once.

    Args:
        report: told what happens, see `events`. What it raises ends the batch.

    Returns:
        how many cases failed.

    Raises:
        InputError: there is no CT at all, or the model lacks an organ.
        BundleError, DeviceError: the model or the device cannot be used.
        OutputError: the output folder or the table cannot be written, or what the format needs
            is missing.
    """
    started = time.perf_counter()
    bundle = find(options.model)
    _check(options)
    discovery = discover(inputs, options.output)
    cases = make_cases(discovery.found, options.output, options.suffix)
    report(cases_event(cases, discovery))
    if not cases:
        raise InputError("There is no CT in the input "
                         f"({len(discovery.left_out)} files or series were left out).")
    batch = _Batch(cases, options, bundle, report)
    batch.run()
    if options.table:
        write_table(options.table, ((cases[n], batch.finished[n])
                                    for n in sorted(batch.finished)))
    report(batch.told.summary(time.perf_counter() - started))
    return batch.told.counts["failed"]


def _check(options: Options) -> None:
    """Whatever would fail in every case."""
    if options.suffix in formats.DICOM:
        dicom_seg.check(options.output, None)
    if options.surfaces:
        mesh.check(options.output)
    _make_folder(options.output)
    if options.table:
        io.prepare_file(options.table, (".csv",))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: the folder cannot be made: {error.strerror or error}") from None


class _Batch:
    """The cases of one run, and what they share."""

    def __init__(
        self, cases: list[Case], options: Options, bundle: Bundle,
        report: Callable[[Event], None],
    ) -> None:
        self.cases, self.options, self.bundle, self.report = cases, options, bundle, report
        self.told = Told(cases)
        self.finished: dict[int, Finished] = {}
        self.index = 0

    def run(self) -> None:
        self._tidy()
        work = [index for index in range(len(self.cases)) if not self._is_finished(index)]
        if not work:
            return
        self._load()
        for index in work:
            self.index = index
            self._attempt(index)

    def _tidy(self) -> None:
        """Removes temporary files that a killed run has left."""
        for folder in {f for case in self.cases for f in (case.record.parent, case.surfaces)}:
            discard_abandoned(folder, now=0)

    def _is_finished(self, index: int) -> bool:
        if not self.options.resume:
            return False
        case = self.cases[index]
        before = Finished.read(case)
        with suppress(InputError):  # reading it will tell
            if before and before.holds(case, self._made_from(case)):
                self.finished[index] = before
                self.report(self.told.skipped(index, before))
                return True
        return False

    def _made_from(self, case: Case) -> dict[str, Any]:
        """All that decides on the result."""
        organs = self.options.organs
        return {
            "version": __version__,
            "input": input_state(case),
            "model_sha256": self.bundle.sha256,
            "calibration": self.bundle.card.get("calibration"),
            "organs": None if organs is None else sorted({organ.name for organ in organs}),
            "overlap": self.options.overlap,
            "precision": self.options.precision,
            "suffix": self.options.suffix,
            "surfaces": self.options.surfaces,
        }

    def _load(self) -> None:
        self.report({"event": "stage", "stage": "model"})
        from metaunetr.engine import Segmenter

        options = self.options
        engine = Segmenter(self.bundle, options.device, options.overlap, options.precision,
                           self._tell)
        engine.channels(options.organs)
        for text in engine.device_warnings:  # once, not in every case
            self.report({"event": "warning", "text": text})
        engine.device_warnings = []
        self.engine, self.rungs = engine, engine.rungs

    def _tell(self, event: Event) -> None:
        self.report(event | {"case": self.index})

    def _attempt(self, index: int) -> None:
        self.report(self.told.running(index))
        started = time.perf_counter()
        try:
            finished = self._segment(self.cases[index])
        except (BrokenPipeError, Cancelled):  # nobody listens any more
            raise
        except Exception as error:
            text, _ = explain(error)
            self.report(self.told.failed(index, text, time.perf_counter() - started))
        else:
            self.finished[index] = finished
            self.report(self.told.done(index, finished, time.perf_counter() - started))

    def _segment(self, case: Case) -> Finished:
        self._tell({"event": "stage", "stage": "read"})
        made_from = self._made_from(case)  # before reading: what changes now is redone next time
        _make_folder(case.record.parent)
        outputs = [io.prepare_output(case.labels), io.prepare_file(case.record)]
        check_distinct(outputs, case.files)
        image = io.read_image(case.input)
        io.prepare_output(case.labels, image)  # of DICOM input, DICOM SEG can be made
        self.engine.rungs = self.rungs  # one CT too large for the GPU is no reason for the next
        result = self.engine.segment(image, self.options.organs)
        self._tell({"event": "stage", "stage": "write"})
        return _write(case, result, made_from, self.options.surfaces)


def _write(case: Case, result: Result, made_from: dict[str, Any], surfaces: str) -> Finished:
    """Writes the results of a case; killed at any moment, it is not taken for finished."""
    before = Finished.read(case)
    sizes = {}

    def measured(path: Path, temporary: Path) -> None:
        sizes[path.relative_to(case.record.parent).as_posix()] = temporary.stat().st_size

    with together() as place:
        record = place(case.record)  # the first here is the last to take its place
        temporary = place(case.labels)
        io.write_labels(temporary, result)
        measured(case.labels, temporary)
        for item in result.organs if surfaces else ():
            if item.voxels:
                path = case.surfaces / (item.organ.key + surfaces)
                _make_folder(path.parent)
                temporary = place(path)
                mask = result.labels.array == item.organ.number
                mesh.write_surface(temporary, mask, result.labels.grid)
                measured(path, temporary)
        finished = Finished(str(case.input), made_from, sizes, result.organs, result.record)
        io.write_text(record, finished.text())
        case.record.unlink(missing_ok=True)  # it told of the files that are replaced now
    _remove_stale(case, before, finished)
    return finished


def _remove_stale(case: Case, before: Finished | None, now: Finished) -> None:
    """Files of an earlier result that the new one does not have."""
    for path in (before.sizes(case).keys() if before else set()) - now.sizes(case).keys():
        with suppress(OSError):
            path.unlink()
    with suppress(OSError):  # unless it has something in it
        case.surfaces.rmdir()
