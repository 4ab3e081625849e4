"""Processes that prepare cases beside each other.

Light, so that a new process ignores Ctrl-C, which is for its parent, before it imports torch.
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
from typing import Any

KILLED = ("its process was killed, probably because memory ran out; close other programs, or "
          "lower --jobs")


def attempts(work: Callable[..., Any], tasks: Sequence[tuple], jobs: int) -> Iterator[
        tuple[int, Callable[[], Any]]]:
    """Calls `work` with each task, and yields its number and a function for its result.

    The function returns what `work` has returned, or raises what it has raised. When a process
    is killed, the rest goes on one after the other, so that only the guilty task fails.
    """
    if jobs == 1:
        for number, task in enumerate(tasks):
            yield number, lambda task=task: work(*task)
        return
    left = list(range(len(tasks)))
    while left:
        broken = False
        for number, future in _parallel(work, {n: tasks[n] for n in left}, jobs):
            if isinstance(future.exception(), BrokenProcessPool):
                broken = True
            else:
                left.remove(number)
                yield number, future.result
        if broken and jobs == 1:
            yield left.pop(0), _killed
        jobs = 1


def _killed() -> None:
    raise MemoryError(KILLED)


def _parallel(
    work: Callable[..., Any], tasks: dict[int, tuple], jobs: int
) -> Iterator[tuple[int, Future]]:
    context = multiprocessing.get_context("spawn")  # forks of a process with threads may hang
    pool = ProcessPoolExecutor(min(jobs, len(tasks)), context, _begin)
    try:
        numbers = {pool.submit(work, *task): number for number, task in tasks.items()}
        for future in as_completed(numbers):
            yield numbers[future], future
    finally:  # what is running ends with this process, or by itself
        pool.shutdown(wait=False, cancel_futures=True)


def _begin() -> None:
    for name in ("SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = "1"
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    multiprocessing.parent_process().join()
    if atomic := sys.modules.get("metaunetr.io.atomic"):
        atomic.discard_unfinished()
    os._exit(1)
