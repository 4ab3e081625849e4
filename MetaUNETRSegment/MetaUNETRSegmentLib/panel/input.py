"""Input, model, result and options of a segmentation."""

from slicer.i18n import tr as _

from MetaUNETRSegmentLib.parameters import optionsOf

from . import models
from .choices import Choice, Item, OrganList


class InputPanel:
    """Volume, model, result, device, organs, and the advanced choices."""

    def __init__(self, panel) -> None:
        self.panel, ui = panel, panel.ui
        self.model = Choice(ui.modelCombo, panel.current, "model")
        self.device = Choice(ui.deviceCombo, panel.current, "device")
        self.precision = Choice(ui.precisionCombo, panel.current, "precision")
        self.device.offer(deviceItems([]))
        self.precision.offer(precisionItems())
        self.organs = OrganList(ui.organList, ui.allOrgansButton, ui.noOrgansButton, self._chose)

    def enter(self) -> None:
        """Searches for models again, and preselects one."""
        parameters, items = self.panel.parameters, models.modelItems()
        if not parameters.model:
            usable = [item.value for item in items if not item.reason]
            default = models.bundle.DEFAULT_MODEL
            parameters.model = default if default in usable else (*usable, default)[0]
        self.model.offer(items)

    def refresh(self) -> None:
        parameters, ui = self.panel.parameters, self.panel.ui
        for choice in (self.model, self.device, self.precision):
            choice.refresh()
        model = models.find(parameters.model)
        names = [organ.name for organ in model.classes] if model else []
        self.organs.offer(names, parameters.terminologyColours)
        chosen = [name for name in names if name not in parameters.skippedOrgans]
        self.organs.tick(chosen)
        ui.organsCollapsible.text = organsText(len(chosen), len(names))
        own = f"{model.overlap:g}" if model else "?"
        ui.overlapSpin.specialValueText = _("As the model ({overlap})").format(overlap=own)

    def offerDevices(self, devices: list) -> None:
        """Devices as the engine names them: [{"name", "label"}]."""
        self.device.offer(deviceItems(devices))

    def reason(self) -> str:
        """The reason why nothing can be segmented yet; empty if it can."""
        parameters = self.panel.parameters
        if parameters.inputVolume is None:
            return _("Choose a volume first.")
        if not self.organs.names:
            return self._modelReason()
        if not self.organs.ticked():
            return _("Tick at least one organ.")
        from MetaUNETRSegmentLib.exchange import snapshot

        try:
            snapshot(parameters.inputVolume)
        except ValueError as error:
            return str(error)
        return ""

    def _modelReason(self) -> str:
        for item in self.model.items:
            if item.value == self.panel.parameters.model and item.reason:
                return item.reason
        return _("Choose a model first: none called “{name}” was found.").format(
            name=self.panel.parameters.model)

    def options(self) -> dict:
        """The choices as arguments of the logic's `segment`."""
        organs = self.organs.ticked()
        return {"organs": None if organs == self.organs.names else organs,
                **optionsOf(self.panel.parameters)}

    def _chose(self, names: list) -> None:
        # organs of other models stay as they were
        parameters = self.panel.parameters
        others = [name for name in parameters.skippedOrgans if name not in self.organs.names]
        parameters.skippedOrgans = others + [n for n in self.organs.names if n not in names]


def organsText(chosen: int, total: int) -> str:
    if chosen == total:
        return _("Organs: all {total}").format(total=total)
    return _("Organs: {chosen} of {total}").format(chosen=chosen, total=total)


def deviceItems(devices: list) -> list:
    items = [
        Item("auto", _("Automatic"), _("The GPU where it works, else the CPU. When memory runs "
                                       "out, the run goes on more slowly instead of failing.")),
        Item("cpu", _("CPU"), _("Works on every computer.")),
    ]
    return items + [Item(device["name"], device["label"]) for device in devices
                    if device["name"] not in ("auto", "cpu")]


def precisionItems() -> list:
    return [
        Item("auto", _("Automatic"), _("What is fast and accurate on the device.")),
        Item("float32", _("32 bit"), _("Exact, and slower on a GPU.")),
        Item("bfloat16", _("16 bit (bfloat16)"), _("Fast on new GPUs and CPUs.")),
        Item("float16", _("16 bit (float16)"), _("Fast on most GPUs.")),
    ]
