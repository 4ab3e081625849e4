"""The log of the panel, and a report for debugging."""

import json
import platform
import time

import slicer


class LogPanel:
    def __init__(self, ui) -> None:
        self.text = ui.logText
        self.record = None
        ui.copyReportButton.clicked.connect(self.copy)

    def begin(self, what: str) -> None:
        self.write(f"— {what}, {time.strftime('%Y-%m-%d %H:%M:%S')} —")

    def write(self, text: str) -> None:
        if text:
            self.text.appendPlainText(text.rstrip())

    def copy(self) -> None:
        slicer.app.clipboard().setText(self.report())

    def report(self) -> str:
        """Versions, the reproducibility record of the result, and the log."""
        import metaunetr

        lines = [
            f"MetaUNETR {metaunetr.__version__}",
            f"Slicer {slicer.app.applicationVersion}, Python {platform.python_version()}, "
            f"{platform.platform()}",
        ]
        if self.record:
            lines += ["", "Record", json.dumps(self.record, indent=1, ensure_ascii=False)]
        return "\n".join([*lines, "", "Log", self.text.plainText])
