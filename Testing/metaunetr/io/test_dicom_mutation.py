"""A series with a damaged file is read as something sound, or refused by name.

As `survival/test_mutation.py`, for every transfer syntax, and for enhanced multi-frame files.
"""

from __future__ import annotations

import random
import sys

import pytest

import mutation
from reader import Reader

dicom_series = pytest.importorskip("dicom_series", reason="series are written with pydicom")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")

SYNTAXES = dicom_series.NATIVE | dicom_series.COMPRESSED
FEW, MANY = 5, 250  # damaged files of each kind


@pytest.fixture(scope="module")
def reader():
    with Reader() as reader:
        yield reader


@pytest.mark.timeout(900)
@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("kind", ["series", "enhanced"])
def test_what_is_damaged_is_read_or_refused(reader, tmp_path, long, kind, syntax):
    if kind == "series":
        path = dicom_series.write_series(tmp_path, mutation.ct(), syntax=SYNTAXES[syntax])[2]
    else:
        path = dicom_series.write_enhanced(
            tmp_path / "ct.dcm", mutation.ct(), syntax=SYNTAXES[syntax])
    whole = path.read_bytes()
    assert reader("dicom", path) is None
    for number in range(MANY if long else FEW):
        path.write_bytes(mutation.damaged(whole, random.Random(f"{kind} {syntax} {number}")))
        found = reader("dicom", path)
        assert found is None, f"{number}: {found}"
