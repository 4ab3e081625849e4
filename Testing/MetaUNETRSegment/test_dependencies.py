"""The first run, with and without network, and the installation from a folder of wheels."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
import types
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
import slicer
from packaging.requirements import Requirement

from MetaUNETRSegmentLib import dependencies
from MetaUNETRSegmentLib.dependencies import Declined, DependencyError

DEAD = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")


@pytest.fixture
def need(tmp_path, monkeypatch):
    """Requirements of the engine in place of the real ones."""
    path = tmp_path / "requirements.txt"
    monkeypatch.setattr(dependencies, "REQUIREMENTS", path)

    def need(*lines: str) -> None:
        path.write_text("\n".join(["# a comment", "", *lines, ""]), encoding="utf-8")

    return need


class Slicer:
    """What the first run asks of the application and of the extension PyTorch."""

    def __init__(self, need) -> None:
        self.need, self.calls, self.answer, self.testing = need, [], True, False
        self.print, self.fails, self.brings = "", None, True

    def confirmOkCancelDisplay(self, text, windowTitle=None, parent=None, **kwargs):
        self.calls.append("asked")
        self.text = text
        return self.answer

    def pip_ensure(self, requirements, constraints=None, skip_packages=None, prompt_install=True,
                   prompt_restart=True, requester=None, skip_in_testing=True, show_progress=True):
        assert (prompt_install, requester) == (False, "MetaUNETR")
        self._install(" ".join(map(str, requirements)))

    def installTorch(self, askConfirmation=False, forceComputationBackend=None,
                     torchVersionRequirement=None, torchvisionVersionRequirement=None):
        assert not askConfirmation and forceComputationBackend is None
        self._install(f"torch{torchVersionRequirement}")

    def _install(self, what: str) -> None:
        self.calls.append(what)
        print(self.print)
        if self.fails:
            raise self.fails
        if self.brings:
            self.need()


@pytest.fixture
def application(need, monkeypatch):
    application = Slicer(need)
    monkeypatch.setattr(slicer, "app", types.SimpleNamespace(
        testingEnabled=lambda: application.testing), raising=False)
    for name, value in (("confirmOkCancelDisplay", application.confirmOkCancelDisplay),
                        ("WaitCursor", contextlib.nullcontext)):
        monkeypatch.setattr(slicer.util, name, value, raising=False)
    for name, content in (
        ("slicer.packaging", {"pip_ensure": application.pip_ensure}),
        ("PyTorchUtils", {"PyTorchUtilsLogic": lambda: application}),
    ):
        module = types.ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    return application


def test_the_requirements_are_those_of_the_package():
    """Beside them, the package has tqdm for the command line, which the panel does not need."""
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.search(r"^dependencies = \[(.*?)\]", project, re.MULTILINE | re.DOTALL).group(1)
    ours = {str(requirement) for requirement in dependencies.requirements()}
    assert {*re.findall(r'"(.*?)"', listed)} == ours | {"tqdm>=4.60"}


@pytest.mark.parametrize(("line", "there"), [
    ("numpy>=1.26", True),
    ("numpy>=999", False),
    (f"numpy=={version('numpy')}", True),
    ("metaunetr-no-such-package", False),
    ("torch>=2.4", True),  # 2.13.0+cpu
])
def test_missing_is_what_is_not_installed_or_too_old(need, line, there):
    need(line)
    assert dependencies.missing() == ([] if there else [Requirement(line)])


def test_telling_imports_no_torch_and_touches_no_network():
    code = """
import socket, subprocess, sys
class Refused(socket.socket):
    def __init__(self, *arguments, **options): raise AssertionError("network")
socket.socket = Refused
subprocess.Popen = None
sys.path.insert(0, sys.argv[1])
from MetaUNETRSegmentLib import dependencies
assert dependencies.missing() == []
dependencies.ensure(lambda text: 1 / 0)
print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code, Path(dependencies.__file__).parents[1]],
                          capture_output=True, text=True, timeout=120)
    assert done.stdout == "False\n", done.stderr


@pytest.mark.parametrize(("lines", "installed"), [
    (["torch>=999"], ["torch>=999"]),
    (["safetensors>=999"], ["safetensors>=999"]),
])
def test_it_asks_once_and_installs(application, need, lines, installed):
    need("numpy", *lines)
    dependencies.ensure()
    assert application.calls == ["asked", *installed]
    dependencies.ensure()
    assert application.calls == ["asked", *installed], "asked again, or installed again"


