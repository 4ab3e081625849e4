"""The cases of a batch on this machine: the next one is read and the last written meanwhile."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor, wait

from metaunetr.batch import case_steps
from metaunetr.batch.case_ledger import Ledger
from metaunetr.batch.case_steps import Loaded
from metaunetr.batch.events import Event
from metaunetr.batch.options import Options
from metaunetr.bundle import Bundle
from metaunetr.engine import Segmenter
from metaunetr.result import Result


class Pipeline:
    """A reader thread, the network in the calling thread, and a writer thread.

    Memory is bounded: one case is read ahead while one is segmented and one is written. A case
    during which an earlier run was killed has the memory for itself. Only the calling thread uses
    the ledger.

    Args:
        waiting: indices of the cases to segment, in this order.
    """

    def __init__(
        self, waiting: list[int], options: Options, bundle: Bundle, ledger: Ledger
    ) -> None:
        self.waiting, self.options, self.bundle, self.ledger = waiting, options, bundle, ledger
        self.reader = ThreadPoolExecutor(1, "reader")
        self.writer = ThreadPoolExecutor(1, "writer")
        self.reading: Future[Loaded] | None = None  # the next case
        self.writing: tuple[int, Future] | None = None  # the last case
        self.index = waiting[0]
        self.busy = 0.0

    def run(self) -> float:
        """Segment all cases. If an error ends it, no thread and no partial file is left.

        Returns:
            the share of the time since the first case began in which a case was segmented.

        Raises:
            BundleError, DeviceError: the model cannot be used.
        """
        try:
            engine = self._load()
            started = time.perf_counter()
            for position, index in enumerate(self.waiting):
                self.index = index
                self._work(engine, position)
            self._finish_writing()
            return self.busy / (time.perf_counter() - started)
        finally:
            for pool in (self.reader, self.writer):
                pool.shutdown(cancel_futures=True)

    def _load(self) -> Segmenter:
        self.reading = self._read(0)
        options, ledger = self.options, self.ledger
        engine = Segmenter(self.bundle, options.device, options.overlap, options.precision)
        for text in engine.device_warnings:  # once, not in every case
            ledger.report({"event": "warning", "text": text})
        engine.device_warnings = []
        return engine

    def _work(self, engine: Segmenter, position: int) -> None:
        index, ledger = self.index, self.ledger
        if self._needs_all_memory(position):
            self._finish_writing()
        ledger.running(index)
        ledger.report_case(index, {"event": "stage", "stage": "read"})
        try:
            loaded = self._finish_reading(position)
            result = self._segment(engine, loaded)
        except Exception as error:
            if ledger.stopped:
                raise
            ledger.failed(index, error)
            return
        self._finish_writing()
        ledger.report_case(index, {"event": "stage", "stage": "write"})
        self.writing = index, self.writer.submit(case_steps.write, loaded, result, self.options)

    def _read(self, position: int) -> Future[Loaded]:
        self.ledger.reading(self.waiting[position])
        case = self.ledger.cases[self.waiting[position]]
        return self.reader.submit(case_steps.read, case, self.options, self.bundle)

    def _finish_reading(self, position: int) -> Loaded:
        """The image of a case, once it is read; then the next case begins to be read."""
        read, self.reading = self.reading or self._read(position), None
        wait([read])
        if position + 1 < len(self.waiting) and not self._needs_all_memory(position + 1):
            self.reading = self._read(position + 1)
        return read.result()

    def _needs_all_memory(self, position: int) -> bool:
        return self.ledger.kills(self.waiting[position]) > 0

    def _segment(self, engine: Segmenter, loaded: Loaded) -> Result:
        started = time.perf_counter()
        try:
            return case_steps.segment(engine, loaded, self.options, self._report)
        finally:
            self.busy += time.perf_counter() - started

    def _report(self, event: Event) -> None:
        if self.writing and self.writing[1].done():
            self._finish_writing()
        self.ledger.report_case(self.index, event)

    def _finish_writing(self) -> None:
        """Wait for the case that is being written, and enter it in the ledger."""
        if self.writing is None:
            return
        (index, written), self.writing = self.writing, None
        wait([written])
        if error := written.exception():
            self.ledger.failed(index, error)
        else:
            self.ledger.done(index, written.result())
