"""Cold processes from file to file: seconds, peak memory, and how good the estimates were.

    python Testing/benchmarks/end_to_end.py                       512×512×150 phantom, 0.8×0.8×3 mm
    python Testing/benchmarks/end_to_end.py --size 512 512 1000 --spacing 0.8 0.8 0.7 --runs 1
    python Testing/benchmarks/end_to_end.py CT.nii.gz             a CT of your own
    python Testing/benchmarks/end_to_end.py --model A --model B   two models, in turns
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from metaunetr.bundle import DEFAULT_MODEL

BASELINE = "import torch, numpy, SimpleITK"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ct", nargs="?", type=Path)
    parser.add_argument("--size", nargs=3, type=int, default=[512, 512, 150])
    parser.add_argument("--spacing", nargs=3, type=float, default=[0.8, 0.8, 3.0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--model", action="append", help="name or folder, repeatable")
    parser.add_argument("--precision", default="auto")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ct = args.ct or make_phantom(Path(folder) / "ct.nii.gz", args.size, args.spacing)
        _, baseline, _ = measured([sys.executable, "-c", BASELINE])
        command = [sys.executable, "-m", "metaunetr", "segment", str(ct), "-o",
                   f"{folder}/organs.seg.nrrd", "--json-progress", "--precision", args.precision]
        models = args.model or [DEFAULT_MODEL]
        runs = [(model, *measured([*command, "--model", model]))
                for _ in range(args.runs) for model in models]
    print(f"{'seconds':>8}{'estimated':>11}{'left then':>11}{'MB above torch':>16}{'estimated':>11}"
          f"{'windows':>9}  model, stages")
    for model, seconds, memory, events in runs:
        moment, estimate = next((at, e) for at, e in events if e["event"] == "estimate")
        record = events[-1][1]["record"]
        print(f"{seconds:8.1f}{estimate['seconds']:11.1f}{seconds - moment:11.1f}"
              f"{memory - baseline:16.0f}{estimate['memory_mb']:11.0f}{record['windows']:9d}  "
              f"{model}, {record['seconds']}")
    for model in models:
        median = statistics.median(run[1] for run in runs if run[0] == model)
        print(f"\n{model}, median of {args.runs}: {median:.1f} s", end="")
    print(f"; {record['device']}, {record['precision']}, overlap {record['overlap']}, "
          f"{os.cpu_count()} processors")


def make_phantom(path: Path, size: list[int], spacing: list[float]) -> Path:
    subprocess.run([sys.executable, "-m", "metaunetr", "phantom", "-o", str(path), "--size",
                    *map(str, size), "--spacing", *map(str, spacing)], check=True)
    return path


def measured(command: list[str]) -> tuple[float, float, list[tuple[float, dict]]]:
    """Wall-clock seconds, peak resident MB, and the events with the second they came at."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    events = []
    for line in process.stdout:
        events.append((time.perf_counter() - started, json.loads(line)))
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        raise SystemExit(f"failed: {events[-1:]}")
    return seconds, usage.ru_maxrss / 1000, events


if __name__ == "__main__":
    main()
