"""The work of one worker of a cluster: one case at a time, with a model that stays loaded."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from distributed import Worker, WorkerPlugin, get_worker

from metaunetr import __version__, library_messages
from metaunetr.batch import case_steps
from metaunetr.batch.case import Case
from metaunetr.batch.case_record import CaseRecord
from metaunetr.batch.events import Event
from metaunetr.batch.options import Options
from metaunetr.bundle import find
from metaunetr.errors import BundleError, Cancelled, DeviceError, MetaUNETRError, explain

if TYPE_CHECKING:
    from metaunetr.engine import Segmenter

_one_case = threading.Lock()


@dataclass(frozen=True)
class Outcome:
    """The end of a case on a worker.

    Attributes:
        result: the record of the case, or the reason why it failed.
        busy: seconds of segmenting.
    """

    result: CaseRecord | str
    busy: float


@dataclass(frozen=True)
class Job:
    """What all workers of a run have in common.

    Attributes:
        options: with paths that are valid on all machines.
        sha256: of the model's weights.
        topic: the name of Dask's channel for the events of this run.
    """

    options: Options
    sha256: str
    topic: str

    def key(self, index: int) -> str:
        """The name of a case on the cluster."""
        return f"{self.topic}-{index}"


class WorkerCheck(WorkerPlugin):
    """Refuses workers that lack the version, model or folders of the run."""

    def __init__(self, job: Job, card: dict[str, Any]) -> None:
        self.job, self.card, self.version = job, card, __version__
        self.passed = False

    def setup(self, worker: Worker) -> None:
        """Called by Dask on each worker.

        Raises:
            MetaUNETRError: something is missing; the message names it and the worker.
        """
        where = f"Worker {worker.address}"
        if self.version != __version__:
            raise DeviceError(f"{where}: has MetaUNETR {__version__}, the run needs "
                              f"{self.version}; install the same on all machines.")
        try:
            bundle = find(self.job.options.model)
        except MetaUNETRError as error:
            raise BundleError(f"{where}: {error}") from None
        if (bundle.sha256, bundle.card) != (self.job.sha256, self.card):
            raise BundleError(f"{where}: its model {bundle.name} is another one than that of the "
                              "run; copy the model's folder to all machines.")
        if not self.job.options.output.is_dir():
            raise DeviceError(f"{where}: does not see the folder {self.job.options.output}; inputs "
                              "and results must lie on a file system that all machines share.")
        self.passed = True


def segment_case(index: int, case: Case, job: Job) -> Outcome:
    """Read, segment and write a case; sends its events under the topic of the run.

    Raises:
        MetaUNETRError: this worker can segment no case of the run.
    """
    worker = get_worker()
    busy = 0.0

    def report(event: Event) -> None:
        task = worker.state.tasks.get(job.key(index))
        if task is None or task.state == "cancelled":
            raise Cancelled("The run has ended.")
        worker.log_event(job.topic, [index, event])

    with _one_case, library_messages.shown():
        options, check = job.options, worker.plugins[job.topic]
        if not check.passed:  # of workers that join later, Dask ignores the errors of plugins
            check.setup(worker)
        try:
            engine = _engine(
                job.sha256, options.model, options.device, options.overlap, options.precision)
        except MetaUNETRError as error:
            raise type(error)(f"Worker {worker.address}: {error}") from None
        try:
            report({"event": "running"})
            report({"event": "stage", "stage": "read"})
            loaded = case_steps.read(case, options, engine.bundle)
            started = time.perf_counter()
            try:
                result = case_steps.segment(engine, loaded, options, report)
            finally:
                busy = time.perf_counter() - started
            report({"event": "stage", "stage": "write"})
            return Outcome(case_steps.write(loaded, result, options), busy)
        except Exception as error:
            return Outcome(explain(error)[0], busy)


@lru_cache(maxsize=1)
def _engine(
    sha256: str, model: str | None, device: str, overlap: float | None, precision: str
) -> Segmenter:
    """The engine of this process; loads the model for the first case only."""
    from metaunetr.engine import Segmenter

    bundle = find(model)
    if bundle.sha256 != sha256:
        raise BundleError(f"{bundle.folder}: the model has changed since the run was begun.")
    engine = Segmenter(bundle, device, overlap, precision)
    engine.device_warnings = []  # of the machine, not of a case
    return engine
