"""The current run, with the button, progress bar and messages that show it."""

import html
import traceback

import qt
from slicer.i18n import tr as _

from . import labels
from .progress import Progress, duration

NOTICE_STYLE = ("QLabel {{ background-color: rgba({0}, 38); border-left: 4px solid rgb({0}); "
                "padding: 6px; }}")
WARNING, ERROR = "226, 150, 0", "205, 50, 50"
SHOWN_MS, LAID_OUT_MS = 200, 3000  # after which a widget has its place, the panel its height


class Strip:
    """One button that starts a run and becomes Cancel, with the progress and the outcome below.

    Args:
        ui, name: its widgets are ui.<name>Button, Hint (beside it), Progress, Status and Notice.
        makeProgress: () -> the Progress of a run.
    """

    def __init__(self, ui, name: str, makeProgress=Progress) -> None:
        self.makeProgress = makeProgress
        self.button = getattr(ui, f"{name}Button")
        self.hint = getattr(ui, f"{name}Hint")
        self.bar = getattr(ui, f"{name}Progress")
        self.status = getattr(ui, f"{name}Status")
        self.notice = getattr(ui, f"{name}Notice")
        self.startText = self.button.text
        self.startTip = self.button.toolTip
        self.reason = ""
        self.clear()

    def clear(self) -> None:
        self.progress = self.makeProgress()
        self.warnings = []
        self.bar.visible = False
        self._say("")
        self._notify([], WARNING)

    def begin(self) -> None:
        self.clear()
        self.hint.text = self.reason = ""
        self.bar.visible = True
        self.bar.value = 0
        self._say(_("Starting …"))
        scrollTo(self.status)
        self.button.text = _("Cancel")
        self.button.toolTip = _("Stop the run. The scene stays as it was.")
        self.button.enabled = True

    def show(self, event: dict) -> None:
        """Takes one event of the engine."""
        if event["event"] == "warning":
            name = self.progress.nameOf(event)
            self.warn(f"{name}: {event['text']}" if name else event["text"])
        elif self.progress.take(event):
            self.tick()

    def tick(self) -> None:
        """Updates bar and remaining time, also while a window is computed."""
        self.progress.advance()
        self.bar.value = round(100 * self.progress.share)
        if text := self.progress.text():
            self._say(text)

    def warn(self, sentence: str) -> None:
        """Adds a sentence below the progress; it stays when the run has ended."""
        self.warnings.append(sentence)
        self._notify(self.warnings, WARNING)

    def end(self, text: str) -> None:
        self.bar.visible = False
        self._say(text)
        self.button.text = self.startText

    def fail(self, sentence: str) -> None:
        self.end("")
        self._notify([sentence, *self.warnings], ERROR)

    def allow(self, reason: str) -> None:
        """Enables the button, or gives the reason beside it and in its tooltip."""
        self.button.enabled = not reason
        self.button.toolTip = reason or self.startTip
        if reason != self.reason:
            self.reason = self.hint.text = reason

    def _say(self, text: str) -> None:
        labels.show(self.status, text)

    def _notify(self, sentences: list, colour: str) -> None:
        self.notice.styleSheet = NOTICE_STYLE.format(colour)
        labels.show(self.notice, html.escape("\n".join(sentences)).replace("\n", "<br>"))


class Runner:
    """The only run of the panel; a timer of the logic polls it, and its events arrive here.

    Args:
        log: called with every message, tracebacks included.
        changed: called without arguments when a run has begun or ended.
    """

    def __init__(self, log, changed) -> None:
        self.log, self.changed = log, changed
        self.job = self.strip = self.finished = None
        self.clock = qt.QTimer()
        self.clock.interval = 500  # ms
        self.clock.timeout.connect(self._tick)

    @property
    def running(self) -> bool:
        return self.job is not None

    def start(self, strip: Strip, makeJob, finished) -> None:
        """Begins a run.

        Args:
            strip: shows it.
            makeJob: progress -> Job.
            finished: job -> the sentence to show; called when it has succeeded.
        """
        strip.begin()
        self.strip, self.finished = strip, finished
        self.log.begin(strip.startText)
        try:
            self.job = makeJob(self._take)
        except Exception as error:
            self._forget().fail(self._sentence(error))
        else:
            self.clock.start()
        self.changed()

    def cancel(self, why: str = "") -> None:
        """Stops the run, if there is one, and says why."""
        if self.job is not None:
            self.job.cancel(why or _("Cancelled. The scene is as it was before."))

    def _take(self, event: dict) -> None:
        if event["event"] in ("finished", "failed", "cancelled"):
            self._end(event)
        elif self.strip is not None:
            self.strip.show(event)

    def _tick(self) -> None:
        self.strip.tick()

    def _end(self, event: dict) -> None:
        job, finished, strip = self.job, self.finished, self._forget()
        if event["event"] == "failed":
            strip.fail(event["text"])
        elif event["event"] == "cancelled":
            strip.end(event["text"])
        else:
            try:
                strip.end(finished(job))
            except Exception as error:
                strip.fail(self._sentence(error))
        self.changed()

    def _forget(self) -> Strip:
        """Prepares for the next run; writes the log of the job."""
        self.clock.stop()
        if self.job is not None:
            self.log.write(self.job.log)
        strip, self.strip, self.job, self.finished = self.strip, None, None, None
        return strip

    def _sentence(self, error: Exception) -> str:
        """The text for the user; the details go to the log."""
        self.log.write(getattr(error, "log", "") or "".join(traceback.format_exception(error)))
        sentence = str(error) or type(error).__name__
        if isinstance(error, (RuntimeError, ValueError)):  # those hold sentences for people
            return sentence
        return _("Unexpected error: {error}. Please report it, with “Copy report” in the log "
                 "below.").format(error=sentence.rstrip("."))


def tookText(seconds: float, device: str = "") -> str:
    if not device:
        return _("Done in {duration}.").format(duration=duration(seconds))
    return _("Done in {duration} on {device}.").format(
        duration=duration(seconds), device="CPU" if device == "cpu" else device)


def scrollTo(widget) -> None:
    """Scrolls the module panel until a widget is visible, also as the panel becomes higher."""
    area = widget.parentWidget()
    while area is not None and not hasattr(area, "ensureWidgetVisible"):
        area = area.parentWidget()
    if area is None:
        return

    def scroll(*limits) -> None:
        area.ensureWidgetVisible(widget, 0, 0)

    changed = area.verticalScrollBar().rangeChanged
    changed.connect(scroll)
    qt.QTimer.singleShot(SHOWN_MS, scroll)  # the range may stay the same
    qt.QTimer.singleShot(LAID_OUT_MS, lambda: changed.disconnect(scroll))
