"""How many cases are prepared beside each other, by processors and memory."""

import os

import pytest

from metaunetr_training.data import resources
from metaunetr_training.data.prepare import plan
from metaunetr_training.recipe import load

MACHINE = {"proc/meminfo": "MemTotal: 9 kB\nMemAvailable:   8 kB\n"}
CONTAINER = {"proc/self/cgroup": "0::/\n", "groups/memory.max": "5000\n",
             "groups/memory.current": "2000\n"}
JOB = {"proc/self/cgroup": "0::/slurm/job/step\n", "groups/slurm/job/memory.max": "4000",
       "groups/slurm/job/memory.current": "1000"}


@pytest.mark.parametrize("memory, expected", [
    (1e12, 4), (2.5e9, 2), (1e8, 1), (0, 1), (-1e9, 1), (None, 2),
])
def test_memory_limits_the_cases_at_a_time(monkeypatch, memory, expected):
    monkeypatch.setattr(resources, "_free_memory", lambda: memory)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: range(4), raising=False)
    work = [resources.Resources(memory=600e6), *[resources.Resources(memory=1e6)] * 9]
    assert resources.worker_count(work) == expected
    assert resources.worker_count([]) == 1


@pytest.mark.parametrize("files, expected", [
    ({}, None),
    (MACHINE, 8192),
    (MACHINE | CONTAINER, 3000),
    (CONTAINER, 3000),
    (MACHINE | CONTAINER | {"groups/memory.stat": "anon 1500\ninactive_file 500\n"}, 3500),
    (MACHINE | CONTAINER | {"groups/memory.max": "max\n"}, 8192),
    (MACHINE | CONTAINER | {"groups/memory.max": "1000000"}, 8192),
    (MACHINE | JOB, 3000),
    (MACHINE | CONTAINER | {"proc/self/cgroup": "3:memory:/docker/x\n"}, 8192),  # version 1
], ids=["nothing known", "machine", "container", "container alone", "copies of files", "no limit",
        "limit above the machine", "job of a cluster", "version 1"])
def test_free_memory_is_the_least_of_machine_and_containers(monkeypatch, tmp_path, files,
                                                            expected):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(resources, "PROC", tmp_path / "proc")
    monkeypatch.setattr(resources, "GROUPS", tmp_path / "groups")
    assert resources._free_memory() == expected


def test_no_more_processes_than_the_system_can_wait_for(monkeypatch, tmp_path):
    monkeypatch.setattr(resources, "MAX_PROCESSES", 61)
    assert plan(tmp_path / "out", load("fast").preprocessing, [], jobs=100).jobs == 61
