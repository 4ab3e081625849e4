"""run.py: which build of PyTorch it installs, from where, and what it says."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "run.py"
CPU = "--no-deps --retries 1 --timeout 15 --index-url https://download.pytorch.org/whl/cpu "


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("run_py", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("platform", "gpu", "option", "reached", "installed", "said"), [
    ("linux", False, "", True, [CPU + "torch==2.13.0+cpu"], "200 MB"),
    ("linux", False, "", False, [CPU + "torch==2.13.0+cpu", "torch==2.13.0"], "up to 4 GB"),
    ("linux", True, "", True, ["torch==2.13.0"], "up to 4 GB"),
    ("linux", True, "cpu", True, [CPU + "torch==2.13.0+cpu"], "200 MB"),
    ("linux", False, "cuda", True, ["torch==2.13.0"], "up to 4 GB"),
    ("linux", True, "torch==2.9.1 --pre", True, ["torch==2.9.1 --pre"], "torch==2.9.1"),
    ("darwin", False, "", True, ["torch==2.13.0"], "200 MB"),
    ("win32", True, "", True, [CPU + "torch==2.13.0+cpu"], "200 MB"),
])
def test_the_build_of_pytorch(script, monkeypatch, capsys, platform, gpu, option, reached,
                              installed, said):
    commands = []

    def run(command, check=False, **_):
        if command[0] == "nvidia-smi":
            return subprocess.CompletedProcess(command, 0)
        commands.append(" ".join(map(str, command[command.index("--quiet") + 2:])))
        return subprocess.CompletedProcess(command, 0 if reached or check else 1)

    monkeypatch.setattr(script.sys, "platform", platform)
    monkeypatch.setattr(script.shutil, "which", lambda name: name if gpu else None)
    monkeypatch.setattr(script.subprocess, "run", run)
    script.install_torch(option or script.default_build(), script.CPU_INDEX)
    assert commands == installed
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(("line", "options"), [
    (["test", "-m", "not slow", "-x", "Testing/test_run.py"],
     ["-m", "not slow", "-x", "Testing/test_run.py"]),
    (["test", "--torch", "cpu", "--tb=short"], ["--tb=short"]),
    (["--torch", "cpu", "test"], []),
])
def test_options_of_pytest_are_passed_on(script, monkeypatch, line, options):
    passed = []
    monkeypatch.setattr(sys, "argv", ["run.py", *line])
    monkeypatch.setattr(script, "set_up", lambda *_: None)
    monkeypatch.setattr(script, "test", lambda arguments: passed.append(arguments) or 0)
    assert script.main() == 0
    assert passed == [options]
