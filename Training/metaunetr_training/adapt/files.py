"""Names of files of adapting, for programs that read them without PyTorch."""

from __future__ import annotations

from pathlib import Path

IMAGE, LABELS, PICTURE = "ct.nii.gz", "ct.seg.nrrd", "ct.png"  # of a remembered correction


def state_folder(output: Path) -> Path:
    """Where the state of an unfinished model lies."""
    return output.with_name(f"{output.name}.adapting")
