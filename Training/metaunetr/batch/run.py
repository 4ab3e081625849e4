"""The loop over the cases of a batch: one bad case is told, and the rest goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from metaunetr import io
from metaunetr.batch import work
from metaunetr.batch.case import Case, make_cases
from metaunetr.batch.discover import discover
from metaunetr.batch.events import Event, Told, cases_event
from metaunetr.batch.finished import Finished
from metaunetr.batch.options import Options
from metaunetr.batch.table import write_table
from metaunetr.bundle import Bundle, find
from metaunetr.errors import Cancelled, InputError, explain
from metaunetr.io import dicom_seg, formats, mesh
from metaunetr.io.atomic import discard_abandoned


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
    work.make_folder(options.output)
    if options.table:
        io.prepare_file(options.table, (".csv",))


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
        waiting = [index for index in range(len(self.cases)) if not self._is_finished(index)]
        if not waiting:
            return
        self._load()
        for index in waiting:
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
            if before and before.holds(case, work.made_from(case, self.options, self.bundle)):
                self.finished[index] = before
                self.report(self.told.skipped(index, before))
                return True
        return False

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
        self.engine = engine

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
        loaded = work.read(case, self.options, self.bundle)
        result = work.segment(self.engine, loaded, self.options)
        self._tell({"event": "stage", "stage": "write"})
        return work.write(loaded, result, self.options)
