"""The tab Adapt: a model learns from the corrections of its user."""

import json
import os
import shutil
import time
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from metaunetr.bundle import user_folder
from metaunetr_training.adapt.files import FEWEST, state_folder
from MetaUNETRSegmentLib import ownmodels

from . import labels, models
from .adaptcases import CaseList
from .adaptmodels import AdaptedModels
from .progress import Progress, duration
from .run import Runner, Strip

UNFINISHED = "MetaUNETRSegment/Adapt"  # setting: what goes on after Slicer was closed
WAIT_MS = 600  # after the last tick, before the run is estimated


class AdaptProgress(Progress):
    """The events of `metaunetr-training adapt`, which say how much of the time is over."""

    def take(self, event: dict) -> bool:
        if event["event"] == "stage":
            self.stage = event["line"].rstrip(".")
        elif event["event"] == "progress":
            self.share = max(self.share, event["progress"])
            self.left = (time.monotonic(), event["remaining_s"])
        return event["event"] in ("stage", "progress")

    def advance(self) -> None:
        """Events come often enough."""

    def text(self) -> str:
        if self.left is None:
            return self.stage
        measured, seconds = self.left
        left = round(max(1.0, seconds - (time.monotonic() - measured)))
        return _("{stage}, {duration} left at most").format(
            stage=self.stage, duration=duration(left))


