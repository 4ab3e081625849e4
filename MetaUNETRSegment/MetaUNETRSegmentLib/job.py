"""One run of the engine, from its input files to its results."""

import shutil
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import slicer

from metaunetr.errors import MetaUNETRError
from MetaUNETRSegmentLib import engine
from MetaUNETRSegmentLib.i18n import tr as _

INTERVAL = 0.05  # seconds between two looks at the engine
ABANDONED = 24 * 3600  # seconds after which a folder in the temporary folder is nobody's
PREFIX = "MetaUNETR-"
KILLED = (-9, 137)  # what the system does when memory runs out

Event = dict[str, Any]


class SegmentationError(RuntimeError):
    """A run failed; the text is for the user, `log` for debugging."""

    def __init__(self, text: str, log: str = "") -> None:
        super().__init__(text)
        self.log = log


class Cancelled(SegmentationError):
    """A run was cancelled, by the user or because its input was removed."""


class Job:
    """The engine process, its temporary folder and its result.

    Nothing in the scene changes before `finish`. Call `poll` until it returns False; it never
    waits for the engine.

    Args:
        command: arguments of `metaunetr`; relative file names are those in the temporary folder.
        prepare: writes the engine's inputs into the temporary folder.
        finish: makes the result of the finished job and its temporary folder.
        needs: nodes without which the job is pointless; it is cancelled when one leaves the scene.
        progress: called with every event; last {"event": "finished", "result"}, {"event": "failed",
            "text"} or {"event": "cancelled", "text"}. If it raises, the job is cancelled.
        successes: exit codes after which `finish` is called.
        names: names for the files in the temporary folder, in messages of the engine.

    Attributes:
        state: "running", "finished", "failed" or "cancelled".
        result: what `finish` returned.
        error: a sentence, when it failed or was cancelled.
        last: the last event of each kind.
        log: what happened, with times, for a bug report.
        seconds: since the start; until the end, when there was one.

    Raises:
        SegmentationError: the inputs cannot be prepared, or the engine cannot be started.
    """

    def __init__(
        self,
        command: list[str],
        prepare: Callable[[Path], None] = lambda folder: None,
        finish: Callable[["Job", Path], Any] = lambda job, folder: None,
        needs: tuple = (),
        progress: Callable[[Event], None] | None = None,
        successes: tuple[int, ...] = (0,),
        names: dict[str, str] | None = None,
    ) -> None:
        self._started = time.monotonic()
        self._finish, self._needs = finish, [(node.GetID(), node) for node in needs]
        self._progress = progress or (lambda event: None)
        self._successes, self._names = successes, names or {}
        self.state, self.result, self.error = "running", None, ""
        self.last: dict[str, Event] = {}
        self._log: list[str] = []
        self._seconds: float | None = None
        self._note(f"metaunetr {' '.join(command)}")
        self._folder = _temporaryFolder()
        try:
            prepare(self._folder)
            self._process = engine.startEngine(command, self._folder)
        except BaseException as error:
            self._removeFolder()
            if not isinstance(error, (OSError, ValueError, MetaUNETRError)):
                raise
            raise SegmentationError(str(error), traceback.format_exc()) from error

    @property
    def seconds(self) -> float:
        return self._seconds or time.monotonic() - self._started

    @property
    def log(self) -> str:
        return "\n".join(self._log)

    def poll(self) -> bool:
        """Handles the events since the last call; returns whether the engine still runs."""
        if self.state != "running":
            return False
        if self._missing():
            self.cancel(_("Cancelled: the input was closed or removed."))
            return False
        try:
            for event in self._process.poll():
                if self.state == "running":  # `progress` may have cancelled it
                    self._take(event)
            if self.state == "running" and self._process.exitCode is not None:
                self._end()
        except BaseException:
            self.cancel()
            raise
        return self.state == "running"

    def wait(self) -> Any:
        """The result, once there is one; Slicer's windows stay alive meanwhile.

        Raises:
            SegmentationError: the job failed or was cancelled.
        """
        try:
            while self.poll():
                time.sleep(INTERVAL)
                if app := getattr(slicer, "app", None):
                    app.processEvents()
        except BaseException:
            self.cancel()
            raise
        if self.state != "finished":
            kind = Cancelled if self.state == "cancelled" else SegmentationError
            raise kind(self.error, self.log)
        return self.result

    def cancel(self, reason: str = "") -> None:
        """Ends the engine within a second and leaves the scene as it is."""
        if self.state == "running":
            self._process.stop()
            self._close("cancelled", reason or _("Cancelled."))

    def _missing(self) -> bool:
        return any(slicer.mrmlScene.GetNodeByID(nodeId) is not node
                   for nodeId, node in self._needs)

    def _take(self, event: Event) -> None:
        for file, name in self._names.items():
            if file in event.get("text", ""):
                event["text"] = event["text"].replace(file, name)
        self.last[event["event"]] = event
        if event["event"] not in ("windows", "progress"):
            self._note(event.get("text") or event.get("stage") or event["event"])
        self._progress(event)

    def _end(self) -> None:
        code = self._process.exitCode
        if code not in self._successes:
            self._close("failed", self._reason(code))
            return
        try:
            self.result = self._finish(self, self._folder)
        except Exception as error:
            self._note(traceback.format_exc())
            self._close("failed", _sentence(error))
        else:
            self._close("finished")

    def _reason(self, code: int) -> str:
        """Why the engine ended, in a sentence or two."""
        if "error" in self.last:
            return self.last["error"]["text"]
        if code in KILLED:
            return _("The engine was killed, probably because memory ran out. Close other "
                     "programs, or crop the volume with the module Crop Volume.")
        return _("The engine stopped unexpectedly (exit code {code}). The log says more; please "
                 "report it with a copy of it.").format(code=code)

    def _close(self, state: str, error: str = "") -> None:
        self._removeFolder()
        self._seconds = time.monotonic() - self._started
        self.state, self.error = state, error
        self._note(f"{state} after {self._seconds:.1f} s" + (f": {error}" if error else ""))
        ending = {"result": self.result} if state == "finished" else {"text": error}
        self._progress({"event": state, **ending})

    def _removeFolder(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _note(self, text: str) -> None:
        self._log.append(f"{time.monotonic() - self._started:7.2f} s  {text}")


def _sentence(error: Exception) -> str:
    if isinstance(error, (ValueError, MetaUNETRError)):  # written for people
        return str(error)
    return _("The result could not be put into the scene ({kind}: {error}). The log says more; "
             "please report it with a copy of it.").format(kind=type(error).__name__, error=error)


def _temporaryFolder() -> Path:
    """A new folder; old ones of ended processes are removed."""
    base = Path(tempfile.gettempdir())
    if app := getattr(slicer, "app", None):
        base = Path(app.temporaryPath)
        base.mkdir(parents=True, exist_ok=True)
    for folder in base.glob(PREFIX + "*"):
        with suppress(OSError):
            if folder.stat().st_mtime < time.time() - ABANDONED:
                shutil.rmtree(folder)
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
