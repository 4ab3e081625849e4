"""Events of a batch: dictionaries for programs, with a `line` of text for people.

    stage     stage "search", detail: progress of a long search for CTs
    cases     total, cases [{name, input}], left_out [{path, reason}], line
    case      index, name, state "running", "done", "skipped" or "failed", line; then seconds,
              flags, doubts (the flags to look at), text (why it failed), output, remaining_s (of
              the whole batch)
    stage, estimate, windows, warning     as in a single run, with `case`: the index
    summary   done, skipped, failed, seconds, busy, line; busy is the share of the time in which a
              case was being segmented, null when none was

The events of different cases overlap, since one case is written while the next one is segmented;
those of one case are in order. The event of a case that begins has an empty line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from metaunetr.batch.case import Case
from metaunetr.batch.case_record import CaseRecord
from metaunetr.batch.discover import Discovery
from metaunetr.text import counted, duration

Event = dict[str, Any]

ENDS = {"done": "done", "skipped": "finished before", "failed": "failed"}  # state: in words


def search_event(files: int, cts: int) -> Event:
    """How many files were searched, and how many may be CTs."""
    return {"event": "stage", "stage": "search",
            "detail": f"{counted(files, 'file')}, {counted(cts, 'CT')}"}


def cases_event(cases: list[Case], discovery: Discovery) -> Event:
    """What will be segmented, and what is left out."""
    left_out = [{"path": str(path), "reason": reason} for path, reason in discovery.left_out]
    return {
        "event": "cases", "total": len(cases),
        "cases": [{"name": case.name, "input": str(case.input)} for case in cases],
        "left_out": left_out,
        "line": "\n".join([*(f"Left out: {item['path']}: {item['reason']}" for item in left_out),
                           *_others(discovery.others), f"{counted(len(cases), 'case')}."]),
    }


def _others(suffixes: Counter[str]) -> list[str]:
    if not suffixes:
        return []
    names = ", ".join(sorted(suffix or "none" for suffix in suffixes))
    count = sum(suffixes.values())
    are = "is no image" if count == 1 else "are no images"
    return [f"Left out: {counted(count, 'file')} that {are} (suffix: {names})"]


def summary_event(counts: Mapping[str, int], seconds: float, busy: float | None) -> Event:
    """The end of a batch.

    Args:
        counts: of cases, by the states of ENDS.
        busy: share of the time in which a case was segmented; None when none was.
    """
    words = ", ".join(f"{counts[state]} {word}" for state, word in ENDS.items())
    share = "" if busy is None else f", busy {busy:.0%} of the time"
    total = sum(counts[state] for state in ENDS)
    return {"event": "summary", **{state: counts[state] for state in ENDS},
            "seconds": round(seconds, 2), "busy": None if busy is None else round(busy, 3),
            "line": f"{counted(total, 'case')}: {words}, in {duration(seconds)}{share}."}


def result_text(case: Case, record: CaseRecord, seconds: float | None) -> str:
    """What a line says about a finished case; `seconds` is None when it was finished before."""
    if seconds is None:
        return f"finished before{_remarks(record)}"
    organs = counted(sum(item.voxels > 0 for item in record.organs), "organ")
    text = f"{organs} in {seconds:.1f} s"
    if (labels := record.labels(case)) != case.labels:  # the first of several formats failed
        text += f"; written as {labels.name}"
    text += _remarks(record)
    return f"{text}; kept what lay there as {', '.join(record.kept)}" if record.kept else text


def _remarks(record: CaseRecord) -> str:
    organs = [item.organ.name for item in record.organs if item.doubts]
    look_at = [f"look at: {', '.join(organs)}"] if organs else []
    return "".join(f"; {text}" for text in (
        *look_at, *(text.rstrip(".") for text in record.warnings)))