def test_the_question_names_what_and_how_large(application, need):
    need("numpy", "safetensors>=999", "torch>=999")
    dependencies.ensure()
    assert re.findall(r"• (.*)", application.text) == [
        "safetensors>=999: less than 1 MB",
        "torch>=999: about 200 MB, with an NVIDIA GPU up to 4 GB",
    ]
    assert "never uploaded" in application.text


def test_small_things_come_first_so_that_a_dead_network_shows_at_once(application, need):
    need("torch>=999", "safetensors>=999")
    application.brings = False
    with pytest.raises(DependencyError, match="Still missing"):
        dependencies.ensure()
    assert application.calls == ["asked", "safetensors>=999", "torch>=999"]


def decline(application, monkeypatch):
    application.answer = False


def testing(application, monkeypatch):
    application.testing = True


def no_extension(application, monkeypatch):
    monkeypatch.setitem(sys.modules, "PyTorchUtils", None)


def older_torch_in_use(application, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", types.ModuleType("torch"))


@pytest.mark.parametrize(("reason", "sentence", "calls"), [
    (decline, "Nothing was installed. The segmentation needs torch>=999", ["asked"]),
    (testing, "Nothing is installed while Slicer tests itself", []),
    (no_extension, "the extension PyTorch, which is missing.*Extensions Manager", []),
    (older_torch_in_use, "an older PyTorch is in use.*Restart Slicer", []),
])
def test_why_nothing_is_installed(application, need, monkeypatch, reason, sentence, calls):
    need("torch>=999")
    reason(application, monkeypatch)
    with pytest.raises(DependencyError, match=sentence) as caught:
        dependencies.ensure()
    assert application.calls == calls
    assert isinstance(caught.value, Declined) == (reason is decline)


@pytest.mark.parametrize(("printed", "error", "sentence"), [
    ("WARNING: Retrying after connection broken by 'NewConnectionError'\n"
     "ERROR: No matching distribution found for torch",
     subprocess.CalledProcessError(1, "pip"), "no connection.*HTTPS_PROXY.*Install from folder"),
    ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
     subprocess.CalledProcessError(1, "pip"), "failed: Could not install.*No space left"),
    ("", OSError("a library cannot be loaded"), "failed: a library cannot be loaded"),
    ("", RuntimeError("PythonSlicer executable not found"), "PythonSlicer executable not found"),
])
def test_a_failure_is_a_sentence_and_a_log(application, need, printed, error, sentence, capsys):
    need("torch>=999")
    application.print, application.fails = printed, error
    with pytest.raises(DependencyError, match=sentence) as caught:
        dependencies.ensure()
    assert printed in caught.value.log
    assert printed in capsys.readouterr().out
    with pytest.raises(DependencyError, match=sentence):
        dependencies.ensure()  # not taken for an installation under way


def test_a_second_click_does_not_start_a_second_installation(application, need):
    need("torch>=999")
    application.installTorch = lambda **options: dependencies.ensure()
    with pytest.raises(DependencyError, match="under way"):
        dependencies.ensure()


@pytest.mark.skipif("METAUNETR_SLICER_SOURCE" not in os.environ,
                    reason="METAUNETR_SLICER_SOURCE is not set")
def test_slicers_own_pip_ensure_asks_nothing(application, need, monkeypatch):
    """Slicer's packaging.py itself, with its pip replaced."""
    pytest.importorskip("tomllib", reason="it needs Python 3.11")
    import importlib.util

    i18n = types.ModuleType("slicer.i18n")
    i18n.tr = str
    monkeypatch.setitem(sys.modules, "slicer.i18n", i18n)
    source = Path(os.environ["METAUNETR_SLICER_SOURCE"], "packaging.py")
    spec = importlib.util.spec_from_file_location("slicer.packaging", source)
    packaging = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(packaging)
    monkeypatch.setitem(sys.modules, "slicer.packaging", packaging)
    monkeypatch.setattr(packaging, "pip_install",
                        lambda requirements, **options: application._install(*requirements))
    need("safetensors>=999")
    dependencies.ensure()
    assert application.calls == ["asked", "safetensors>=999"]


# From a folder --------------------------------------------------------------


def wheel(folder: Path, name: str, *needs: str, tag: str = "py3-none-any") -> None:
    """A package of one empty module."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
                            + "".join(f"Requires-Dist: {need}\n" for need in needs),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-1.0-{tag}.whl", "w") as archive:
        for file, text in [*files.items(), (f"{info}/RECORD", record)]:
            archive.writestr(file, text)


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> Path:
    """The Python of a virtual environment with nothing but pip."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=300)
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def proxy_to_nowhere(python: Path, folder: Path, monkeypatch) -> Path:
    for name, value in DEAD.items():
        monkeypatch.setenv(name, value)
    return python


