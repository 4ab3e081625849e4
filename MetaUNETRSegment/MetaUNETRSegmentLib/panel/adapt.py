"""The tab Adapt: a model learns from the corrections of its user."""

import json
import os
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

import qt
import slicer
import slicer.util
from slicer.i18n import tr as _

from metaunetr.bundle import user_folder
from metaunetr.errors import MetaUNETRError
from metaunetr_training.adapt.files import state_folder
from MetaUNETRSegmentLib import corrections, ownmodels

from . import models
from .progress import Progress, duration
from .remember import forget, sizeText
from .run import Runner, Strip
from .tables import fit, header, number

CASE, ORGANS, WHERE = range(3)
FEWEST = 3  # cases; fewer are refused by the command
UNFINISHED = "MetaUNETRSegment/Adapt"  # setting: what goes on after Slicer was closed
WAIT_MS = 600  # after the last tick, before the run is estimated
PICTURE = (120, 56)  # pixels


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


@dataclass
class Row:
    """A candidate.

    Attributes:
        path: the argument of `adapt`; "" for a segmentation of the scene that is not remembered.
        picture: a file, or the bytes of one; None without any.
    """

    name: str
    organs: tuple
    where: str
    path: str = ""
    picture: object = None
    node: object = None
    correction: object = None
    tip: str = ""
    ticked: bool = field(default=True, compare=False)


