"""The lines and numbers of events that concern no single case."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from metaunetr.batch.case import Case
from metaunetr.batch.discover import Discovery
from metaunetr.batch.events import cases_event, search_event

CASE = Case("a", Path("a"), (), Path("a.seg.nrrd"), Path(), Path(), Path())


def test_what_was_found_and_left_out():
    event = cases_event([CASE], Discovery(
        left_out=[(Path("b.seg.nrrd"), "a segmentation")], others=Counter({".txt": 2, "": 1})))
    assert event["total"] == 1
    assert event["cases"] == [{"name": "a", "input": "a"}]
    assert event["line"].splitlines() == [
        "Left out: b.seg.nrrd: a segmentation",
        "Left out: 3 files that are no images (suffix: .txt, none)",
        "1 case.",
    ]


@pytest.mark.parametrize(("files", "cts", "detail"), [
    (1, 0, "1 file, 0 CTs"), (12345, 1, "12,345 files, 1 CT"),
])
def test_progress_of_the_search(files, cts, detail):
    assert search_event(files, cts) == {"event": "stage", "stage": "search", "detail": detail}
