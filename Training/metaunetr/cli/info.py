"""`metaunetr info`: the contents of an image or a segmentation."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from metaunetr.cli.arguments import add_command

SIDES = {"L": "left", "R": "right", "P": "posterior", "A": "anterior", "S": "superior",
         "I": "inferior"}
RECORDED = ("software", "date", "model", "device", "precision", "warnings")  # shown without --json


def add_to(commands) -> None:
    parser = add_command(
        commands, "info", "show what an image or a segmentation contains",
        "Shows size, spacing (mm), position and HU range of an image, and whether it can be "
        "segmented. Shows the segments of a segmentation, and how it was made.",
        "metaunetr info ct.nii.gz",
        "metaunetr info dicom_folder",
        "metaunetr info organs.seg.nrrd --json",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="image, label map or DICOM folder")
    parser.add_argument("--json", action="store_true",
                        help="print one JSON object, with the complete record")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    from metaunetr.io.image_info import describe

    facts = describe(args.file)
    if args.json:
        print(json.dumps(facts, indent=1, ensure_ascii=False, default=str))
        return
    lines = list(table(facts))
    width = max(len(name) for name, _ in lines) + 2
    print("\n".join(f"{name:<{width}}{value}".rstrip() for name, value in lines))


def table(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values of the printed lines."""
    yield "file", facts["path"]
    yield "kind", facts["kind"]
    yield "size", " × ".join(map(str, facts["size"])) + " voxels along i, j, k"
    yield "spacing", " × ".join(f"{value:.6g}" for value in facts["spacing_mm"]) + " mm"
    origin = ", ".join(f"{value:.2f}" for value in facts["origin_mm"])
    yield "origin", f"({origin}) mm {facts['coordinates']}, centre of the first voxel"
    sides = (f"{axis} to {SIDES[side]}" for axis, side in zip("ijk", facts["axes"], strict=True))
    yield "axes", f"{', '.join(sides)} ({facts['axes']})"
    low, high = facts["range"]
    yield "values", f"{low:g} to {high:g}"
    for warning in facts.get("warnings", []):
        yield "warning", warning
    if facts.get("refused"):
        yield "refused", facts["refused"]
    for segment in facts.get("segments", []):
        tags = segment["tags"]
        texts = [f"label {segment['label']}"]
        if "MetaUNETR.VolumeML" in tags:
            texts.append(f"{tags['MetaUNETR.VolumeML']} mL")
        if "MetaUNETR.Flags" in tags:
            texts.append(tags["MetaUNETR.Flags"])
        yield "segment", f"{segment['name']}: {', '.join(texts)}"
    record = facts.get("record") or {}
    for key in RECORDED:
        if record.get(key):
            value = record[key]
            yield key, "; ".join(value) if isinstance(value, list) else str(value)
