"""Cases beside each other: one that fails or is killed leaves the rest alone; none outlives us."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing

import pytest

from metaunetr_training.data.workers import run_parallel


def outcomes(work, tasks, jobs):
    found = {}
    for number, result in run_parallel(work, tasks, jobs):
        try:
            found[number] = result()
        except Exception as error:
            found[number] = type(error)
    return found


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_task_returns_or_raises_is_handed_on(jobs):
    tasks = [(7, 2), (1, 0), (9, 3)]
    assert outcomes(divmod, tasks, jobs) == {0: (3, 1), 1: ZeroDivisionError, 2: (3, 0)}


def test_only_the_task_whose_process_is_killed_fails():
    lines = ["1 + 1", "__import__('os')._exit(9)", "2 + 2", "3 + 3"]
    found = outcomes(eval, [(line,) for line in lines], jobs=2)
    assert found == {0: 2, 1: MemoryError, 2: 4, 3: 6}


@pytest.mark.skipif(os.name == "nt", reason="there, os.kill(pid, 0) kills")
def test_closing_ends_the_processes():
    code = "__import__('time').sleep({}) or __import__('os').getpid()"
    with closing(run_parallel(eval, [(code.format(0),), (code.format(600),)], jobs=2)) as results:
        _, result = next(results)
        pid = result()
        started = time.monotonic()
    assert time.monotonic() - started < 60
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_processes_end_with_their_parent(number):
    program = (
        "from metaunetr_training.data.workers import run_parallel\n"
        "if __name__ == '__main__':\n"
        "    code = 'import time; print(1, flush=True); time.sleep(600)'\n"
        "    list(run_parallel(exec, [(code,)] * 2, 2))\n"
    )
    # in a session of its own, so that Ctrl-C reaches parent and children as in a terminal
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, start_new_session=True,
                          env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}) as parent:
        assert [parent.stdout.readline() for _ in range(2)] == ["1\n", "1\n"]
        if number == signal.SIGINT:
            os.killpg(parent.pid, number)
        else:
            parent.kill()
        _, errors = parent.communicate(timeout=60)  # until all that hold the pipes have gone
    assert "leaked" not in errors or number == signal.SIGKILL
