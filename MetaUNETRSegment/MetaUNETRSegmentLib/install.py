"""Installation of missing packages before the first run."""

import qt
import slicer
from slicer.i18n import tr as _

from MetaUNETRSegmentLib import dependencies

POLL_MS = 200


class InstallPanel:
    """Hidden once everything is installed; the check never uses the network.

    Args:
        ui: the widgets of the .ui file, by their names.
        log: called with the output of the installation.
        done: called when something was installed and nothing is missing any more.
    """

    def __init__(self, ui, log, done) -> None:
        self.ui, self.log, self.done = ui, log, done
        self.needed, self.installation = [], None
        self.timer = qt.QTimer()
        self.timer.interval = POLL_MS
        self.timer.timeout.connect(self._poll)
        self.ui.installButton.clicked.connect(self._install)
        self.ui.installFolderButton.clicked.connect(self._chooseFolder)
        self.ui.installCommandButton.clicked.connect(self._copyCommand)

    def enter(self) -> None:
        """Checks again: another module may have installed something."""
        self.needed = dependencies.missing()
        self._say(_("Before the first run, this must be installed: {names}. You will be asked "
                    "first, with the sizes.").format(names=", ".join(map(str, self.needed))))
        self.ui.installFrame.visible = bool(self.needed)

    def ensure(self, fail) -> bool:
        """Whether a run can begin; asks once and installs missing packages.

        Args:
            fail: called with a sentence if it cannot begin.
        """
        if self.installation is not None:
            fail(_("An installation is under way; wait until it is done."))
            return False
        try:
            dependencies.ensure()
        except dependencies.DependencyError as error:
            self.enter()
            self.log(error.log)
            fail(str(error))
            return False
        self.enter()
        return True

    def _install(self) -> None:
        if self.ensure(self._say):
            self.done()

    def _chooseFolder(self) -> None:
        folder = qt.QFileDialog.getExistingDirectory(
            slicer.util.mainWindow(), _("Folder of wheels"))
        if folder:
            self.installFrom(folder)

    def installFrom(self, folder: str) -> None:
        """Installs from a folder of wheels, in a process that the panel follows."""
        try:
            self.installation = dependencies.installFromFolder(folder, self._line)
        except (dependencies.DependencyError, OSError) as error:
            self._say(str(error))
            return
        self._allow(False)
        self.timer.start()

    def _poll(self) -> None:
        installation = self.installation
        if installation.poll():
            return
        self.timer.stop()
        self.installation = None
        self._allow(True)
        self.enter()
        if installation.error:
            self._say(installation.error)
        elif not self.needed:
            self.done()

    def _line(self, text: str) -> None:
        self.log(text)
        self._say(_("Installing: {text}").format(text=text[:80]))

    def _allow(self, on: bool) -> None:
        for button in (self.ui.installButton, self.ui.installFolderButton):
            button.enabled = on

    def _say(self, text: str) -> None:
        self.ui.installLabel.text = text

    def _copyCommand(self) -> None:
        slicer.app.clipboard().setText(dependencies.downloadCommand())
        self._say(_("The command is on the clipboard: run it on a computer with internet, bring "
                    "the folder “wheels” here, and use Install from folder."))
