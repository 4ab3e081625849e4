"""The button below the results that remembers corrections for Adapt, or forgets them."""

from slicer.i18n import tr as _

from MetaUNETRSegmentLib import corrections


class RememberButton:
    """Shown while the result has corrected organs."""

    def __init__(self, panel) -> None:
        self.panel, self.button = panel, panel.ui.rememberButton
        self.node, self.jobs = None, {}  # by segmentation
        self.button.clicked.connect(self._clicked)
        self.button.visible = False

    def update(self, node, edited: set[str] | None = None) -> None:
        """Shows what can be done with the corrections of a segmentation, or of None.

        Args:
            edited: IDs of the segments that were changed, if they are known.
        """
        self.node = node
        corrected = corrections.correctedSegments(node, edited) if node else {}
        offered = bool(corrected) and not corrections.reasonAgainst(node, corrected)
        self.button.visible = offered
        if offered:
            self.known = corrections.isRemembered(node, corrected)
            self.button.text = (_("Forget this correction") if self.known
                                else _("Remember this correction"))
            self.button.enabled = node not in self.jobs

    def _clicked(self) -> None:
        if self.known:
            self.panel.say(forget(self.panel, corrections.rememberedOf(self.node)))
        elif self.panel.install.ensure(self.panel.say):
            self.remember(self.node, self.panel.say)

    def remember(self, node, say) -> None:
        """Copies CT and corrected organs; `say` is called with what happens."""
        if node in self.jobs:
            return
        say(_("Remembering the correction …"))

        def take(event):
            if event["event"] == "warning":
                self.panel.log.write(event["text"])
            elif event["event"] in ("finished", "failed", "cancelled"):
                self.panel.log.write(self.jobs.pop(node).log)
                self.update(self.node)
                self.panel.adapt.update()
                say(rememberedText(event["result"]) if event["event"] == "finished"
                    else event["text"])

        try:
            self.jobs[node] = self.panel.logic.remember(
                node, self.panel.parameters.model or None, wait=False, progress=take)
        except RuntimeError as error:
            say(str(error))
        self.button.enabled = self.node not in self.jobs

    def close(self) -> None:
        for job in list(self.jobs.values()):
            job.cancel()


def forget(panel, correction) -> str:
    """Deletes a remembered correction; returns the sentence to show."""
    try:
        corrections.forget(correction)
    except OSError as error:
        sentence = _("{path} cannot be deleted: {reason}.").format(
            path=correction.folder, reason=error.strerror)
    else:
        sentence = _("The correction was forgotten, and its copy deleted.")
    panel.results.remember.update(panel.results.remember.node)
    panel.adapt.update()
    return sentence


def rememberedText(correction) -> str:
    return _("Remembered: {organs}. The copy of {size} is in {folder}; the tab Adapt learns from "
             "it.").format(organs=", ".join(correction.organs), size=sizeText(correction.size),
                           folder=correction.folder)


def sizeText(size: int) -> str:
    return _("{size} MB").format(size=f"{max(size, 1e5) / 1e6:.1f}")
