"""The cases of a batch on this machine: the next is read and the last is written meanwhile."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor, wait

from metaunetr.batch import work
from metaunetr.batch.events import Event
from metaunetr.batch.log import Log
from metaunetr.batch.options import Options
from metaunetr.batch.work import Loaded
from metaunetr.bundle import Bundle
from metaunetr.engine import Segmenter
from metaunetr.result import Result


class Pipeline:
    """A reader thread, the network in the calling thread, and a writer thread.

    Memory is bounded: one case is read ahead while one is segmented and one is written. A case at
    which an earlier run was killed has the memory for itself. All is told by the calling thread.
    """

    def __init__(self, waiting: list[int], options: Options, bundle: Bundle, log: Log) -> None:
        self.waiting, self.options, self.bundle, self.log = waiting, options, bundle, log
        self.reader = ThreadPoolExecutor(1, "reader")
        self.writer = ThreadPoolExecutor(1, "writer")
        self.ahead: Future[Loaded] | None = None
        self.behind: tuple[int, Future] | None = None  # a case with what writing it gives
        self.index = waiting[0]
        self.busy = 0.0

    def run(self) -> float:
        """Works on all that wait. Ended by an error, it leaves no thread and no partial file.

        Returns:
            the share of the time since the first case was begun in which one was segmented.

        Raises:
            BundleError, DeviceError: the model cannot be used.
        """
        try:
            engine = self._load()
            started = time.perf_counter()
            for position, index in enumerate(self.waiting):
                self.index = index
                self._work(engine, position)
            self._finish_last()
            return self.busy / (time.perf_counter() - started)
        finally:
            for pool in (self.reader, self.writer):
                pool.shutdown(cancel_futures=True)

    def _load(self) -> Segmenter:
        self.ahead = self._read(0)
        options, log = self.options, self.log
        engine = Segmenter(self.bundle, options.device, options.overlap, options.precision)
        for text in engine.device_warnings:  # once, not in every case
            log.report({"event": "warning", "text": text})
        engine.device_warnings = []
        return engine

    def _work(self, engine: Segmenter, position: int) -> None:
        index, log = self.index, self.log
        if self._is_alone(position):
            self._finish_last()
        log.running(index)
        log.tell(index, {"event": "stage", "stage": "read"})
        try:
            loaded = self._take(position)
            result = self._segment(engine, loaded)
        except Exception as error:
            if log.over:
                raise
            log.failed(index, error)
            return
        self._finish_last()
        log.tell(index, {"event": "stage", "stage": "write"})
        self.behind = index, self.writer.submit(work.write, loaded, result, self.options)

    def _read(self, position: int) -> Future[Loaded]:
        self.log.begin(self.waiting[position])
        case = self.log.cases[self.waiting[position]]
        return self.reader.submit(work.read, case, self.options, self.bundle)

    def _take(self, position: int) -> Loaded:
        """What was read ahead; the next case begins to be read."""
        read, self.ahead = self.ahead or self._read(position), None
        wait([read])
        if position + 1 < len(self.waiting) and not self._is_alone(position + 1):
            self.ahead = self._read(position + 1)
        return read.result()

    def _is_alone(self, position: int) -> bool:
        return self.log.lost(self.waiting[position]) > 0

    def _segment(self, engine: Segmenter, loaded: Loaded) -> Result:
        started = time.perf_counter()
        try:
            return work.segment(engine, loaded, self.options, self._tell)
        finally:
            self.busy += time.perf_counter() - started

    def _tell(self, event: Event) -> None:
        if self.behind and self.behind[1].done():
            self._finish_last()
        self.log.tell(self.index, event)

    def _finish_last(self) -> None:
        """Waits for the case that is being written, and tells what became of it."""
        if self.behind is None:
            return
        (index, written), self.behind = self.behind, None
        wait([written])
        if error := written.exception():
            self.log.failed(index, error)
        else:
            self.log.done(index, written.result())
