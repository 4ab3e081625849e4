"""The cases of a batch on the workers of a Dask cluster.

Every worker keeps its model loaded. One that is lost costs the case it worked on, which is done
elsewhere; Dask gives a case up that was lost with several workers.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import time
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from distributed import Client, Future, LocalCluster
from distributed.scheduler import KilledWorker

from metaunetr.batch.events import Event
from metaunetr.batch.finished import Finished
from metaunetr.batch.ledger import Ledger
from metaunetr.batch.options import Options
from metaunetr.batch.worker import Done, Job, Ready, segment_case
from metaunetr.bundle import Bundle
from metaunetr.errors import DeviceError, MetaUNETRError

PATIENCE = 10  # seconds for a scheduler to answer
LOOK = 1.0  # seconds after which it is looked for new workers


class Cluster:
    """This process finds the cases, gives them out one a worker thread, and tells what becomes
    of them."""

    def __init__(
        self, waiting: list[int], options: Options, bundle: Bundle, ledger: Ledger
    ) -> None:
        self.waiting, self.ledger = deque(waiting), ledger
        self.job = Job(_as_elsewhere(options), bundle.sha256, f"metaunetr-{uuid.uuid4().hex}")
        self.card = bundle.card
        self.news: queue.SimpleQueue[tuple[int, Event | Future]] = queue.SimpleQueue()
        self.futures: dict[int, Future] = {}
        self.slots = 0
        self.busy = 0.0

    def run(self) -> float:
        """Works on all that wait. Ended by an error, it leaves no process of its own.

        Returns:
            the share of the workers' time in which they were segmenting.

        Raises:
            DeviceError: no scheduler answers, or it has gone.
            MetaUNETRError: a worker has another version, another model or other folders.
        """
        with self._client() as client:
            started = time.perf_counter()
            while self.waiting or self.futures:
                self._submit(client)
                with suppress(queue.Empty):
                    self._hear(*self.news.get(timeout=LOOK))
            most = max(self.slots, 1)
            return self.busy / most / (time.perf_counter() - started)

    @contextmanager
    def _client(self) -> Iterator[Client]:
        with _connected(self.job.options) as client:
            self._check_workers(client)
            client.subscribe_topic(self.job.topic, lambda event: self.news.put(tuple(event[1])))
            try:
                yield client
            finally:
                with suppress(Exception):  # the scheduler may have gone
                    client.cancel(list(self.futures.values()))
                    client.unregister_worker_plugin(self.job.topic)

    def _check_workers(self, client: Client) -> None:
        """Each, also one that comes later, has to be able to do what this process could."""
        try:
            client.register_plugin(Ready(self.job, self.card), name=self.job.topic)
        except MetaUNETRError:
            raise
        except Exception as error:
            raise DeviceError("Workers of the cluster cannot run MetaUNETR "
                              f"({type(error).__name__}: {error}); install the same version on "
                              "all machines and on the scheduler's.") from error

    def _submit(self, client: Client) -> None:
        """As many cases as there are threads to work on them."""
        if not self.waiting:
            return
        try:
            threads = sum(client.nthreads().values())
        except OSError:
            raise _gone() from None
        if threads == 0 and not self.futures:
            self._tell_once("The cluster has no worker yet; waiting for one.")
        self.slots = max(self.slots, threads)
        while self.waiting and len(self.futures) < threads:
            index = self.waiting.popleft()
            future = client.submit(
                segment_case, index, self.ledger.cases[index], self.job, key=self.job.key(index),
                pure=False)
            self.futures[index] = future
            future.add_done_callback(lambda future, index=index: self.news.put((index, future)))

    def _tell_once(self, text: str) -> None:
        if self.slots == 0:
            self.ledger.report({"event": "warning", "text": text})
            self.slots = 1

    def _hear(self, index: int, what: Event | Future) -> None:
        if index not in self.futures:  # of a worker that was thought lost
            return
        if isinstance(what, dict):
            self._on_the_way(index, what)
            return
        del self.futures[index]
        if index not in self.ledger.started:
            self._begin(index)
        self._end(index, what)

    def _on_the_way(self, index: int, event: Event) -> None:
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

    def _end(self, index: int, future: Future) -> None:
        if future.status in ("cancelled", "lost"):
            raise _gone()
        error = future.exception()
        if error is None:
            done: Done = future.result()
            self.busy += done.busy
            if isinstance(done.result, Finished):
                self.ledger.done(index, done.result)
            else:
                self.ledger.failed(index, MetaUNETRError(done.result))
        elif isinstance(error, KilledWorker):
            self.ledger.failed(index, MetaUNETRError(
                f"{error.allowed_failures + 1} workers were lost while they worked on it (killed, "
                "or out of memory)"))
        elif isinstance(error, MetaUNETRError):  # of a worker that can do none
            raise error
        else:
            self.ledger.failed(index, error)


@contextmanager
def _connected(options: Options) -> Iterator[Client]:
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # of lost connections we tell
    if options.scheduler:
        with _client(options.scheduler) as client:
            yield client
        return
    with LocalCluster(
        n_workers=options.workers, threads_per_worker=1, processes=True, host="127.0.0.1",
        dashboard_address="127.0.0.1:0", memory_limit=None, silence_logs="CRITICAL",
        env={"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS") or str(
            max(1, (os.cpu_count() or 1) // options.workers))},
    ) as cluster:
        try:
            with _client(cluster.scheduler_address) as client:
                yield client
        except BaseException:
            _kill(cluster)
            raise


def _kill(cluster: LocalCluster) -> None:
    """Ends the processes at once; asked, they would end after a window or the reading of a file."""
    for nanny in cluster.workers.values():
        nanny.close_gracefully()  # it is not started again
        with suppress(OSError, TypeError):  # it has none at the moment
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


def _as_elsewhere(options: Options) -> Options:
    """Workers have other working folders."""
    model = options.model
    if model and os.path.isdir(model):
        model = os.path.abspath(model)
    return replace(options, output=options.output.absolute(), model=model)
