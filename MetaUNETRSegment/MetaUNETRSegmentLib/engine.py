"""The engine as a separate process: the panel never freezes, and a crash ends the engine only.

No threads: in Slicer they starve while the event loop holds Python's lock. The pipes are read
without waiting instead, whenever `poll` is called.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from MetaUNETRSegmentLib import core
from MetaUNETRSegmentLib.i18n import tr as _

PATIENCE = 0.7  # seconds that a stopped engine has to remove what it was writing
SCRATCH = "METAUNETR_SCRATCH"  # see metaunetr/__main__.py
# `python -m metaunetr`, but launchers may set PYTHONPATH themselves
RUN = "import sys; sys.path.insert(0, {root!r}); from {package}.__main__ import run; run()"
TRAINING = {"adapt", "remember"}  # commands of `metaunetr-training`


class EngineProcess(Protocol):
    """The interface of the process of a job; tests replace it.

    Attributes:
        exitCode: None while it runs.
    """

    exitCode: int | None

    def poll(self) -> list[dict[str, Any]]:
        """The events since the last call, without waiting.

        Lines that are no event come as {"event": "log", "text": line}.
        """

    def stop(self) -> None:
        """Ends it within a second."""


class Engine:
    """`metaunetr ARGUMENTS` on PythonSlicer, with `folder` as working directory.

    Or `metaunetr-training ARGUMENTS`, if they begin with a command of it.

    The process ends, and removes `folder`, when its standard input closes: so it does when
    Slicer crashes, and when only the launcher that PythonSlicer is can be killed.
    """

    def __init__(self, arguments: list[str], folder: Path) -> None:
        python = pythonExecutable()
        package = "metaunetr_training" if TRAINING.intersection(arguments[:1]) else "metaunetr"
        self.exitCode: int | None = None
        self._process = subprocess.Popen(
            [str(python), "-c", RUN.format(root=str(core.root()), package=package), *arguments],
            cwd=folder,
            env=_environment(python) | {SCRATCH: str(folder)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=os.name != "nt",  # so that a launcher's child can be killed with it
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # no console on Windows
        )
        self._lines = [_Lines(self._process.stdout), _Lines(self._process.stderr)]

    def poll(self) -> list[dict[str, Any]]:
        ended = self._process.poll()  # before reading: what comes after the end would be lost
        output, errors = (lines.read() for lines in self._lines)
        if ended is not None:
            self.exitCode = ended
        return [*map(_event, output), *({"event": "log", "text": line} for line in errors)]

    def stop(self) -> None:
        with suppress(OSError):
            self._process.stdin.close()
        deadline = time.monotonic() + PATIENCE
        while self._process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if os.name != "nt":
            with suppress(OSError):  # the whole group has gone already
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self.exitCode = self._process.wait()
        for lines in self._lines:
            lines.close()


def startEngine(arguments: list[str], folder: Path) -> EngineProcess:
    """Starts the engine.

    Raises:
        OSError: the process cannot be started.
    """
    return Engine(arguments, folder)


def pythonExecutable() -> Path:
    """PythonSlicer; in builds of Slicer that have none, the Python that Slicer itself runs on.

    Raises:
        FileNotFoundError: there is none.
    """
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    candidates = (shutil.which("PythonSlicer"), sys.executable,
                  os.path.join(sys.prefix, "bin", version), shutil.which(version))
    for candidate in filter(None, candidates):
        if "python" in os.path.basename(candidate).lower() and os.path.isfile(candidate):
            return Path(candidate)
    raise FileNotFoundError(
        _("PythonSlicer is on none of the paths {paths}; install Slicer again.").format(
            paths=os.environ.get("PATH", "")))


def _environment(python: Path) -> dict[str, str]:
    """The environment in which Slicer was started, as PythonSlicer expects.

    Another Python is shown where this process finds its packages.
    """
    environment = dict(os.environ)
    if python.name.startswith("PythonSlicer"):
        import slicer

        own = {name: value for name, value in environment.items() if name.startswith("METAUNETR")}
        environment = dict(slicer.util.startupEnvironment()) | own
    else:
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    return environment | {"PYTHONNOUSERSITE": "1", "PYTHONUTF8": "1"}


class _Lines:
    """The complete lines of a pipe, as far as they have arrived."""

    def __init__(self, pipe) -> None:
        self.pipe, self.rest = pipe, b""
        os.set_blocking(pipe.fileno(), False)

    def read(self) -> list[str]:
        with suppress(BlockingIOError, ValueError):  # nothing new; closed
            while data := os.read(self.pipe.fileno(), 1 << 16):
                self.rest += data
        *lines, self.rest = self.rest.split(b"\n")
        return [text for line in lines if (text := line.decode("utf-8", "replace").rstrip())]

    def close(self) -> None:
        self.pipe.close()


def _event(line: str) -> dict[str, Any]:
    with suppress(ValueError):
        event = json.loads(line)
        if isinstance(event, dict) and isinstance(event.get("event"), str):
            return event
    return {"event": "log", "text": line}
