"""Estimated time and memory of a run, shown before it begins."""

from contextlib import suppress

import qt
from slicer.i18n import tr as _

from .progress import duration

WAIT_MS = 600  # after the last change, so that nothing is measured while the user still chooses


class Estimate:
    """Measures again whenever volume, model or device change; shows nothing on failure.

    Args:
        label: shows it, with the volume's name.
        devices: called with the devices that the engine found.
    """

    def __init__(self, label, logic, devices) -> None:
        self.label, self.logic, self.devices = label, logic, devices
        self.wanted = self.job = self.volume = None
        self.known = {}  # events, of what was wanted before
        self.delay = qt.QTimer()
        self.delay.interval = WAIT_MS
        self.delay.timeout.connect(self._start)

    def want(self, volume, settings: dict | None) -> None:
        """Shows the volume, if there is one, and estimates its run unless `settings` are None."""
        image = volume.GetImageData() if volume and settings else None
        wanted = (volume and volume.GetID(),
                  (image.GetMTime(), *settings.values()) if image else None)
        if wanted == self.wanted:
            self._say()  # the volume may have another name
            return
        self.stop()
        self.wanted, self.volume, self.settings = wanted, volume, settings
        self._say()
        if image and wanted not in self.known:
            self.delay.start()

    @property
    def networkSeconds(self) -> float | None:
        """Those of the run that is wanted now; None if there is no estimate yet."""
        return self.known.get(self.wanted, {}).get("network_s")

    def learn(self, wanted: tuple | None, job) -> None:
        """Takes a run as its estimate, if there was none yet."""
        event = job.last.get("estimate")
        if event and wanted and wanted[1]:
            self.known.setdefault(wanted, event | {"seconds": job.seconds})

    def stop(self) -> None:
        """Stops the estimate: a run begins, or none is possible."""
        if self.wanted is None:
            return
        self.delay.stop()
        job, self.job, self.wanted, self.volume = self.job, None, None, None
        if job is not None:
            job.cancel()
        self._say()

    def _start(self) -> None:
        self.delay.stop()
        with suppress(RuntimeError):  # the run itself will say why
            self.job = self.logic.estimate(
                self.volume, wait=False, progress=self._take, **self.settings)

    def _take(self, event: dict) -> None:
        kind = event["event"]
        if kind == "devices":
            self.devices(event["devices"])
        elif kind == "estimate":
            self.known[self.wanted] = event
            self._say()
        if kind in ("finished", "failed", "cancelled"):
            self.job = None

    def _say(self) -> None:
        """The volume's name, and what is known of its run."""
        name = self.volume.GetName() if self.volume else ""
        known = self.known.get(self.wanted)
        self.label.text = name if known is None else (
            f"{name}: {estimateText(known['seconds'], known['memory_mb'])}")


def estimateText(seconds: float, megabytes: float) -> str:
    """Such as "about 9 s, 0.8 GB"."""
    return _("about {duration}, {memory} GB").format(
        duration=duration(max(1, round(seconds))), memory=f"{max(megabytes, 100) / 1000:.1f}")
