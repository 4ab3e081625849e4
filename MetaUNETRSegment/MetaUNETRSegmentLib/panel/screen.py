"""One patient on the screen: the volume of the panel is the one of the views, with its result."""

import slicer
import vtk

from MetaUNETRSegmentLib import views


class Screen:
    """Follows the slice views while the module is open, and makes them follow the panel.

    A volume that is chosen in the panel is shown; one that comes into a slice view is chosen. A
    result is shown with its own volume, and the module's other segmentations are hidden. The result
    of a run that ends while another module is open is shown when the module is opened again.
    """

    def __init__(self, panel) -> None:
        self.panel = panel
        self.volume = self.result = None  # what the panel has made the views show
        self.arrived = None  # a result that has not been shown yet
        self.observed = []  # (object, tag)
        self.backgrounds = {}  # of the slice views, by the ID of their composite nodes

    def enter(self) -> None:
        """The volume that the views show is the panel's, unless a run has ended meanwhile."""
        self.close()
        scene = slicer.mrmlScene
        self.observed = [(scene, scene.AddObserver(scene.NodeAddedEvent, self._added))]
        for composite in views.composites():
            self._observe(composite)
        parameters, arrived, self.arrived = self.panel.parameters, self.arrived, None
        self.volume, self.result = None, parameters.result
        if arrived is not None and arrived is parameters.result:
            self.result = None  # `refresh` shows it
            self.jumpTo(arrived)
            return
        if parameters.inputVolume is None or not views.isShown(parameters.inputVolume):
            shown = views.shownVolume()
            if shown is None and parameters.inputVolume is None:
                shown = views.firstVolume()
            if shown is not None:
                parameters.inputVolume = shown

    def close(self) -> None:
        """The views are on their own: another module is open, or there is no scene."""
        for node, tag in self.observed:
            node.RemoveObserver(tag)
        self.observed, self.backgrounds = [], {}

    def jumpTo(self, result) -> None:
        """Moves the slices to a new result, with the window of the abdomen.

        If another module is open, this is done when this one is opened again.
        """
        volume = views.volumeOf(result)
        if not self.observed:
            self.arrived, display = result, result.GetDisplayNode()
            if display and volume and not views.isShown(volume):
                display.SetVisibility(False)
            return
        if volume:
            views.windowSoftTissue(volume)
        views.jumpTo(result)

    def refresh(self) -> None:
        """Shows what has been chosen since."""
        parameters = self.panel.parameters
        if not self.observed:
            return
        if parameters.result is not self.result:
            own = parameters.result and views.volumeOf(parameters.result)
            if own is not None:
                parameters.inputVolume = own
        elif parameters.inputVolume is not self.volume:
            self._choose(parameters.inputVolume)
        else:
            return
        sameVolume = parameters.inputVolume is self.volume
        self.volume, self.result = parameters.inputVolume, parameters.result
        if self.volume is not None:
            views.showVolume(self.volume)
        views.showOnly(*filter(None, [self.result]))
        if self.result is not None and not sameVolume and views.hasSurfaces(self.result):
            views.turnCameras()

    def _choose(self, volume) -> None:
        """The result of another volume makes place for the newest one of this volume."""
        parameters, result = self.panel.parameters, self.panel.parameters.result
        if volume is None:
            return
        if result is not None:
            own = views.volumeOf(result)
            if own is volume or (own is None and views.mayBelongTo(result, volume)):
                return
        parameters.result = views.resultOf(volume)
        if parameters.result is not None:
            parameters.correctSegmentation = parameters.compareFirst = parameters.result

    def _observe(self, composite) -> None:
        self.backgrounds[composite.GetID()] = composite.GetBackgroundVolumeID()
        tag = composite.AddObserver(vtk.vtkCommand.ModifiedEvent, self._viewChanged)
        self.observed.append((composite, tag))

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _added(self, caller, event, node) -> None:
        if node.IsA("vtkMRMLSliceCompositeNode"):
            self._observe(node)

    def _viewChanged(self, composite, event) -> None:
        """A slice view may show another volume."""
        volumeId, key = composite.GetBackgroundVolumeID(), composite.GetID()
        if self.panel.parameters is None or volumeId == self.backgrounds.get(key):
            return
        self.backgrounds[key] = volumeId
        volume = slicer.mrmlScene.GetNodeByID(volumeId) if volumeId else None
        if views.isCandidate(volume):
            self.panel.parameters.inputVolume = volume
