"""A terminology with the organs that Slicer's own ones lack."""

from pathlib import Path

import slicer

FILE = Path(__file__).resolve().parents[1] / "Resources" / "MetaUNETR.term.json"


def register() -> None:
    """Registers the terminology; loading it again, as Reload does, replaces it.

    Raises:
        RuntimeError: the file is missing or damaged: the installation is incomplete.
    """
    if not slicer.modules.terminologies.logic().LoadTerminologyFromFile(str(FILE)):
        raise RuntimeError(f"The terminology could not be loaded from {FILE}.")
