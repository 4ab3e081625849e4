"""What a batch tells, as data for programs and as `line` for people.

    stage     stage "search", detail: how far the search for CTs is, now and then when it takes long
    cases     total, cases [{name, input}], left_out [{path, reason}], line
    case      index, name, state "running", "done", "skipped" or "failed", line; then seconds,
              flags, doubts (the flags to look at), text (why it failed), output, remaining_s (of
              the whole batch)
    stage, estimate, windows, warning     as of a single run, with `case`: the index
    summary   done, skipped, failed, seconds, busy, line; busy is the share of the time in which a
              case was being segmented, null when none was

Cases overlap: the last is written while the next runs. The events of one case are in order.
A case that begins to run has an empty line.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from metaunetr.batch.case import Case
from metaunetr.batch.discover import Discovery
from metaunetr.batch.finished import Finished
from metaunetr.text import counted, duration

Event = dict[str, Any]


def search_event(files: int, cts: int) -> Event:
    return {"event": "stage", "stage": "search",
            "detail": f"{counted(files, 'file')}, {counted(cts, 'CT')}"}


def cases_event(cases: list[Case], discovery: Discovery) -> Event:
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


class Told:
    """The events of single cases, and of the whole batch.

    Attributes:
        counts: how many cases ended in each state.
        left: how many have not ended.
        clock: seconds, from any moment on.
    """

    def __init__(self, cases: list[Case], clock: Callable[[], float] = time.perf_counter) -> None:
        self.cases = cases
        self.counts = Counter()
        self.left = len(cases)
        self.clock = clock
        self.begun: float | None = None

    def running(self, index: int) -> Event:
        if self.begun is None:
            self.begun = self.clock()
        return self._event(index, "running", "", remaining_s=self._remaining())

    def skipped(self, index: int, finished: Finished) -> Event:
        return self._end(index, "skipped", 0.0, f"finished before{_flagged(finished)}",
                         flags=finished.flags, doubts=finished.doubts,
                         output=str(finished.labels(self.cases[index])))

    def done(self, index: int, finished: Finished, seconds: float) -> Event:
        organs = sum(item.voxels > 0 for item in finished.organs)
        return self._end(
            index, "done", seconds,
            f"{counted(organs, 'organ')} in {seconds:.1f} s{self._as(index, finished)}"
            f"{_flagged(finished)}{_kept(finished)}",
            flags=finished.flags, doubts=finished.doubts,
            output=str(finished.labels(self.cases[index])))

    def failed(self, index: int, text: str, seconds: float) -> Event:
        return self._end(index, "failed", seconds, f"FAILED: {text}", text=text)

    def summary(self, seconds: float, busy: float | None) -> Event:
        counts = {state: self.counts[state] for state in ("done", "skipped", "failed")}
        words = {"done": "done", "skipped": "finished before", "failed": "failed"}
        told = ", ".join(f"{count} {words[state]}" for state, count in counts.items())
        share = "" if busy is None else f", busy {busy:.0%} of the time"
        return {"event": "summary", **counts, "seconds": round(seconds, 2),
                "busy": None if busy is None else round(busy, 3),
                "line": f"{counted(len(self.cases), 'case')}: {told}, "
                        f"in {duration(seconds)}{share}."}

    def _end(self, index: int, state: str, seconds: float, told: str, **facts) -> Event:
        self.counts[state] += 1
        self.left -= 1
        remaining = self._remaining()
        if state != "skipped" and remaining:
            told += f"; about {duration(remaining)} left"
        line = f"[{index + 1}/{len(self.cases)}] {self.cases[index].name}: {told}"
        return self._event(index, state, line, seconds=round(seconds, 2), remaining_s=remaining,
                           **facts)

    def _event(self, index: int, state: str, line: str, **facts) -> Event:
        return {"event": "case", "index": index, "name": self.cases[index].name, "state": state,
                "line": line} | facts

    def _as(self, index: int, finished: Finished) -> str:
        """What is said where the first of the formats was not possible."""
        path = finished.labels(self.cases[index])
        return "" if path == self.cases[index].labels else f"; written as {path.name}"

    def _remaining(self) -> float | None:
        """Seconds for the cases left, at the pace of those done; None before the first."""
        done = self.counts["done"]  # most that fail do so at once
        return round((self.clock() - self.begun) / done * self.left, 1) if done else None


def _kept(finished: Finished) -> str:
    return f"; kept what lay there as {', '.join(finished.kept)}" if finished.kept else ""


def _flagged(finished: Finished) -> str:
    organs = [item.organ.name for item in finished.organs if item.doubts]
    told = f"; look at: {', '.join(organs)}" if organs else ""
    return told + "".join(f"; {text.rstrip('.')}" for text in finished.warnings)
