"""What a case's record keeps of each organ."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from metaunetr import result
from metaunetr.organs import BY_NAME
from metaunetr.result import OrganResult

LIVER = OrganResult(organ=BY_NAME["liver"], voxels=70, volume_ml=0.333, hu_mean=61.2,
                    hu_sd=9.0, confidence=0.875, flags=("small",))


@dataclass(frozen=True)
class Later(OrganResult):
    """Of a version that also gives the median."""

    hu_median: float = math.nan


def test_a_record_without_a_later_value_is_read(monkeypatch):
    old = LIVER.to_json()
    monkeypatch.setattr(result, "DECIMALS", result.DECIMALS | {"hu_median": 1})
    later = Later.from_json(old)
    assert math.isnan(later.hu_median)
    assert later.confidence == LIVER.confidence
    assert Later.from_json(old | {"hu_median": 60.5}).hu_median == 60.5


def test_a_record_without_a_value_of_the_first_version_is_damaged():
    values = LIVER.to_json()
    del values["confidence"]
    with pytest.raises(KeyError):
        OrganResult.from_json(values)
