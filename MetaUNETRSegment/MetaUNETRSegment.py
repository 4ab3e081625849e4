"""MetaUNETR Segment: a CT volume becomes a segmentation of the abdominal organs in one click."""

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

#
# MetaUNETRSegment
#


class MetaUNETRSegment(ScriptedLoadableModule):
    """What Slicer shows of the module in its menus and in Help."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("MetaUNETR Segment")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        self.parent.dependencies = ["Segmentations", "Terminologies", "Volumes"]
        self.parent.contributors = ["MetaUNETR developers"]
        self.parent.helpText = _("""
Segments the abdominal organs of a CT: choose the volume, press <b>Segment</b>. The model is bundled
and runs on this computer, on a GPU or without one; nothing is uploaded.
<a href="https://github.com/lyupengju/MetaUNETR/blob/main/docs/slicer.md">Tutorial and help</a>.<br>
<b>Research use only. Not for diagnosis or treatment.</b>
""")
        self.parent.acknowledgementText = _("""
Lyu, Zhang, Zhang, Liu, Wang, Zhu: MetaUNETR: Rethinking Token Mixer Encoding for Efficient
Multi-Organ Segmentation. MICCAI 2024. Please cite this paper if you use the module in your work.
""")
        slicer.app.connect("startupCompleted()", registerResources)


def registerResources():
    """What other modules of Slicer shall know: our terms, the sample data, the editor's effect."""
    from MetaUNETRSegmentLib import sampledata, terminology

    terminology.register()
    sampledata.register()
    try:
        from MetaUNETRSegmentLib import organhere
    except ImportError:  # a package is missing: the panel says which
        return
    organhere.register()


#
# MetaUNETRSegmentWidget
#


class MetaUNETRSegmentWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel; its parts are in MetaUNETRSegmentLib/panel."""

    def __init__(self, parent=None):
        self.panel = self._parameters = self._guiTag = None
        VTKObservationMixin.__init__(self)
        ScriptedLoadableModuleWidget.__init__(self, parent)

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/MetaUNETRSegment.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = MetaUNETRSegmentLogic()
        try:
            from MetaUNETRSegmentLib.panel import Panel
        except ImportError:
            self._installFirst()
            return
        self.panel = Panel(self.ui, self.logic)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.StartImportEvent, self.onSceneStartImport)
        for event in (scene.EndCloseEvent, scene.EndImportEvent, scene.EndBatchProcessEvent):
            self.addObserver(scene, event, self.onSceneComplete, priority=-1.0)  # selectors first
        self.enter()

    def _installFirst(self):
        """Shows what is missing, and nothing else, in a Slicer built without SimpleITK or pydicom.

        Raises:
            ImportError: nothing is missing: the installation of the extension is incomplete.
        """
        import qt

        from MetaUNETRSegmentLib.install import InstallPanel

        self.install = InstallPanel(self.ui, print, lambda: qt.QTimer.singleShot(0, self.onReload))
        self.install.enter()
        if not self.install.needed:
            raise
        for widget in (self.ui.firstUseLabel, self.ui.tabs, self.ui.logCollapsible):
            widget.visible = False

    def enter(self):
        """The user opens the module: nodes may have come and changed."""
        if self.panel is None:
            return
        self._setParameters(self.logic.getParameterNode())

    def exit(self):
        """Another module is opened; a run goes on."""
        if self.panel:
            self.panel.leave()

    def cleanup(self):
        if self.panel:  # setup has been
            self.panel.close()
            self._setParameters(None)
        self.removeObservers()

    def onReload(self):
        """Reads MetaUNETRSegmentLib anew, too."""
        import sys

        for name in [name for name in sys.modules if name.startswith("MetaUNETRSegmentLib")]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def onSceneStartClose(self, caller, event):
        self.panel.sceneClosing()
        self._setParameters(None)

    def onSceneStartImport(self, caller, event):
        """Selectors must not write into parameters whose nodes are still on their way."""
        self._setParameters(None)

    def onSceneComplete(self, caller, event):
        needed = self.parent.isEntered or self.panel.runner.running
        if needed and self._parameters is None and not caller.IsBatchProcessing():
            self._setParameters(self.logic.getParameterNode(), self.parent.isEntered)

    def onParametersChanged(self, caller=None, event=None):
        self.panel.refresh()

    def _setParameters(self, parameters, isEntered=True):
        if self._parameters:
            self._parameters.disconnectGui(self._guiTag)
            self.removeObserver(self._parameters, vtk.vtkCommand.ModifiedEvent,
                                self.onParametersChanged)
        self._parameters = parameters
        if parameters:
            self._guiTag = parameters.connectGui(self.ui)
            self.addObserver(parameters, vtk.vtkCommand.ModifiedEvent, self.onParametersChanged)
        self.panel.setParameters(parameters, isEntered)


#
# MetaUNETRSegmentLogic
#


class MetaUNETRSegmentLogic(ScriptedLoadableModuleLogic):
    """Everything the panel does, for scripts; needs no window.

        logic = MetaUNETRSegmentLogic()
        segmentationNode = logic.segment(volumeNode)

    With `wait=False` methods return at once the running `Job` (MetaUNETRSegmentLib/job.py), which
    Slicer's event loop polls. `progress` is called with every event of the engine, and last
    {"event": "finished", "result"}, "failed" or "cancelled" with a "text". If it raises, the
    job is cancelled.
    """

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        self._timers = {}  # by job
        self.correction = None  # the last one

    def getParameterNode(self):
        from MetaUNETRSegmentLib.parameters import Parameters

        return Parameters(super().getParameterNode())

    def segment(
        self, volumeNode, segmentationNode=None, organs=None, model=None, device="auto", wait=True,
        progress=None, *, roiNode=None, **settings,
    ):
        """Segments the organs of a CT volume.

        The scene changes only when the run is complete. In an existing segmentation, segments
        that this module made and nobody touched since are replaced; all others stay as they are.

        Args:
            volumeNode: vtkMRMLScalarVolumeNode with HU.
            segmentationNode: where the segments go; None is a new node beside the volume.
            organs: names of those wanted, such as ["liver", "kidneys"]; None is all.
            model: name or folder of a model; None is the bundled one.
            device: "auto", "cpu", "cuda", "cuda:1" or "mps".
            roiNode: vtkMRMLMarkupsROINode; only voxels inside it are labelled.
            settings: overlap, precision, largestComponent, uncertainty, networkSeconds (see
                MetaUNETRSegmentLib/segmenting.py).

        Returns:
            The vtkMRMLSegmentationNode.

        Raises:
            SegmentationError: a sentence that says what is wrong and what to do.
        """
        from MetaUNETRSegmentLib.segmentation import writeSegmentation
        from MetaUNETRSegmentLib.segmenting import Settings, segmentationJob

        def write(labels):
            return writeSegmentation(labels.snapshot, labels.array, labels.organs, labels.record,
                                     segmentationNode, labels.offset)

        settings = Settings(organs and tuple(organs), model, device, **settings)
        needs = (segmentationNode,) if segmentationNode else ()
        job = segmentationJob(volumeNode, settings, write, roiNode, needs, progress)
        return self._run(job, wait)

    def correct(
        self, volumeNode, segmentationNode, organs, roiNode=None, model=None, device="auto",
        wait=True, progress=None, **settings,
    ):
        """Segments chosen organs anew and keeps everything else.

        Arguments, result and errors are those of `segment`. Afterwards, `correction` says what
        has changed, and `correction.undo()` brings it back (MetaUNETRSegmentLib/correction.py).
        """
        from MetaUNETRSegmentLib.correction import mergeInside
        from MetaUNETRSegmentLib.segmenting import Settings, findOrgans, segmentationJob

        def write(labels):
            self.correction = mergeInside(
                segmentationNode, labels.snapshot, labels.array, labels.offset, labels.inside,
                findOrgans(organs), labels.organs, labels.record)
            return segmentationNode

        settings = Settings(tuple(organs), model, device, **settings)
        needs = (segmentationNode, *filter(None, [roiNode]))
        job = segmentationJob(volumeNode, settings, write, roiNode, needs, progress)
        return self._run(job, wait)

    def segmentHere(
        self, volumeNode, segmentationNode, segmentId, centre, sizeMm, fill, wait=True,
        progress=None, **settings,
    ):
        """Finds the organ of one segment in a cube; see MetaUNETRSegmentLib/organhere.py."""
        from MetaUNETRSegmentLib.organhere import organHereJob

        job = organHereJob(volumeNode, segmentationNode, segmentId, centre, sizeMm, fill, progress,
                           **settings)
        return self._run(job, wait)

    def estimate(self, volumeNode, model=None, device="auto", wait=True, progress=None, **settings):
        """What `segment` would need: {"seconds", "network_s", "memory_mb", "windows"}.

        `progress` is also called with {"event": "devices", "devices": [{"name", "label"}]}.
        """
        from MetaUNETRSegmentLib.segmenting import Settings, estimateJob

        settings = Settings(None, model, device, **settings)
        return self._run(estimateJob(volumeNode, settings, progress), wait)

    def compare(self, segmentationNode, referenceNode, wait=True, progress=None):
        """Dice, NSD at 2 mm and HD95 (mm) of every organ in both; a list of dictionaries."""
        from MetaUNETRSegmentLib.comparison import comparisonJob

        return self._run(comparisonJob(segmentationNode, referenceNode, progress), wait)

    def batch(self, arguments, wait=True, progress=None):
        """Segments many CTs; `arguments` are those of `metaunetr batch`, with absolute paths.

        Returns:
            How it went: {"done", "skipped", "failed", "line"}, numbers of cases and a sentence.
        """
        from metaunetr.cli.batch import CASES_FAILED
        from MetaUNETRSegmentLib.job import Job

        job = Job(["batch", *arguments, "--json-progress"],
                  finish=lambda job, folder: job.last["summary"], progress=progress,
                  successes=(0, CASES_FAILED))
        return self._run(job, wait)

    def remember(self, segmentationNode, model=None, wait=True, progress=None):
        """Copies a CT and its corrected organs for `adapt`: MetaUNETRSegmentLib/corrections.py.

        Returns:
            The copy, with its `folder`. It holds nothing that identifies the patient.
        """
        from MetaUNETRSegmentLib.corrections import rememberJob

        return self._run(rememberJob(segmentationNode, model, progress), wait)

    def adapt(self, arguments, wait=True, progress=None):
        """Trains a model on corrections; `arguments` are those of `metaunetr-training adapt`.

        Returns:
            The last event of the command: {"written", "output", "organs", "mean", "reason" …}.
        """
        from metaunetr_training.cli.adapt import NOT_BETTER
        from MetaUNETRSegmentLib.job import Job

        job = Job(["adapt", *arguments, "--json-progress"],
                  finish=lambda job, folder: job.last.get("result", {}), progress=progress,
                  successes=(0, NOT_BETTER))
        return self._run(job, wait)

    def cancelAll(self) -> None:
        """Ends every job that was started with `wait=False`."""
        for job in list(self._timers):
            job.cancel()

    def _run(self, job, wait):
        if wait:
            return job.wait()
        import qt

        timer = qt.QTimer()
        timer.interval = 50  # ms
        timer.timeout.connect(lambda: self._step(job))
        timer.start()
        self._timers[job] = timer
        return job

    def _step(self, job):
        running = False
        try:
            running = job.poll()
        finally:
            if not running and (timer := self._timers.pop(job, None)):
                timer.stop()


#
# MetaUNETRSegmentTest
#


class MetaUNETRSegmentTest(ScriptedLoadableModuleTest):
    """Segments the phantom, whose organs are known exactly."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        self.setUp()
        self.test_phantom()

    def test_phantom(self):
        """Every organ of the model is found in its place."""
        from MetaUNETRSegmentLib import sampledata

        self.delayDisplay("Making the phantom")
        volumeNode, truth = sampledata.makePhantom(spacing=(3.0, 3.0, 3.0))
        self.delayDisplay("Segmenting it")
        segmentationNode = MetaUNETRSegmentLogic().segment(volumeNode)
        for organ in ("liver", "spleen", "right_kidney", "left_kidney"):
            found = slicer.util.arrayFromSegmentBinaryLabelmap(
                segmentationNode, organ, volumeNode) > 0
            overlap = 2 * (found & truth[organ]).sum() / (found.sum() + truth[organ].sum())
            self.assertGreater(overlap, 0.7, f"Dice of the {organ}")
        self.delayDisplay("Test passed")
