"""The button Segment."""

from slicer.i18n import tr as _

from MetaUNETRSegmentLib import views

from .estimate import Estimate
from .run import Strip, tookText


class SegmentPanel:
    """Starts a segmentation of the chosen volume, and shows the result."""

    def __init__(self, panel) -> None:
        self.panel, ui = panel, panel.ui
        self.strip = Strip(ui, "segment")
        self.estimate = Estimate(self.strip.hint, panel.logic, panel.input.offerDevices)
        self.volume = None
        ui.segmentButton.clicked.connect(self._clicked)

    def refresh(self) -> None:
        parameters, reason = self.panel.parameters, self.panel.input.reason()
        if parameters.inputVolume is not self.volume:
            if self.volume is not None:
                parameters.outputSegmentation = None  # it was chosen for another volume
            self.volume = parameters.inputVolume
            if self.volume is not None and self.panel.runner.strip is not self.strip:
                self.strip.clear()  # it was said of another volume
        if reason and not self.panel.runner.running:
            self.estimate.stop()
        self.panel.allowRun(self.strip, reason)
        if not self.panel.runner.running and not reason:
            options = self.panel.input.options()
            self.estimate.want(parameters.inputVolume, {
                name: options[name] for name in ("model", "device", "overlap", "precision")
            } if not self.panel.install.needed else None)

    def close(self) -> None:
        self.estimate.stop()
        self.volume = None  # what a scene that is loaded next has chosen stays

    def _clicked(self) -> None:
        self.panel.press(self.strip, self.run)

    def run(self) -> None:
        parameters, seconds = self.panel.parameters, self.estimate.networkSeconds
        self.wanted = self.estimate.wanted
        self.estimate.stop()
        self.before = segmentNames(parameters.outputSegmentation)

        def makeJob(progress):
            return self.panel.logic.segment(
                parameters.inputVolume, parameters.outputSegmentation, wait=False,
                progress=progress, uncertainty=parameters.uncertainty, roiNode=parameters.roi,
                networkSeconds=seconds, **self.panel.input.options())

        volume = parameters.inputVolume
        self.panel.runner.start(self.strip, makeJob, self._finished)
        if self.panel.runner.running:
            self.strip.hint.text = volume.GetName()  # another one may be chosen during the run

    def _finished(self, job) -> str:
        self.estimate.learn(self.wanted, job)
        self.volume = views.volumeOf(job.result)
        self.panel.results.show(job.result)
        self.panel.firstUse.done()
        record = job.last.get("result", {}).get("record", {})
        kept = keptText(self.before, segmentNames(job.result))
        return " ".join(filter(None, [tookText(job.seconds, record.get("device", "")), kept]))


def segmentNames(segmentation) -> dict:
    """Names by segment ID."""
    if segmentation is None:
        return {}
    content = segmentation.GetSegmentation()
    return {key: content.GetSegment(key).GetName() for key in content.GetSegmentIDs()}


def keptText(before: dict, after: dict) -> str:
    """Which segments came beside edited ones, as in "liver (2)"; empty if there were none."""
    beside = [name for key, name in after.items() if key not in before
              and name.rpartition(" (")[0] in before.values()]
    if not beside:
        return ""
    if len(beside) == 1:
        return _("1 edited segment was kept; the new one is called {name}.").format(name=beside[0])
    return _("{count} edited segments were kept; the new ones are called {names}.").format(
        count=len(beside), names=", ".join(beside))
