"""The button Segment."""

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
            self.volume = parameters.inputVolume
            if self.volume is not None and self.panel.runner.strip is not self.strip:
                self.strip.clear()  # it was said of another volume
        if not self.panel.runner.running:
            possible = not reason and not self.panel.install.needed and not parameters.roi
            options = self.panel.input.options()
            self.estimate.want(None if reason else parameters.inputVolume, {
                name: options[name] for name in ("model", "device", "overlap", "precision")
            } if possible else None)
        self.panel.allowRun(self.strip, reason)

    def close(self) -> None:
        self.estimate.stop()

    def _clicked(self) -> None:
        self.panel.press(self.strip, self.run)

    def run(self) -> None:
        parameters = self.panel.parameters
        self.estimate.stop()

        def makeJob(progress):
            return self.panel.logic.segment(
                parameters.inputVolume, parameters.outputSegmentation, wait=False,
                progress=progress, uncertainty=parameters.uncertainty, roiNode=parameters.roi,
                **self.panel.input.options())

        volume = parameters.inputVolume
        self.panel.runner.start(self.strip, makeJob, self._finished)
        if self.panel.runner.running:
            self.strip.hint.text = volume.GetName()  # another one may be chosen during the run

    def _finished(self, job) -> str:
        self.volume = views.volumeOf(job.result)
        self.panel.results.show(job.result)
        record = job.last.get("result", {}).get("record", {})
        return tookText(job.seconds, record.get("device", ""))
