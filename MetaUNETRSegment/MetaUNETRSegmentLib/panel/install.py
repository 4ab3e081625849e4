"""What must be installed before the first run."""

from slicer.i18n import tr as _


class InstallPanel:
    """Hidden once everything is there; looks at this computer only, never at the network."""

    def __init__(self, panel) -> None:
        self.panel, ui = panel, panel.ui

    def refresh(self) -> None:
        self.panel.ui.installFrame.visible = bool(self.missing())

    def missing(self) -> list:
        return []

    def ensure(self, strip) -> bool:
        return True
