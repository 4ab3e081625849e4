"""The packages that the engine needs and Slicer lacks: shown, and installed with consent.

Listing them imports nothing and uses no network. If all are there, nothing here uses the network.
"""

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import platform_tags

from MetaUNETRSegmentLib.engine import pythonExecutable
from MetaUNETRSegmentLib.i18n import tr as _

REQUIREMENTS = Path(__file__).resolve().parents[1] / "Resources" / "requirements.txt"

# Wheels: torch 2.13 for CPU on Linux 192 MB, torch 2.15 on Windows 127 MB, and torchvision, which
# PyTorchUtils adds, 2 to 8 MB. For CUDA 12.8 on Linux 3.2 GB of libraries, and torch itself.
SIZES = {"torch": _("about 200 MB, with an NVIDIA GPU up to 4 GB"),
         "safetensors": _("less than 1 MB")}

LINUX = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")

OFFLINE = ("connection broken", "Connection refused", "Max retries exceeded", "name resolution",
           "getaddrinfo failed", "ProxyError", "SSLError", "timed out")


class DependencyError(RuntimeError):
    """An error as a sentence that says what to do; `log` has the output of pip."""

    def __init__(self, text: str, log: str = "") -> None:
        super().__init__(text)
        self.log = log


class Declined(DependencyError):
    """The user declined the installation."""


def requirements() -> list[Requirement]:
    """The requirements of the engine, with versions."""
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]


def missing() -> list[Requirement]:
    """The requirements that are not installed, or too old."""
    importlib.invalidate_caches()  # another process may have installed it meanwhile
    return [requirement for requirement in requirements() if not _isThere(requirement)]


def _isThere(requirement: Requirement) -> bool:
    try:
        version = importlib.metadata.version(requirement.name)
        found = importlib.util.find_spec(requirement.name)  # removed by hand: metadata may remain
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return False
    return bool(version and found) and requirement.specifier.contains(version, prereleases=True)


def question(needed: list[Requirement]) -> str:
    """The question before an installation, with names and sizes."""
    names = "\n".join(f"• {requirement}: {SIZES.get(requirement.name, _('a few MB'))}"
                      for requirement in needed)
    return _(
        "Before the first segmentation, this is downloaded and installed into Slicer's Python:\n\n"
        "{names}\n\nIt takes some minutes, in which Slicer may not respond; then the segmentation "
        "starts. Images are never uploaded.\n\nWithout internet, cancel and use Install from "
        "folder.\n\nInstall now?"
    ).format(names=names)


def ensure(confirm: Callable[[str], bool] | None = None) -> None:
    """Installs missing packages after asking once; returns when the engine can run.

    Args:
        confirm: called with the question, returns whether to install; a dialog by default.

    Raises:
        Declined: the answer was no.
        DependencyError: it cannot be installed now.
    """
    needed = missing()
    if not needed:
        return
    import slicer

    names = ", ".join(map(str, needed))
    if slicer.app.testingEnabled():
        raise DependencyError(_("Missing: {names}. Nothing is installed while Slicer tests itself."
                                ).format(names=names))
    torch = next((requirement for requirement in needed if requirement.name == "torch"), None)
    logic = _torchLogic(torch) if torch else None  # no question where yes would not help
    if not (confirm or _ask)(question(needed)):
        raise Declined(_("Nothing was installed. The segmentation needs {names}; you will be "
                         "asked again at the next run.").format(names=names))
    with _installing() as log:
        rest = [requirement for requirement in needed if requirement is not torch]
        if rest:
            from slicer.packaging import pip_ensure

            pip_ensure(rest, prompt_install=False, requester="MetaUNETR",
                       prompt_restart=False)  # the engine is a process of its own
        if torch:
            logic.installTorch(askConfirmation=False,
                               torchVersionRequirement=str(torch.specifier))
    if left := missing():
        raise DependencyError(_("Still missing after the installation: {names}. Restart Slicer "
                                "and try again.").format(names=", ".join(map(str, left))),
                              "".join(log))


def _torchLogic(torch: Requirement):
    """The installer of PyTorch in the build for this computer.

    Raises:
        DependencyError: the extension PyTorch is missing, or an older torch is in use.
    """
    if "torch" in sys.modules:
        raise DependencyError(
            _("{torch} is needed, and an older PyTorch is in use in this Slicer. Restart Slicer "
              "and segment before you use anything else that needs PyTorch.").format(torch=torch))
    try:
        from PyTorchUtils import PyTorchUtilsLogic
    except ImportError as error:
        raise DependencyError(
            _("PyTorch is installed through the extension PyTorch, which is missing here. Install "
              "it with the Extensions Manager, restart Slicer and try again; or use Install from "
              "folder.")) from error
    return PyTorchUtilsLogic()


def _ask(text: str) -> bool:
    import slicer

    return bool(slicer.util.confirmOkCancelDisplay(text, _("MetaUNETR: first run")))


_busy = False


@contextmanager
def _installing() -> Iterator[list[str]]:
    """Captures the output of pip; its failures become sentences.

    Slicer handles clicks while pip runs, so that pip could be started twice.
    """
    global _busy
    if _busy:
        raise DependencyError(_("An installation is under way; wait until it is done."))
    import slicer

    _busy, log = True, []
    try:
        with slicer.util.WaitCursor(), redirect_stdout(_Tee(sys.stdout, log)):
            yield log
    except Exception as error:  # of pip, of the network, and of importing a broken torch
        text = "".join(log)
        raise DependencyError(_failure(text, error), f"{text}\n{error!r}") from error
    finally:
        _busy = False


