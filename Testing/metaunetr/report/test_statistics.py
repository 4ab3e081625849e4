"""The CSV of one result."""

import csv
from math import nan

import numpy as np

from metaunetr.image import Grid, Image
from metaunetr.organs import find
from metaunetr.report import write_statistics
from metaunetr.result import OrganResult, Result

LABELS = Image(np.zeros((2, 2, 2), np.uint8), Grid((2, 2, 2), (1, 1, 1), (0, 0, 0)))


def test_one_line_per_organ(tmp_path):
    organs = (
        OrganResult(find("left kidney"), 12, 154.25, 31.26, 12.0, 0.98765, ("a, b", "c")),
        OrganResult(find("liver"), 0, 0.0, nan, nan, nan),
    )
    write_statistics(tmp_path / "statistics.csv", Result(LABELS, organs, {}))
    with open(tmp_path / "statistics.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {
            "organ": "left kidney", "snomed_code": "64033007", "snomed_side": "7771000",
            "voxels": "12", "volume_ml": "154.250", "mean_hu": "31.3", "sd_hu": "12.0",
            "confidence": "0.9877", "flags": "a, b; c",
        },
        {
            "organ": "liver", "snomed_code": "10200004", "snomed_side": "", "voxels": "0",
            "volume_ml": "0.000", "mean_hu": "", "sd_hu": "", "confidence": "", "flags": "",
        },
    ]
