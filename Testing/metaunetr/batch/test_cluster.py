"""Many workers give the results of one machine, also if some of them die on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from metaunetr import batch
from metaunetr.batch import cluster_worker as workers
from metaunetr.batch.options import Options
from metaunetr.bundle import load
from metaunetr.errors import BundleError, DeviceError, PackageError
from metaunetr.image import Image
from metaunetr.io import write_image
from metaunetr.io.atomic import PREFIX
from tiny_bundle import card, small_ct, write_bundle

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")
psutil = pytest.importorskip("psutil")
cluster = pytest.importorskip("metaunetr.batch.cluster")
Cluster = cluster.Cluster

NAMES = [f"ct{n}" for n in range(3)]


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """As in the workers: sums of other lengths are other numbers."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", str(Path(batch.__file__).parents[2]))
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def once(tmp_path_factory) -> SimpleNamespace:
    """Cases, a tiny model, and what one machine makes of them.

    As NIfTI: other labels also hold the record with its times.
    """
    folder = tmp_path_factory.mktemp("cluster")
    for n, name in enumerate(NAMES):
        ct = small_ct()
        noise = np.random.default_rng(n).integers(-5, 6, ct.array.shape, np.int16)
        (folder / "in").mkdir(exist_ok=True)
        write_image(folder / "in" / f"{name}.nii.gz", Image(ct.array + noise, ct.grid))
    model = str(write_bundle(folder / "tiny"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    options = Options(folder / "out", suffixes=(".nii.gz",), model=model)
    assert batch.run([folder / "in"], options, lambda event: None) == 0
    torch.set_num_threads(threads)
    return SimpleNamespace(inputs=folder / "in", model=model, labels=labels(folder / "out"))


@pytest.fixture
def inside():
    """The address of a cluster of two workers in this process."""
    with distributed.LocalCluster(
        2, processes=False, threads_per_worker=1, dashboard_address=":0", silence_logs="CRITICAL",
    ) as cluster:
        yield cluster.scheduler_address


def wanted(once, output: Path, **where) -> Options:
    return Options(output, suffixes=(".nii.gz",), model=once.model, **where)


def labels(output: Path) -> dict[str, bytes]:
    return {path.name.split(".")[0]: path.read_bytes() for path in output.glob("*.nii.gz")}


def states(events: list[dict]) -> dict[str, list[str]]:
    """All states that each case went through."""
    found = {}
    for event in events:
        if event["event"] == "case":
            found.setdefault(event["name"], []).append(event["state"])
    return found


def worker_processes(parent: int | None = None) -> list[psutil.Process]:
    """The oldest first: one that is killed while it starts, Dask does not start again."""
    return sorted((process for process in psutil.Process(parent).children(recursive=True)
                   if "spawn_main" in " ".join(process.cmdline())),
                  key=psutil.Process.create_time)


def ended(processes: list[psutil.Process]) -> bool:
    """Whether they end within seconds; where nobody asks how, they stay as zombies."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if all(not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
               for process in processes):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.slow
def test_workers_that_do_not_come_back_end_the_batch(once, tmp_path, monkeypatch):
    """As when a process is killed while Dask starts it."""
    made = []

    class Remembered(distributed.LocalCluster):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            made.append(self)

    async def killed_again():
        raise RuntimeError

    def kill_all(event):
        if event["event"] == "windows":
            for nanny in made[0].workers.values():
                nanny.instantiate = killed_again
                if nanny.is_alive():
                    os.kill(nanny.pid, signal.SIGKILL)

    monkeypatch.setattr(cluster, "LocalCluster", Remembered)
    monkeypatch.setattr(cluster, "RESTART", 2.0)
    with pytest.raises(DeviceError, match="All worker processes have ended"):
        batch.run([once.inputs], wanted(once, tmp_path / "out", workers=1), kill_all)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_worker_that_is_killed_costs_its_case_which_is_done_elsewhere(once, tmp_path, long):
    """4 cases and one kill, or 60 cases and 15 kills."""
    count, kills = (60, 15) if long else (4, 1)
    expected = {}
    (tmp_path / "in").mkdir()
    for n in range(count):
        expected[f"ct{n}"] = once.labels[NAMES[n % len(NAMES)]]
        os.link(once.inputs / f"{NAMES[n % len(NAMES)]}.nii.gz", tmp_path / "in" / f"ct{n}.nii.gz")
    events, killed = [], []

    def kill_some(event):
        events.append(event)
        done = sum(event.get("state") == "done" for event in events)
        if event["event"] == "windows" and len(killed) < kills and done >= 3 * len(killed):
            killed.extend(worker_processes()[:1])
            killed[-1].kill()

    options = wanted(once, tmp_path / "out", workers=2)
    assert batch.run([tmp_path / "in"], options, kill_some) == 0
    assert len(killed) == kills
    assert labels(tmp_path / "out") == expected  # bit for bit
    assert {name: of_case[-1] for name, of_case in states(events).items()} == dict.fromkeys(
        expected, "done")
    assert {of_case.count("done") for of_case in states(events).values()} == {1}
    again = sum(of_case.count("running") - 1 for of_case in states(events).values())
    assert 1 <= again <= 2 * kills
    assert events[-1]["done"] == count
    assert 0 < events[-1]["busy"] <= 1
    assert worker_processes() == []
    assert not list((tmp_path / "out").glob(PREFIX + "*"))
    print(f"{count} cases, {kills} workers killed, {again} cases begun once more, none lost")


@pytest.mark.slow
def test_a_case_that_kills_its_workers_is_given_up_and_the_others_are_done(once, tmp_path):
    fault = tmp_path / "fault.py"
    fault.write_text("""
import os
from metaunetr.batch import cluster_worker
def killing(index, case, job, segment_case=cluster_worker.segment_case):
    if case.name == "ct2":
        os._exit(9)
    return segment_case(index, case, job)
if cluster_worker.segment_case.__name__ != "killing":  # this file is run more than once
    cluster_worker.segment_case = killing
""")
    events = []
    with dask.config.set({"distributed.worker.preload": [str(fault)],
                          "distributed.scheduler.allowed-failures": 1}):
        failed = batch.run([once.inputs], wanted(once, tmp_path / "out", workers=2),
                           events.append)
    assert failed == 1
    reasons = [event["text"] for event in events if event.get("state") == "failed"]
    assert reasons == ["2 workers were lost while they worked on it (killed, or out of memory)"]
    assert labels(tmp_path / "out") == {name: data for name, data in once.labels.items()
                                        if name != "ct2"}


@pytest.mark.slow
def test_workers_of_a_scheduler_report_the_same_events_and_failures(once, inside, tmp_path):
    inputs = tmp_path / "in"
    inputs.mkdir()
    for name in NAMES[:2]:
        os.link(once.inputs / f"{name}.nii.gz", inputs / f"{name}.nii.gz")
    (inputs / "cut.nii.gz").write_bytes((once.inputs / "ct0.nii.gz").read_bytes()[:5000])
    (inputs / "empty.nii").touch()
    runs = []
    for name, scheduler in (("one", ""), ("many", inside)):
        events = []
        options = wanted(once, tmp_path / name, scheduler=scheduler)
        assert batch.run([inputs], options, events.append) == 2
        runs.append({event["name"]: event.get("text") for event in events
                     if event["event"] == "case" and event["state"] in ("done", "failed")})
        for index in (event["index"] for event in events if event.get("state") == "done"):
            mine = [event.get("state") or event.get("stage") or event["event"] for event in events
                    if index in (event.get("index"), event.get("case"))]
            assert (mine[0], mine[1], mine[-2], mine[-1]) == ("running", "read", "write", "done")
            assert mine.count("windows") >= 1
    assert runs[0] == runs[1]
    assert labels(tmp_path / "one") == labels(tmp_path / "many")
    events = []
    options = replace(options, resume=True)
    assert batch.run([inputs], options, events.append) == 2
    assert [events[-1][state] for state in ("done", "skipped", "failed")] == [0, 2, 2]


@pytest.mark.slow
def test_a_cancelled_run_leaves_the_scheduler_free_for_the_next(once, inside, tmp_path):
    def stop(event):
        if event["event"] == "windows":
            raise KeyboardInterrupt

    options = wanted(once, tmp_path / "out", scheduler=inside)
    with pytest.raises(KeyboardInterrupt):
        batch.run([once.inputs], options, stop)
    assert batch.run([once.inputs], options, lambda event: None) == 0
    assert labels(tmp_path / "out") == once.labels


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
def test_an_interrupt_leaves_no_process(once, tmp_path):
    slow = write_bundle(tmp_path / "slow", overlap=0.9, preprocessing=card()["preprocessing"] | {
        "spacing_mm": [3, 3, 3]})
    process = subprocess.Popen(
        [sys.executable, "-m", "metaunetr", "batch", "--input", once.inputs, "--output",
         tmp_path / "out", "--model", slow, "--dask-local", "2", "--json-progress"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stdout:
        if json.loads(line)["event"] == "windows":
            break
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(worker_processes(process.pid)) == 2
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert ended(children)
    assert labels(tmp_path / "out") == {}
    assert process.stderr.read().startswith(
        "metaunetr: Interrupted; unfinished files were removed.\n")


def test_no_scheduler_answers(once, tmp_path, monkeypatch):
    monkeypatch.setattr("metaunetr.batch.cluster.PATIENCE", 1)
    options = wanted(once, tmp_path, scheduler="tcp://127.0.0.1:9")
    with pytest.raises(DeviceError, match=r"tcp://127.0.0.1:9: no Dask scheduler answers"):
        batch.run([once.inputs], options, lambda event: None)


@pytest.mark.slow
def test_if_the_scheduler_ends_an_error_says_so_and_finished_cases_are_kept(
    once, inside, tmp_path, monkeypatch
):
    def gone(client):
        raise OSError("Timed out trying to connect")

    def lose(event):
        if event.get("state") == "done":
            patch.setattr(distributed.Client, "nthreads", gone)

    options = wanted(once, tmp_path, scheduler=inside, resume=True)
    with monkeypatch.context() as patch, pytest.raises(DeviceError, match="has gone"):
        batch.run([once.inputs], options, lose)
    events = []
    assert batch.run([once.inputs], options, events.append) == 0
    assert events[-1]["skipped"] >= 1
    assert labels(tmp_path) == once.labels


def test_dask_is_not_installed(once, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(PackageError, match=r'distributed; .* install "distributed>=2024.8"'):
        batch.run([once.inputs], wanted(once, tmp_path, workers=2), None)


def another_version(check, tmp_path):
    check.version = "0.0.1"
    return DeviceError, "the run needs 0.0.1"


def no_model(check, tmp_path):
    check.job = replace(check.job, options=replace(check.job.options, model="elsewhere"))
    return BundleError, "No model is called 'elsewhere'"


def another_model(check, tmp_path):
    check.job = replace(check.job, sha256="0" * 64)
    return BundleError, "is another one than that of the run"


def no_folder(check, tmp_path):
    (tmp_path / "out").rmdir()
    return DeviceError, "does not see the folder"


@pytest.mark.parametrize("change", [another_version, no_model, another_model, no_folder])
def test_a_worker_that_lacks_something_is_refused(once, tmp_path, change):
    (tmp_path / "out").mkdir()
    bundle = load(Path(once.model))
    job = workers.Job(wanted(once, tmp_path / "out"), bundle.sha256, "run")
    check = workers.WorkerCheck(job, bundle.card)
    worker = SimpleNamespace(address="tcp://node7:1")
    check.setup(worker)
    kind, words = change(check, tmp_path)
    with pytest.raises(kind, match=rf"Worker tcp://node7:1: .*{words}"):
        check.setup(worker)


def test_a_cluster_of_such_workers_is_refused_at_once(once, inside, tmp_path, monkeypatch):
    def missing(model):
        raise BundleError("No model is called 'tiny'.")

    monkeypatch.setattr(workers, "find", missing)
    options = wanted(once, tmp_path, scheduler=inside)
    with pytest.raises(BundleError, match=r"Worker inproc://.*: No model is called 'tiny'"):
        batch.run([once.inputs], options, lambda event: None)


def test_a_worker_that_joins_later_is_asked_before_its_first_case(
    once, inside, tmp_path, monkeypatch
):
    """Dask asks it too, but lets it work whatever the answer."""
    def missing(model):
        raise BundleError("No model is called 'tiny'.")

    def unasked(self, client, check=Cluster._check_workers):
        with monkeypatch.context() as patch:
            patch.setattr(workers.WorkerCheck, "setup", lambda self, worker: None)
            check(self, client)

    monkeypatch.setattr(Cluster, "_check_workers", unasked)
    monkeypatch.setattr(workers, "find", missing)
    options = wanted(once, tmp_path, scheduler=inside)
    with pytest.raises(BundleError, match=r"Worker inproc://.*: No model is called 'tiny'"):
        batch.run([once.inputs], options, lambda event: None)
