"""Packages that only parts of MetaUNETR need, and how to install them where they are missing.

The commands install into the environment that is running. They name the packages themselves, or
the source folder: both work although MetaUNETR may not come from a package index. They are quoted
because zsh expands brackets and redirects `>`.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

from metaunetr.errors import PackageError

# as in pyproject.toml
REQUIREMENTS = {
    "dicom": ("highdicom>=0.28.2",),
    "surfaces": ("vtk>=9.2",),
    "cluster": ("distributed>=2024.8",),
}
TRAINING = ("monai", "yaml", "scipy", "matplotlib", "tensorboard", "einops", "fire", "jsonschema",
            "onnx", "onnxscript", "onnxruntime")  # modules of the extra `training`


def missing(what: str, package: str, extra: str) -> str:
    """Says that `what` needs a package that is not installed, and how to install its extra."""
    packages = " ".join(f'"{requirement}"' for requirement in REQUIREMENTS[extra])
    return f"{what} needs the Python package {package}; install it with: {_install()} {packages}"


def advice(module: str) -> str:
    """Says how to install a module whose import failed."""
    package = module.partition(".")[0]
    if package in TRAINING:
        return (f"This command needs the Python package {package}; install what training needs: "
                f'{_install()} ".[training]" in the source folder of MetaUNETR.')
    return f"The Python package {package} is missing; install it with: {_install()} {package}"


def _install() -> str:
    """The command that installs packages into this environment; those of uv have no pip."""
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    return f"{python} -m pip install" if find_spec("pip") else f"uv pip install --python {python}"


def require(*modules: str) -> None:
    """Check that modules are installed before work begins.

    Raises:
        PackageError: one of them is not.
    """
    for module in modules:
        if find_spec(module) is None:
            raise PackageError(advice(module))