def no_network_device(python: Path, folder: Path, monkeypatch) -> Path:
    command = ["unshare", "--map-root-user", "--net", "--"]
    if not shutil.which("unshare") or subprocess.run([*command, "true"]).returncode != 0:
        pytest.skip("this machine lets nobody take the network from a process")
    script = folder / "PythonSlicer"
    script.write_text(f'#!/bin/sh\nexec {" ".join(command)} "{python}" "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return script


@pytest.fixture(params=[proxy_to_nowhere, no_network_device])
def offline(request, environment, tmp_path, monkeypatch) -> Path:
    python = request.param(environment, tmp_path, monkeypatch)
    monkeypatch.setattr(dependencies, "pythonExecutable", lambda: python)
    # settings that name a server: not for an installation from a folder
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "http://127.0.0.1:9/simple")
    return environment


def finished(installation) -> tuple[int, float]:
    """Polls to the end; exit code, and the longest time in seconds that a poll took."""
    longest, deadline = 0.0, time.monotonic() + 120
    while True:
        began = time.monotonic()
        running = installation.poll()
        longest = max(longest, time.monotonic() - began)
        if not running:
            return installation.exitCode, longest
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
def test_install_from_folder_without_network(offline, need, tmp_path):
    need("metaunetr_probe>=1")
    folder = tmp_path / "wheels of Zoë"
    wheel(folder, "metaunetr_probe", "metaunetr_helper")
    wheel(folder, "metaunetr_helper")
    lines = []
    installation = dependencies.installFromFolder(folder, lines.append)
    code, longest = finished(installation)
    assert (code, installation.error) == (0, None), installation.log
    assert longest < 0.5
    assert any(line.startswith("Successfully installed") for line in lines)
    assert installation.log.splitlines() == lines
    subprocess.run([offline, "-c", "import metaunetr_probe, metaunetr_helper"], check=True)
    assert installation.poll() is False, "it is over, and stays so"
    subprocess.run([offline, "-m", "pip", "uninstall", "-qy", "metaunetr_probe",
                    "metaunetr_helper"], check=True)


def empty(folder):
    folder.mkdir()


def absent(folder):
    pass


def other_packages(folder):
    wheel(folder, "something_else")


def without_what_it_needs(folder):
    wheel(folder, "metaunetr_probe", "metaunetr_helper>=2")


def for_another_computer(folder):
    wheel(folder, "metaunetr_probe", tag="cp27-cp27m-win32")


@pytest.mark.slow
@pytest.mark.parametrize(("content", "lacking"), [
    (empty, "any package"),
    (absent, "any package"),
    (other_packages, "metaunetr_probe>=1"),
    (without_what_it_needs, "metaunetr_helper>=2"),
    (for_another_computer, "metaunetr_probe>=1"),
])
def test_a_folder_without_fitting_wheels_is_refused(environment, need, tmp_path, monkeypatch,
                                                    content, lacking):
    """And nothing at all is installed."""
    need("metaunetr_probe>=1")
    monkeypatch.setattr(dependencies, "pythonExecutable", lambda: environment)
    content(tmp_path / "wheels")
    try:
        installation = dependencies.installFromFolder(tmp_path / "wheels", print)
        assert finished(installation)[0] != 0
        sentence = installation.error
    except DependencyError as error:
        sentence = str(error)
    assert f"does not hold {lacking} in a build for this Slicer" in sentence
    assert dependencies.downloadCommand() in sentence
    assert '"metaunetr_probe>=1"' in sentence
    assert subprocess.run([environment, "-c", "import metaunetr_probe"],
                          capture_output=True).returncode != 0


def test_the_download_command_fits_this_python(need, monkeypatch):
    need("torch>=999", "safetensors>=999")
    for tag, platforms in (
        ("win_amd64", "--platform win_amd64 --dest"),
        ("macosx_14_0_arm64", "--platform macosx_14_0_arm64 --dest"),
        ("manylinux_2_36_x86_64", "--platform manylinux_2_28_x86_64 --platform manylinux_2_27"),
    ):
        monkeypatch.setattr(dependencies, "platform_tags", lambda tag=tag: iter([tag]))
        monkeypatch.setattr(dependencies.platform, "machine", lambda: "x86_64")
        command = dependencies.downloadCommand()
        assert command.startswith(
            "python -m pip download --only-binary=:all: "
            f"--python-version {sys.version_info[0]}.{sys.version_info[1]} --platform ")
        assert platforms in command
        assert command.endswith('--dest wheels "torch>=999" "safetensors>=999"')
