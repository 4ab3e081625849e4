"""Parallel processes for preparation.

Imports nothing heavy, so that a new process ignores Ctrl-C, which is meant for its parent, before
it imports torch.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

Outcome = tuple[int, Callable[[], Any]]


def run_parallel(work: Callable[..., Any], tasks: Sequence[tuple], jobs: int) -> Iterator[Outcome]:
    """Calls `work` with each task, and yields the number of the task and a function.

    The function returns the result of `work`, or raises its exception. When a process is killed,
    the remaining tasks are done one after the other, so that only the task that caused it fails.
    Closing the generator ends the processes.
    """
    if jobs == 1:
        for number, task in enumerate(tasks):
            yield number, lambda task=task: work(*task)
        return
    remaining = list(range(len(tasks)))
    while remaining:
        broken = False
        for number, future in _parallel(work, {n: tasks[n] for n in remaining}, jobs):
            if isinstance(future.exception(), BrokenProcessPool):
                broken = True
            else:
                remaining.remove(number)
                yield number, future.result
        if broken and jobs == 1:
            yield remaining.pop(0), _killed
        jobs = 1


def _killed() -> None:
    raise MemoryError


def _parallel(
    work: Callable[..., Any], tasks: dict[int, tuple], jobs: int
) -> Iterator[tuple[int, Future]]:
    context = multiprocessing.get_context("spawn")  # forks of a process with threads may hang
    receiver, sender = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(min(jobs, len(tasks)), context, _begin, (receiver,))
    try:
        numbers = {pool.submit(work, *task): number for number, task in tasks.items()}
        for future in as_completed(numbers):
            yield numbers[future], future
    except BaseException:
        sender.close()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        sender.close()
        receiver.close()


def _begin(parent: Connection) -> None:
    for name in ("SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = "1"  # one thread per process
    threading.Thread(target=_exit_with_parent, args=(parent,), daemon=True).start()


def _exit_with_parent(parent: Connection) -> None:
    """Ends this process at once when the parent closes the pipe or ends."""
    with suppress(EOFError, OSError):
        parent.recv()
    if atomic := sys.modules.get("metaunetr.io.atomic"):
        atomic.discard_unfinished()
    os._exit(1)
