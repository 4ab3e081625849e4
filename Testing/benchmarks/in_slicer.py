"""From click to segmentation node against the command line from file to file, in turns.

    python Testing/benchmarks/in_slicer.py CT.nii.gz [--runs 3]

Slicer's side is slicer-core: the real nodes, displays and conversions, without windows.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("Training", "Testing/standins", "MetaUNETRSegment")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ct", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    import slicer_headless
    import slicer_qt

    slicer_qt.start()
    with slicer_headless.fresh_scene():
        pairs = [(command_line(args.ct), in_slicer(args.ct)) for _ in range(args.runs)]
    for outside, inside in pairs:
        print(f"command line {outside:5.1f} s   in Slicer {inside:5.1f} s   "
              f"more {inside - outside:+5.1f} s")
    print(f"median of what Slicer adds: {statistics.median(b - a for a, b in pairs):+.1f} s")


def command_line(ct: Path) -> float:
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "metaunetr", "segment", str(ct), "-o",
                        f"{folder}/organs.seg.nrrd"], check=True, capture_output=True,
                       env=os.environ | {"PYTHONPATH": str(ROOT / "Training")})
        return time.perf_counter() - started


def in_slicer(ct: Path) -> float:
    import slicer

    from metaunetr.io import read_image
    from MetaUNETRSegment import MetaUNETRSegmentLogic

    image = read_image(ct)
    volume = slicer.util.addVolumeFromArray(
        image.array, np.diag([-1, -1, 1, 1]) @ image.grid.affine, "CT")
    started = time.perf_counter()
    node = MetaUNETRSegmentLogic().segment(volume)
    assert node.GetDisplayNode() and node.GetSegmentation().GetNumberOfSegments()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