def _failure(log: str, error: Exception) -> str:
    if any(word in log or word in str(error) for word in OFFLINE):
        return _("The packages could not be downloaded: no connection. Check the network and the "
                 "proxy (environment variable HTTPS_PROXY) and try again, or use Install from "
                 "folder.")
    return _("The installation failed: {reason}. Restart Slicer and try again, or use Install "
             "from folder.").format(reason=_reason(log) or str(error).rstrip(".") or repr(error))


def _reason(log: str) -> str:
    """The first error in the output of pip."""
    errors = (line for line in log.splitlines() if line.startswith("ERROR:"))
    return next(errors, "").removeprefix("ERROR:").strip().rstrip(".")


class _Tee:
    """Writes through, and keeps a copy."""

    def __init__(self, stream, log: list[str]) -> None:
        self.stream, self.log = stream, log

    def write(self, text: str) -> int:
        self.log.append(text)
        return self.stream.write(text)

    def __getattr__(self, name: str):
        return getattr(self.stream, name)


def downloadCommand() -> str:
    """The command that downloads the missing packages, for a computer with internet access.

    A computer with the same operating system: pip asks the one it runs on what torch depends on.
    On Linux these are NVIDIA's libraries, too, so that the wheels serve computers with a GPU.
    """
    tag = next(platform_tags())  # win_amd64, macosx_14_0_arm64, manylinux_2_36_x86_64
    platforms = [f"{kind}_{platform.machine()}" for kind in LINUX] if "linux" in tag else [tag]
    return " ".join([
        "python -m pip download --only-binary=:all:",
        f"--python-version {sys.version_info[0]}.{sys.version_info[1]}",
        *(f"--platform {name}" for name in platforms),
        "--dest wheels",
        *(f'"{requirement}"' for requirement in missing() or requirements()),
    ])


class FolderInstallation:
    """An installation by pip from a folder of wheels, in a separate process.

    It writes to a file instead of a pipe, so that it completes even when Slicer ends, for half
    an installation is worse than none, and reading a file never waits.

    Attributes:
        exitCode: None while it runs.
        error: afterwards, a sentence about the failure, or None.
        log: what pip said.
    """

    def __init__(self, folder: Path, output: Callable[[str], None]) -> None:
        self.exitCode: int | None = None
        self.error: str | None = None
        self.log = ""
        self._folder, self._output, self._rest = folder, output, b""
        self._scratch = tempfile.TemporaryDirectory(prefix="metaunetr", ignore_cleanup_errors=True)
        path = Path(self._scratch.name, "pip.txt")
        with path.open("wb") as sink:
            self._process = subprocess.Popen(
                [str(pythonExecutable()), "-m", "pip", "--isolated", "install", "--no-index",
                 "--find-links", str(folder), "--only-binary=:all:", "--no-input",
                 "--disable-pip-version-check", "--no-color", "--progress-bar=off",
                 "--requirement", str(REQUIREMENTS)],
                stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
                # pip's settings may name servers and further folders
                env=os.environ | {"PIP_CONFIG_FILE": os.devnull, "PYTHONUTF8": "1",
                                  "PYTHONNOUSERSITE": "1"},  # the engine does not look there
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        self._source = path.open("rb")

    def poll(self) -> bool:
        """Whether it still runs; passes new lines on, without waiting."""
        if self.exitCode is not None:
            return False
        ended = self._process.poll()  # before reading: what comes after the end would be lost
        self._read()
        if ended is None:
            return True
        self._source.close()
        self._scratch.cleanup()
        if ended != 0:
            self.error = _folderFailure(self._folder, self.log, ended)
        self.exitCode = ended
        return False

    def _read(self) -> None:
        *lines, self._rest = (self._rest + self._source.read()).split(b"\n")
        for line in lines:
            text = line.decode("utf-8", "replace").rstrip()
            self.log += text + "\n"
            self._output(text)


def installFromFolder(folder: str | Path, output: Callable[[str], None]) -> FolderInstallation:
    """Starts to install missing packages from a folder of wheels, without network.

    Args:
        output: gets pip's lines, one by one, from `poll`.

    Raises:
        DependencyError: the folder holds no wheels.
    """
    folder = Path(folder)
    if not any(folder.glob("*.whl")):
        raise DependencyError(_folderFailure(folder, "", 1))
    return FolderInstallation(folder, output)


def _folderFailure(folder: Path, log: str, code: int) -> str:
    reason = _reason(log)
    lacking = [line for line in log.splitlines() if "No matching distribution found" in line]
    if lacking or not log:
        what = lacking[0].rpartition(" for ")[2] if lacking else _("any package")
        return _(
            "{folder} does not hold {what} in a build for this Slicer. On a connected computer "
            "with the same operating system, run\n\n{command}\n\nand bring the folder \"wheels\" "
            "here."
        ).format(folder=folder, what=what, command=downloadCommand())
    return _("Installing from {folder} failed: {reason}. Restart Slicer and try again."
             ).format(folder=folder, reason=reason or _("pip ended with code {n}").format(n=code))
