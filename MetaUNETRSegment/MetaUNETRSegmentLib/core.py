"""The path of the core: beside the module when installed, in Training/ in a source tree."""

import sys
from pathlib import Path


def root() -> Path:
    """The folder that holds the package `metaunetr`.

    Raises:
        ImportError: it is in neither place: the installation is incomplete.
    """
    library = Path(__file__).resolve().parent
    candidates = (library.parent, library.parent.parent / "Training")
    for folder in candidates:
        if (folder / "metaunetr" / "__init__.py").is_file():
            return folder
    raise ImportError("The package metaunetr was not found in "
                      f"{' or '.join(map(str, candidates))}; install the extension again.")


def addToPath() -> None:
    """Makes `import metaunetr` work in this process, before any other installation of it."""
    folder = str(root())
    if folder not in sys.path:
        sys.path.insert(0, folder)