class AdaptPanel:
    def __init__(self, panel) -> None:
        self.panel, ui = panel, panel.ui
        self.ui = ui
        self.strip = Strip(ui, "adapt", AdaptProgress)
        self.runner = Runner(panel.log, panel.refresh)  # other runs can go on meanwhile
        self.rows, self.batch, self.unticked = [], [], set()
        self.filling = False
        self.checks, self.check = {}, None  # (reason, hint) by arguments
        self.delay = qt.QTimer()
        self.delay.interval = WAIT_MS
        self.delay.timeout.connect(self._check)
        header(ui.adaptTable, (
            (_("Case"), _("Tick the cases to learn from. One of the scene is remembered when you "
                          "tick it.")),
            (_("Corrected organs"), _("What is not corrected stays as the model knows it.")),
            (_("Where"), _("Where the case is, and its size.")),
        ), widest=ORGANS)
        ui.adaptTable.iconSize = qt.QSize(*PICTURE)
        ui.adaptTable.itemChanged.connect(self._ticked)
        ui.adaptTable.currentCellChanged.connect(lambda *cells: self._allow())
        header(ui.gainTable, (
            (_("Organ"), ""), (_("n"), _("Number of held-out CTs.")),
            (_("Dice"), _("Before → after.")), (_("NSD"), _("At 2 mm, before → after.")),
        ))
        ui.adaptBatchButton.clicked.connect(self.searchBatch)
        ui.adaptForgetButton.clicked.connect(self._forget)
        ui.adaptButton.clicked.connect(self._clicked)
        ui.adaptGoOnButton.clicked.connect(self.goOn)
        ui.adaptDiscardButton.clicked.connect(self.discard)
        ui.adaptModelCombo.currentIndexChanged.connect(lambda *index: self._showModel())
        ui.adaptUseButton.clicked.connect(self.use)
        ui.adaptRenameButton.clicked.connect(self._rename)
        ui.adaptExportButton.clicked.connect(self._export)
        ui.adaptDeleteButton.clicked.connect(self._delete)
        ui.tabs.currentChanged.connect(lambda index: self.enter())

    # Candidates

    @property
    def current(self) -> bool:
        return self.ui.tabs.currentWidget() is self.ui.adaptTab

    def enter(self) -> None:
        """The tab is shown: segmentations may have been edited since."""
        if self.current and self.panel.parameters is not None:
            self.update()
            self.showModels()
            self.panel.refresh()

    def update(self) -> None:
        """Lists the candidates again."""
        if not self.current:
            return
        known = corrections.remembered()
        self.rows = [*map(self._ofScene, filter(_isNew, corrections.inScene())),
                     *map(self._ofRemembered, known), *self.batch]
        for row in self.rows:
            row.ticked = bool(row.path) and row.path not in self.unticked
        self._fill()
        self.ui.adaptFolderLabel.text = _(
            "{count} remembered, {size}, in {folder}").format(
                count=len(known), size=sizeText(sum(item.size for item in known)),
                folder=corrections.folder()) if known else ""
        self.panel.refresh()

    def _ofScene(self, node) -> Row:
        organs = tuple(organ.name for organ in corrections.correctedSegments(node))
        return Row(node.GetName(), organs, _("in the scene"), node=node,
                   picture=corrections.picture(node),
                   tip=_("Tick it to remember it: CT and corrected organs are copied to {folder}."
                         ).format(folder=corrections.folder()))

    def _ofRemembered(self, item) -> Row:
        return Row(_("Remembered on {date}").format(date=item.date), item.organs,
                   sizeText(item.size), str(item.folder), item.picture, correction=item,
                   tip=_("Results of {model}; {folder}").format(
                       model=item.model or _("no model"), folder=item.folder))

    def _fill(self) -> None:
        table = self.ui.adaptTable
        self.filling = True
        table.rowCount = len(self.rows)
        for index, row in enumerate(self.rows):
            case = qt.QTableWidgetItem(row.name)
            case.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable | qt.Qt.ItemIsUserCheckable)
            case.setCheckState(qt.Qt.Checked if row.ticked else qt.Qt.Unchecked)
            case.setIcon(icon(row.picture))
            table.setItem(index, CASE, case)
            table.setItem(index, ORGANS, qt.QTableWidgetItem(", ".join(row.organs)))
            table.setItem(index, WHERE, qt.QTableWidgetItem(row.where))
            for column in range(table.columnCount):
                table.item(index, column).setToolTip(row.tip or row.path)
            table.setRowHeight(index, PICTURE[1] + 6)
        self.filling = False
        fit(table, 420)

    def _ticked(self, item) -> None:
        if self.filling or item.column() != CASE:
            return
        row, ticked = self.rows[item.row()], item.checkState() == qt.Qt.Checked
        if row.node is not None:
            if ticked and self.panel.install.ensure(self.strip):
                self.panel.results.remember.remember(row.node, self.say)
            self._fill()
            return
        row.ticked = ticked
        (self.unticked.discard if ticked else self.unticked.add)(row.path)
        self.panel.refresh()

    def _forget(self) -> None:
        forget(self.panel, self.rows[self.ui.adaptTable.currentRow()].correction)
        self.say(self.ui.resultsStatus.text)

    def searchBatch(self) -> None:
        """Lists the results of the tab Batch that were edited since."""
        found = []

        def take(event):
            if event["event"] == "cases":
                found.extend(event["cases"])
            elif event["event"] == "warning":
                self.strip.warn(event["text"])
            elif event["event"] in ("finished", "failed", "cancelled"):
                self.check = None
                self.batch = [self._ofBatch(case) for case in found]
                self.say(_("{count} edited results were found.").format(count=len(found))
                         if found else event.get("text", ""))
                self.update()

        parameters = self.panel.parameters
        if self.panel.install.ensure(self.strip):
            self.strip.clear()
            self.say(_("Searching for results that were edited …"))
            self._start([parameters.batchOutput, "--images", parameters.batchInput,
                         *self._options(), "--dry-run"], take)

    def _ofBatch(self, case: dict) -> Row:
        labels = case["labels"]
        return Row(os.path.basename(labels).removesuffix(".seg.nrrd"), tuple(case["organs"]),
                   _("batch"), labels, labels.removesuffix(".seg.nrrd") + ".png", tip=labels)

    # The run

    def refresh(self) -> None:
        """Enables what is possible; estimates the run when the ticks have changed."""
        if not self.current:
            return
        if not self.runner.running:
            arguments, reason = self.arguments(), self.reason()
            hint = ""
            if not reason and tuple(arguments) in self.checks:
                reason, hint = self.checks[tuple(arguments)]
            elif not reason and not self.panel.install.needed:
                self.delay.start()
            self.strip.allow(reason)
            if not reason:
                self.strip.hint.text = hint
        self._showUnfinished()
        self._allow()

    def _allow(self) -> None:
        parameters, allow, ui = self.panel.parameters, self.panel.allow, self.ui
        if parameters is None:
            return
        index = ui.adaptTable.currentRow()
        chosen = 0 <= index < len(self.rows) and self.rows[index].correction
        allow(ui.adaptForgetButton, "" if chosen else _("Select a remembered case in the list."))
        batch = parameters.batchOutput and os.path.isdir(parameters.batchOutput)
        allow(ui.adaptBatchButton, "" if batch and parameters.batchInput else
              _("Choose the folders of the CTs and of the results in the tab Batch."))

    def reason(self) -> str:
        """Why no run can begin yet; the command itself knows more reasons."""
        ticked = len(self._paths())
        if self.unfinished():
            return _("Go on with the unfinished model above, or discard it.")
        if not self.rows:
            return _("Correct organs in Segment Editor, in at least {count} CTs.").format(
                count=FEWEST)
        if ticked < FEWEST:
            return _("Tick at least {count} cases: some are held out to measure the gain."
                     ).format(count=FEWEST)
        if models.find(self.panel.parameters.model) is None:
            return _("Choose a model under Segment.")
        return ""

    def _paths(self) -> list:
        return [row.path for row in self.rows if row.ticked]

    def arguments(self) -> list:
        """The choices as arguments of `metaunetr-training adapt`."""
        paths, batch = self._paths(), {row.path for row in self.batch}
        images = ["--images", self.panel.parameters.batchInput] * bool(batch.intersection(paths))
        return [*paths, *images, *self._options()]

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
        if not self.panel.install.ensure(self.strip):
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
            self._showGain(ownmodels.gains({"adapted": result}))
            return _("No model was written: {reason}.").format(reason=result["reason"])
        name = os.path.basename(result["output"])
        if self.panel.parameters is not None:
            self.panel.input.enter()
        self.showModels(name)
        mean = result["mean"]["dice"]
        return _("The new model is {name}: mean Dice of the corrected organs {before} → {after} "
                 "in held-out CTs.").format(name=name, before=f"{mean[0]:.2f}",
                                            after=f"{mean[1]:.2f}")

    # Unfinished runs

    def unfinished(self) -> dict:
        """The run that can go on: {"arguments", "reason"}; {} without one."""
        try:
            state = json.loads(slicer.app.userSettings().value(UNFINISHED, "") or "{}")
            name = state["arguments"][state["arguments"].index("-o") + 1]
        except (ValueError, KeyError, TypeError, IndexError):
            return {}
        state["folder"] = state_folder(user_folder() / name)
        return state if state["folder"].is_dir() else {}

    def _keep(self, arguments: list, reason: str = "") -> None:
        slicer.app.userSettings().setValue(
            UNFINISHED, json.dumps({"arguments": arguments, "reason": reason}))

    def _showUnfinished(self) -> None:
        state = {} if self.runner.running else self.unfinished()
        self.ui.adaptUnfinishedFrame.visible = bool(state)
        if not state:
            return
        reason, name = state.get("reason"), state["folder"].name.removesuffix(".adapting")
        self.ui.adaptUnfinishedLabel.text = (
            _("{name} is not better: {reason}. What was trained is kept in {folder}.") if reason
            else _("{name} is unfinished. What was done is kept in {folder}.")
        ).format(name=name, reason=reason, folder=state["folder"])
        self.ui.adaptGoOnButton.text = _("Keep the model anyway") if reason else _("Go on")

    def discard(self) -> None:
        """Deletes what an unfinished run has kept."""
        shutil.rmtree(self.unfinished()["folder"], ignore_errors=True)
        self.strip.clear()
        self._showGain([])
        self.panel.refresh()

    # Models

    def showModels(self, name: str = "") -> None:
        """Lists the adapted models and shows one."""
        combo, names = self.ui.adaptModelCombo, ownmodels.adapted()
        name = name or combo.currentText
        combo.clear()
        for each in names:
            combo.addItem(each)
        if name in names:
            combo.currentIndex = names.index(name)
        self.ui.adaptModels.visible = bool(names)
        self._showModel()

    def _showModel(self) -> None:
        name = self.ui.adaptModelCombo.currentText
        model = models.find(name) if name else None
        self.ui.adaptModelCombo.toolTip = models.describe(model) if model else ""
        self._showGain(ownmodels.gains(model.card) if model else [])

    def _showGain(self, gains: list) -> None:
        table = self.ui.gainTable
        table.rowCount = len(gains)
        for index, gain in enumerate(gains):
            table.setItem(index, 0, qt.QTableWidgetItem(gain.organ or _("mean of organs")))
            table.setItem(index, 1, number(gain.n, "{}"))
            for column, (before, after) in ((2, gain.dice), (3, gain.nsd)):
                cell = number(0, f"{before:.3f} → {after:.3f}")
                if abs(after - before) >= 0.0005:
                    cell.setForeground(qt.QBrush(qt.QColor(
                        "#2e9e4f" if after > before else "#cd3232")))
                table.setItem(index, column, cell)
        fit(table)

    def use(self) -> None:
        """Chooses the model for segmentation."""
        self.panel.input.enter()
        self.panel.parameters.model = self.ui.adaptModelCombo.currentText
        self.ui.tabs.currentIndex = 0

    def _rename(self) -> None:
        old = self.ui.adaptModelCombo.currentText
        new = qt.QInputDialog.getText(slicer.util.mainWindow(), _("Rename model"),
                                      _("New name:"), qt.QLineEdit.Normal, old)
        new = new[0] if isinstance(new, tuple) else new  # PySide; PythonQt
        if new and new != old:
            self.rename(new)

    def rename(self, new: str) -> None:
        old, parameters = self.ui.adaptModelCombo.currentText, self.panel.parameters
        if self._do(lambda: ownmodels.rename(old, new)):
            if parameters.model == old:
                parameters.model = new
            self._modelsChanged(new)

    def _export(self) -> None:
        folder = qt.QFileDialog.getExistingDirectory(
            slicer.util.mainWindow(), _("Folder for the model"))
        if folder:
            self.export(folder)

    def export(self, folder: str) -> None:
        name = self.ui.adaptModelCombo.currentText
        if self._do(lambda: ownmodels.export(name, Path(folder))):
            self.say(_("The model is in {path}. Somebody who puts this folder into {models} can "
                       "choose it.").format(path=Path(folder) / name, models=user_folder()))

    def _delete(self) -> None:
        name = self.ui.adaptModelCombo.currentText
        if slicer.util.confirmOkCancelDisplay(
                _("Delete the model {name}?").format(name=name), _("MetaUNETR")):
            self.delete()

    def delete(self) -> None:
        name, parameters = self.ui.adaptModelCombo.currentText, self.panel.parameters
        if self._do(lambda: ownmodels.delete(name)):
            if parameters.model == name:
                parameters.model = ""
            self._modelsChanged()

    def _modelsChanged(self, name: str = "") -> None:
        self.panel.input.enter()
        self.showModels(name)
        self.panel.refresh()

    def _do(self, action) -> bool:
        """Whether it succeeded; else the strip says why not."""
        try:
            action()
        except (OSError, ValueError, MetaUNETRError) as error:
            self.strip.fail(str(error))
            return False
        self.strip.clear()
        return True

    def say(self, sentence: str) -> None:
        if not self.runner.running:
            self.strip.end(sentence)

    def close(self) -> None:
        """Ends all processes; the run can go on later."""
        self.delay.stop()
        self.runner.cancel()
        if self.check is not None:
            self.check.cancel()


def _isNew(node) -> bool:
    return not corrections.isRemembered(node)


def icon(picture):
    """From a file or the bytes of one; an empty icon without a picture."""
    pixmap = qt.QPixmap()
    if isinstance(picture, bytes):
        pixmap.loadFromData(qt.QByteArray(picture))
    elif picture is not None:
        pixmap.load(str(picture))
    return qt.QIcon(pixmap)


def estimateText(event: dict) -> str:
    """What the run takes, in words."""
    return _("At most {minutes} min for {count} trainings, {memory} GB of memory, {disk} GB of "
             "disk.").format(minutes=f"{event['seconds'] / 60:g}", count=event["trainings"],
                             memory=f"{event['memory_mb'] / 1000:.1f}",
                             disk=f"{max(event['disk_mb'], 100) / 1000:.1f}")
