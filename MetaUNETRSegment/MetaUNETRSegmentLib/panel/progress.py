"""The progress of a run from the engine's events: a share of the whole, and a line of text."""

import time

from slicer.i18n import tr as _

# the share of a run that is over when a stage begins; the network takes most of it
STAGE_SHARES = {
    "search": 0.0, "read": 0.0, "model": 0.04, "check": 0.08, "resample": 0.10, "estimate": 0.13,
    "network": 0.16, "restore": 0.90, "findings": 0.94, "write": 0.97,
}


def stageText(stage: str) -> str:
    return {
        "search": _("Searching for CTs"),
        "read": _("Reading the volume"),
        "model": _("Loading the model"),
        "check": _("Checking the image"),
        "resample": _("Resampling"),
        "estimate": _("Measuring the speed of this computer"),
        "network": _("Segmenting"),
        "restore": _("Restoring the resolution"),
        "findings": _("Measuring organs"),
        "write": _("Writing"),
    }.get(stage, stage)


def duration(seconds: float) -> str:
    """Such as "9 s", "2 min 05 s", "1 h 20 min"."""
    if seconds < 9.95:
        return _("{seconds} s").format(seconds=f"{seconds:.1f}".removesuffix(".0"))
    whole = round(seconds)
    if whole < 60:
        return _("{seconds} s").format(seconds=whole)
    if whole < 3600:
        return _("{minutes} min {seconds} s").format(
            minutes=whole // 60, seconds=f"{whole % 60:02d}")
    return _("{hours} h {minutes} min").format(
        hours=whole // 3600, minutes=f"{whole % 3600 // 60:02d}")


class Progress:
    """Follows the events of one run, or of a batch of them.

    Attributes:
        share: 0 to 1, never falls.
    """

    def __init__(self) -> None:
        self.share = self.caseShare = 0.0
        self.stage = self.detail = ""
        self.windows = None
        self.cases = []  # names
        self.case = None  # index of the case that is being segmented
        self.ended = 0  # cases
        self.networkBegan = self.stageBegan = None
        self.left = None  # (time, remaining seconds then)
        self.leftInAll = None  # the same of a batch

    def take(self, event: dict) -> bool:
        """Handles an event; returns whether there is something new to show."""
        kind = event["event"]
        if kind == "cases":
            self.cases = [case["name"] for case in event["cases"]]
        elif kind == "case":
            self._takeCase(event)
        elif event.get("case", self.case) != self.case:
            return False  # one case is still being written while the next one is segmented
        elif kind == "stage":
            self.stage, self.windows, self.networkBegan = event["stage"], None, None
            self.stageBegan = time.monotonic()
            self.detail = event.get("detail", "")
            if self.stage == "network":
                self.networkBegan = (self.stageBegan, 0)
            else:
                self.left = None
            self._reach(STAGE_SHARES.get(self.stage, 0.0))
        elif kind == "windows":
            self._takeWindows(event["done"], event["total"])
        elif kind == "estimate":
            self.left = (time.monotonic(), event["seconds"])
        else:
            return False
        return True

    def nameOf(self, event: dict) -> str:
        """The case of a batch that an event is about; empty for a single run."""
        index = event.get("case", -1)
        return self.cases[index] if 0 <= index < len(self.cases) else ""

    def _takeCase(self, event: dict) -> None:
        if event["state"] == "running":
            self.case, self.stage, self.windows, self.left = event["index"], "", None, None
            self.stageBegan = None
        else:
            self.ended += 1
        if event.get("remaining_s") is not None:
            self.leftInAll = (time.monotonic(), event["remaining_s"])
        self._reach(0.0 if event["state"] == "running" else self.caseShare)

    def _takeWindows(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self.networkBegan is None:
            self.networkBegan = (now, done)
        began, first = self.networkBegan
        if done > first:
            self.left = (now, (now - began) / (done - first) * (total - done))
        self.stage, self.windows = "network", (done, total)
        if self.stageBegan is None:
            self.stageBegan = now
        if self.left is None:
            begin, end = STAGE_SHARES["network"], STAGE_SHARES["restore"]
            self._reach(begin + (end - begin) * done / max(total, 1))
        self.advance()

    def _reach(self, share: float) -> None:
        self.caseShare = share
        if self.cases:
            share = (self.ended + share) / len(self.cases)
        self.share = max(self.share, min(share, 1.0))

    def advance(self) -> None:
        """Lets the share grow between the windows, by the time that has passed."""
        left, began = self.remaining(), self.stageBegan
        if left is None or began is None:
            return
        past = time.monotonic() - began
        begin, end = STAGE_SHARES["network"], STAGE_SHARES["restore"]
        self._reach(begin + (end - begin) * past / (past + left))

    def remaining(self) -> float | None:
        """Seconds until the network is done, by the completed windows, or before the first by the
        engine's estimate; None if neither is known."""
        if self.left is None or self.stage != "network":
            return None
        return _countedDown(self.left)

    def text(self) -> str:
        """Such as "Segmenting: window 12 of 48, 7 s left"."""
        line, left = stageText(self.stage), self.remaining()
        if self.windows is not None:
            line += _(": window {done} of {total}").format(
                done=self.windows[0], total=self.windows[1])
        elif line and left is None:
            line += f": {self.detail} …" if self.detail else " …"
        if left is not None and (self.windows is None or self.windows[0] < self.windows[1]):
            line += _(", {duration} left").format(duration=duration(round(left)))
        if self.case is not None:
            where = _("Case {number} of {total}, {name}").format(
                number=self.case + 1, total=len(self.cases), name=self.cases[self.case])
            line = f"{where}. {line}" if line else where
        if self.leftInAll is not None:
            line += _(" · all cases: {duration} left").format(
                duration=duration(round(_countedDown(self.leftInAll))))
        return line


def _countedDown(left: tuple[float, float]) -> float:
    """Remaining seconds now, from (time, remaining seconds then)."""
    measured, seconds = left
    return max(1.0, seconds - (time.monotonic() - measured))
