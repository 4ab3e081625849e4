"""The cases of a batch on the workers of a Dask cluster.

Every worker keeps its model loaded. If a worker dies, its case is retried on another one; after
several dead workers, Dask gives the case up.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from distributed import Client, Future, LocalCluster
from distributed.scheduler import KilledWorker

from metaunetr.batch.case_ledger import Ledger
from metaunetr.batch.case_record import CaseRecord
from metaunetr.batch.cluster_worker import Job, Outcome, WorkerCheck, segment_case
from metaunetr.batch.events import Event
from metaunetr.batch.options import Options
from metaunetr.bundle import Bundle
from metaunetr.errors import DeviceError, MetaUNETRError

PATIENCE = 10  # seconds for a scheduler to answer
PERIOD = 1.0  # seconds between two looks for new workers
RESTART = 60.0  # seconds in which Dask starts a worker process again


class Cluster:
    """Gives the cases to the workers, one to each worker thread, and keeps the ledger.

    Args:
        waiting: indices of the cases to segment, in this order.
    """

    def __init__(
        self, waiting: list[int], options: Options, bundle: Bundle, ledger: Ledger
    ) -> None:
        self.waiting, self.ledger = deque(waiting), ledger
        self.job = Job(_on_all_machines(options), bundle.sha256, f"metaunetr-{uuid.uuid4().hex}")
        self.card = bundle.card
        self.messages: queue.SimpleQueue[tuple[int, Event | Future]] = queue.SimpleQueue()
        self.futures: dict[int, Future] = {}
        self.slots = 0
        self.busy = 0.0

    def run(self) -> float:
        """Segment all cases. If an error ends it, no process of its own is left.

        Returns:
            the share of the workers' time in which they segmented.

        Raises:
            DeviceError: the scheduler does not answer, or no longer; or all processes of a cluster
                on this machine have ended.
            MetaUNETRError: a worker lacks the version, model or folders of the run.
        """
        with self._client() as (client, has_processes):
            started = alive = time.perf_counter()
            while self.waiting or self.futures:
                self._submit(client)
                with suppress(queue.Empty):
                    self._handle(*self.messages.get(timeout=PERIOD))
                if has_processes():
                    alive = time.perf_counter()
                elif time.perf_counter() - alive > RESTART:
                    raise DeviceError(
                        "All worker processes have ended and could not be started again (killed, "
                        "or out of memory); what is done is kept. Start the batch with --resume, "
                        "and with fewer processes (--dask-local).")
            most = max(self.slots, 1)
            return self.busy / most / (time.perf_counter() - started)

    @contextmanager
    def _client(self) -> Iterator[tuple[Client, Callable[[], bool]]]:
        with _connected(self.job.options) as (client, has_processes):
            self._check_workers(client)
            client.subscribe_topic(self.job.topic, lambda event: self.messages.put(tuple(event[1])))
            try:
                yield client, has_processes
            finally:
                with suppress(Exception):  # the scheduler may have gone
                    client.cancel(list(self.futures.values()))
                    client.unregister_worker_plugin(self.job.topic)

    def _check_workers(self, client: Client) -> None:
        """Refuse workers, also those that join later, that lack something; see `WorkerCheck`."""
        try:
            client.register_plugin(WorkerCheck(self.job, self.card), name=self.job.topic)
        except MetaUNETRError:
            raise
        except Exception as error:
            raise DeviceError("Workers of the cluster cannot run MetaUNETR "
                              f"({type(error).__name__}: {error}); install the same version on "
                              "all machines and on the scheduler's.") from error

    def _submit(self, client: Client) -> None:
        """Submit as many cases as there are worker threads."""
        if not self.waiting:
            return
        try:
            threads = sum(client.nthreads().values())
        except OSError:
            raise _gone() from None
        if threads == 0 and not self.futures:
            self._warn_once("The cluster has no worker yet; waiting for one.")
        self.slots = max(self.slots, threads)
        while self.waiting and len(self.futures) < threads:
            index = self.waiting.popleft()
            future = client.submit(
                segment_case, index, self.ledger.cases[index], self.job, key=self.job.key(index),
                pure=False)
            self.futures[index] = future
            future.add_done_callback(lambda future, index=index: self.messages.put((index, future)))

    def _warn_once(self, text: str) -> None:
        if self.slots == 0:
            self.ledger.report({"event": "warning", "text": text})
            self.slots = 1

    def _handle(self, index: int, message: Event | Future) -> None:
        if index not in self.futures:  # of a worker that was believed dead
            return
        if isinstance(message, dict):
            self._handle_event(index, message)
            return
        del self.futures[index]
        if index not in self.ledger.started:
            self._begin(index)
        self._handle_end(index, message)

    def _handle_event(self, index: int, event: Event) -> None:
        if event["event"] != "running":
            self.ledger.report_case(index, event)
            return
        again = index in self.ledger.started
        self._begin(index)
        if again:
            self.ledger.report_case(index, {
                "event": "warning", "text": "Its worker was lost; the case is begun once more."})

    def _begin(self, index: int) -> None:
        self.ledger.reading(index)
        self.ledger.running(index)

    def _handle_end(self, index: int, future: Future) -> None:
        if future.status in ("cancelled", "lost"):
            raise _gone()
        error = future.exception()
        if error is None:
            outcome: Outcome = future.result()
            self.busy += outcome.busy
            if isinstance(outcome.result, CaseRecord):
                self.ledger.done(index, outcome.result)
            else:
                self.ledger.failed(index, MetaUNETRError(outcome.result))
        elif isinstance(error, KilledWorker):
            self.ledger.failed(index, MetaUNETRError(
                f"{error.allowed_failures + 1} workers were lost while they worked on it (killed, "
                "or out of memory)"))
        elif isinstance(error, MetaUNETRError):  # of a worker that lacks something
            raise error
        else:
            self.ledger.failed(index, error)


@contextmanager
def _connected(options: Options) -> Iterator[tuple[Client, Callable[[], bool]]]:
    """A client, and whether a process of its cluster lives; Dask restarts them, but not always."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # reported here
    if options.scheduler:
        with _client(options.scheduler) as client:
            yield client, lambda: True  # another worker may join
        return
    with LocalCluster(
        n_workers=options.workers, threads_per_worker=1, processes=True, host="127.0.0.1",
        dashboard_address="127.0.0.1:0", memory_limit=None, silence_logs="CRITICAL",
        env={"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS") or str(
            max(1, (os.cpu_count() or 1) // options.workers))},
    ) as cluster:
        try:
            with _client(cluster.scheduler_address) as client:
                yield client, lambda: any(nanny.is_alive() for nanny in cluster.workers.values())
        except BaseException:
            _kill(cluster)
            raise


def _kill(cluster: LocalCluster) -> None:
    """End the processes at once; Dask's way would wait for the end of a window or of a file."""
    for nanny in cluster.workers.values():
        nanny.close_gracefully()  # so that it does not start its worker again
        with suppress(OSError, TypeError):  # it has no worker at the moment
            os.kill(nanny.pid, signal.SIGTERM if os.name == "nt" else signal.SIGKILL)


def _gone() -> DeviceError:
    return DeviceError("The Dask scheduler has gone; what is done is kept. Start it, and the batch "
                       "with --resume.")


def _client(address: str) -> Client:
    try:
        return Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:  # TimeoutError is an OSError
        raise DeviceError(f"{address}: no Dask scheduler answers ({_reason(error)}); the "
                          "address is that which `dask scheduler` prints, such as "
                          "tcp://host:8786") from None


def _reason(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else (
        type(error).__name__)


def _on_all_machines(options: Options) -> Options:
    """Options with absolute paths: workers have other working folders."""
    model = options.model
    if model and os.path.isdir(model):
        model = os.path.abspath(model)
    return replace(options, output=options.output.absolute(), model=model)