class AdaptPanel:
    """Runs `metaunetr-training adapt`, beside the other runs of the panel.

    Attributes:
        check: the job that estimates a run or searches the batch.
        checks: what estimates have found, (reason, hint) by the arguments of the run.
    """

    def __init__(self, panel) -> None:
        self.panel, self.ui = panel, panel.ui
        ui = self.ui
        self.strip = Strip(ui, "adapt", AdaptProgress)
        self.runner = Runner(panel.log, panel.refresh)
        self.cases = CaseList(panel, panel.refresh, self.say)
        self.models = AdaptedModels(panel, self.say, self.fail)
        self.check, self.checks = None, {}
        self.delay = qt.QTimer()
        self.delay.interval = WAIT_MS
        self.delay.timeout.connect(self._check)
        ui.adaptBatchButton.clicked.connect(self.searchBatch)
        ui.adaptButton.clicked.connect(self._clicked)
        ui.adaptGoOnButton.clicked.connect(self.goOn)
        ui.adaptDiscardButton.clicked.connect(self.discard)
        ui.tabs.currentChanged.connect(lambda index: self.enter())

    @property
    def current(self) -> bool:
        return self.ui.tabs.currentWidget() is self.ui.adaptTab

    def enter(self) -> None:
        """The tab is shown: segmentations may have been edited since."""
        if self.current and self.panel.parameters is not None:
            self.models.update()
            self.update()

    def update(self) -> None:
        """Lists the cases again."""
        self.checks.clear()  # files and free space may be others
        if self.current:
            self.cases.update()

    def refresh(self) -> None:
        """Enables what is possible; estimates the run when the ticks have changed."""
        unfinished = not self.runner.running and self.unfinished()
        self.ui.tabs.setTabText(self.ui.tabs.indexOf(self.ui.adaptTab),
                                _("Adapt (unfinished)") if unfinished else _("Adapt"))
        if not self.current:
            return
        if not self.runner.running:
            arguments, reason = self.arguments(), self.reason()
            hint = ""
            if not reason and tuple(arguments) in self.checks:
                reason, hint = self.checks[tuple(arguments)]
            elif not reason and not self.panel.install.needed and self.check is None:
                self.delay.start()
            self.strip.allow(reason)
            if not reason:
                self.strip.hint.text = hint
        self._showUnfinished()
        self.cases.allow()
        self._allowBatch()

    def _allowBatch(self) -> None:
        parameters = self.panel.parameters
        reason = ""
        if self.runner.running:
            reason = _("Wait until the run is done.")
        elif not (parameters.batchInput and os.path.isdir(parameters.batchOutput)):
            reason = _("Choose the folders of the CTs and of the results in the tab Batch.")
        self.panel.allow(self.ui.adaptBatchButton, reason)

    def reason(self) -> str:
        """Why no run can begin yet; the command itself knows more reasons."""
        if not self.cases.rows:
            return _("Correct organs in Segment Editor, in at least {count} CTs.").format(
                count=FEWEST)
        if len(self.cases.paths()) < FEWEST:
            return _("Tick at least {count} cases: some are held out to measure the gain."
                     ).format(count=FEWEST)
        if models.find(self.panel.parameters.model) is None:
            return _("Choose a model under Segment.")
        if (state := self.unfinished()) and state["folder"] != self._stateFolder(
                self.arguments()):
            return _("Go on with the unfinished model above, or discard it.")
        return ""

    def arguments(self) -> list:
        """The choices as arguments of `metaunetr-training adapt`."""
        images = ["--images", self.panel.parameters.batchInput] * self.cases.ofBatch()
        return [*self.cases.paths(), *images, *self._options()]

    def _options(self) -> list:
        parameters = self.panel.parameters
        return ["-o", ownmodels.freeName(parameters.model), "--from", parameters.model,
                "--max-minutes", str(parameters.adaptMinutes), "--device", parameters.device]

    def _start(self, arguments: list, take) -> None:
        """Runs the command without the panel's run, in place of an earlier one."""
        if self.check is not None:
            self.check.cancel()
        try:
            self.check = self.panel.logic.adapt(arguments, wait=False, progress=take)
        except RuntimeError as error:
            self.say(str(error))

    def _check(self) -> None:
        """Estimates the run; its refusal becomes the reason why it cannot begin."""
        self.delay.stop()
        if self.panel.parameters is None or self.runner.running or self.reason():
            return
        arguments = self.arguments()

        def take(event):
            if event["event"] == "estimate":
                self.checks[tuple(arguments)] = "", estimateText(event)
            elif event["event"] == "failed":
                self.checks[tuple(arguments)] = event["text"], ""
            if event["event"] in ("finished", "failed", "cancelled"):
                self.check = None
                if event["event"] != "cancelled":
                    self.panel.refresh()

        self.strip.hint.text = _("estimating …")
        self._start([*arguments, "--dry-run"], take)

    def _clicked(self) -> None:
        if self.runner.running:
            self.runner.cancel(_("Cancelled. Press Go on to continue, or Discard."))
        else:
            self.run(self.arguments())

    def goOn(self) -> None:
        """Continues the unfinished run; after one that was not better, keeps its model."""
        state = self.unfinished()
        self.run([*state["arguments"], *["--keep-anyway"] * bool(state.get("reason"))])

    def run(self, arguments: list) -> None:
        if not self.panel.install.ensure(self.strip.fail):
            return
        if self.check is not None:
            self.check.cancel()
        self._keep(arguments)

        def makeJob(progress):
            return self.panel.logic.adapt(arguments, wait=False, progress=progress)

        self.runner.start(self.strip, makeJob, self._finished)

    def _finished(self, job) -> str:
        result = job.result
        if not result["written"]:
            self._keep(self.unfinished().get("arguments", []), result["reason"])
            self.models.showGain(ownmodels.gains({"adapted": result}))
            return _("No model was written: {reason}.").format(reason=result["reason"])
        name = os.path.basename(result["output"])
        if self.panel.parameters is not None:
            self.panel.input.enter()
        self.models.update(name)
        mean = result["mean"]["dice"]
        return _("The new model is {name}: mean Dice of the corrected organs {before} → {after} "
                 "in held-out CTs.").format(name=name, before=f"{mean[0]:.2f}",
                                            after=f"{mean[1]:.2f}")

    # Unfinished runs

    def unfinished(self) -> dict:
        """The run that can go on: {"arguments", "reason"}; {} without one."""
        try:
            state = json.loads(slicer.app.userSettings().value(UNFINISHED, "") or "{}")
            state["folder"] = self._stateFolder(state["arguments"])
        except (ValueError, KeyError, TypeError, IndexError):
            return {}
        return state if state["folder"].is_dir() else {}

    def _stateFolder(self, arguments: list) -> Path:
        """Where the run with these arguments keeps its state."""
        return state_folder(user_folder() / arguments[arguments.index("-o") + 1])

    def _keep(self, arguments: list, reason: str = "") -> None:
        slicer.app.userSettings().setValue(
            UNFINISHED, json.dumps({"arguments": arguments, "reason": reason}))

    def _showUnfinished(self) -> None:
        state = {} if self.runner.running else self.unfinished()
        self.ui.adaptUnfinishedFrame.visible = bool(state)
        if not state:
            return
        reason, name = state.get("reason"), state["folder"].name.removesuffix(".adapting")
        text = (_("{name} is not better: {reason}. What was trained is kept in {folder}.")
                if reason else _("{name} is unfinished. What was done is kept in {folder}."))
        labels.show(self.ui.adaptUnfinishedLabel,
                    text.format(name=name, reason=reason, folder=state["folder"]))
        self.ui.adaptGoOnButton.text = _("Keep the model anyway") if reason else _("Go on")

    def discard(self) -> None:
        """Deletes what an unfinished run has kept."""
        shutil.rmtree(self.unfinished()["folder"], ignore_errors=True)
        self.strip.clear()
        self.models.showGain([])
        self.panel.refresh()

    def searchBatch(self) -> None:
        """Adds the results of the tab Batch that were edited since."""
        found = []

        def take(event):
            if event["event"] == "cases":
                found.extend(event["cases"])
            elif event["event"] == "warning":
                self.strip.warn(event["text"])
            elif event["event"] in ("finished", "failed", "cancelled"):
                self.check = None
                self.strip.end(_("{count} edited results were found.").format(count=len(found))
                               if found else event.get("text", ""))
                self.cases.showBatch(found)

        parameters = self.panel.parameters
        if self.panel.install.ensure(self.strip.fail):
            self.delay.stop()
            self.say(_("Searching for results that were edited …"))
            self._start([parameters.batchOutput, "--images", parameters.batchInput,
                         *self._options(), "--dry-run"], take)

    def say(self, sentence: str) -> None:
        """Shows a sentence in place of what was said before, unless a run is going on."""
        if not self.runner.running:
            self.strip.clear()
            self.strip.end(sentence)

    def fail(self, sentence: str) -> None:
        """Shows what went wrong; below the progress while a run is going on."""
        (self.strip.warn if self.runner.running else self.strip.fail)(sentence)

    def close(self) -> None:
        """Ends all processes; the run can go on later."""
        self.delay.stop()
        self.runner.cancel()
        if self.check is not None:
            self.check.cancel()


def estimateText(event: dict) -> str:
    """What the run takes, in words."""
    return _("At most {minutes} min for {count} trainings, {memory} GB of memory, {disk} GB of "
             "disk.").format(minutes=f"{event['seconds'] / 60:g}", count=event["trainings"],
                             memory=f"{event['memory_mb'] / 1000:.1f}",
                             disk=f"{max(event['disk_mb'], 100) / 1000:.1f}")
