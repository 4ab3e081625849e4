"""What to do first; gone for good once something has been segmented."""

import slicer
from slicer.i18n import tr as _

HELP_URL = "https://github.com/lyupengju/MetaUNETR/blob/main/docs/slicer.md"
USED = "MetaUNETR/Used"  # in the user's settings


class FirstUse:
    def __init__(self, ui) -> None:
        self.label = ui.firstUseLabel
        self.label.text = _(
            "<b>First time here?</b> Load a CT with <i>DICOM</i> or <i>Add Data</i>, or take "
            "<i>MetaUNETR phantom</i> from <i>Sample Data</i>. Press <b>Segment</b>. Then click "
            'the organs in the table. <a href="{url}">Tutorial</a>').format(url=HELP_URL)
        self.label.visible = not slicer.app.userSettings().value(USED)
        ui.noteLabel.text = _(
            "Nothing is uploaded. Research use only, not for diagnosis. "
            '<a href="{url}">Help</a>').format(url=HELP_URL)

    def done(self) -> None:
        slicer.app.userSettings().setValue(USED, "1")
        self.label.visible = False
